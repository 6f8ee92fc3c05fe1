//! The credential policies and certificate authorities of a fleet.

use indexmap::IndexMap;

use super::Builder;
use crate::fleet::{self, CertificateAuthorityKind};
use crate::pki::PkiError;
use crate::world::certificate_authority::{
    CertificateAuthority, CertificatePolicy, Kind, root_validity_days,
};
use crate::world::credential::{Credential, Policy};
use crate::world::push::common_name;
use crate::world::resource::{ProvisioningState, Tags, Times};

impl Builder<'_> {
    /// Generation A.
    pub(super) fn policies(
        &mut self,
        given: &fleet::Namespace,
        credential: &Credential,
    ) -> Result<IndexMap<String, Policy>, PkiError> {
        let mut policies = IndexMap::new();
        for policy in &given.policies {
            let mut made = Policy {
                name: policy.name.clone(),
                leaf_validity_days: policy.leaf_validity_days,
                issuing_ca_validity_days: policy
                    .issuing_ca_validity_days
                    .unwrap_or(self.fleet.issuing_ca_validity_days),
                provisioning_state: ProvisioningState::named(&policy.provisioning_state),
                location: self.fleet.location.clone(),
                tags: Tags::new(),
                bring_your_own_root: policy.bring_your_own_root,
                authority: None,
                pending: None,
                times: Times::new(self.now),
            };
            if let Some(root) = &credential.root {
                made.renew(root, &mut self.names, self.now)?;
            }
            policies.insert(policy.name.to_ascii_lowercase(), made);
        }
        Ok(policies)
    }

    /// Generation B. The root is made first, wherever it stands in the file.
    pub(super) fn certificate_authorities(
        &mut self,
        given: &fleet::Namespace,
    ) -> Result<IndexMap<String, CertificateAuthority>, PkiError> {
        let mut made: IndexMap<String, CertificateAuthority> = IndexMap::new();
        let mut root = None;
        for authority in &given.certificate_authorities {
            let (kind, usual) = match authority.kind {
                CertificateAuthorityKind::Root => (Kind::Root, root_validity_days()),
                CertificateAuthorityKind::Issuing => (Kind::Microsoft, self.fleet.issuing_ca_validity_days),
                CertificateAuthorityKind::External => (Kind::External, self.fleet.issuing_ca_validity_days),
            };
            let (days, location) = (authority.validity_days.unwrap_or(usual), self.fleet.location.clone());
            let name = &authority.name;
            let mut one =
                CertificateAuthority::accepted(name, kind, days, location, &mut self.names, self.now);
            one.provisioning_state = ProvisioningState::named(&authority.provisioning_state);
            if let Some(policy) = &authority.policy {
                one.policies.insert(policy.name.to_ascii_lowercase(), self.certificate_policy(policy));
            }
            if kind == Kind::Root {
                let common_name = common_name(self.fleet.lifecycle.subjects, name, &mut self.names);
                one.renew(None, &common_name, self.now)?;
                root.clone_from(&one.authority);
            }
            made.insert(name.to_ascii_lowercase(), one);
        }
        for authority in made.values_mut().filter(|authority| authority.is_issuing()) {
            let common_name = common_name(self.fleet.lifecycle.subjects, &authority.name, &mut self.names);
            authority.renew(root.as_deref(), &common_name, self.now)?;
        }
        Ok(made)
    }

    fn certificate_policy(&mut self, given: &fleet::CertificatePolicy) -> CertificatePolicy {
        CertificatePolicy {
            name: given.name.clone(),
            uuid: self.names.guid(),
            validity_days: given.leaf_validity_days,
            provisioning_state: ProvisioningState::named(&given.provisioning_state),
            times: Times::new(self.now),
        }
    }
}
