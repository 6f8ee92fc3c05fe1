//! Namespaces, with the resources of both API generations of the device registry.

use std::sync::Arc;

use indexmap::IndexMap;

use super::certificate_authority::{CertificateAuthority, Kind};
use super::credential::{Credential, Policy};
use super::resource::{ProvisioningState, Tags, Times};
use crate::fleet::Generation;
use crate::pki::Authority;

/// A device registry namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    pub tags: Tags,
    pub uuid: String,
    pub principal_id: String,
    pub tenant_id: String,
    pub provisioning_state: ProvisioningState,
    pub times: Times,
    /// The generation that the fleet names; a namespace that was made later is of both.
    pub generation: Generation,
    /// Generation A.
    pub credential: Option<Credential>,
    /// Generation B, by lower-case name.
    pub certificate_authorities: IndexMap<String, CertificateAuthority>,
}

impl Namespace {
    /// The policies, in the order in which they were made.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.credential.iter().flat_map(|credential| credential.policies.values())
    }

    /// The policy of a name in any case.
    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        self.credential.as_ref()?.policies.get(&name.to_ascii_lowercase())
    }

    /// The policy of a name in any case, to be changed.
    pub(crate) fn policy_mut(&mut self, name: &str) -> Option<&mut Policy> {
        self.credential.as_mut()?.policies.get_mut(&name.to_ascii_lowercase())
    }

    /// Where its data plane would be. The form is made up.
    pub(crate) fn data_host_name(&self) -> String {
        format!(
            "{}.{}.deviceregistry.azure.net",
            self.name,
            self.location.to_ascii_lowercase().replace(' ', "")
        )
    }

    /// The ARM id of the credential.
    pub(crate) fn credential_id(&self) -> String {
        format!("{}/credentials/default", self.id)
    }

    /// The ARM id of a policy.
    pub(crate) fn policy_id(&self, policy: &str) -> String {
        format!("{}/credentials/default/policies/{policy}", self.id)
    }

    /// The certificate authority of a name in any case.
    pub(crate) fn certificate_authority(&self, name: &str) -> Option<&CertificateAuthority> {
        self.certificate_authorities.get(&name.to_ascii_lowercase())
    }

    /// The certificate of the root that signs the issuing CAs of generation B.
    pub(crate) fn root(&self) -> Option<&Arc<Authority>> {
        self.certificate_authorities.values().find(|one| one.kind == Kind::Root)?.authority.as_ref()
    }

    /// The certificate authority of a name in any case, to be changed.
    pub(crate) fn certificate_authority_mut(&mut self, name: &str) -> Option<&mut CertificateAuthority> {
        self.certificate_authorities.get_mut(&name.to_ascii_lowercase())
    }

    /// The ARM id of a certificate authority.
    pub(crate) fn certificate_authority_id(&self, authority: &str) -> String {
        format!("{}/certificateAuthorities/{authority}", self.id)
    }

    /// The ARM id of a certificate policy.
    pub(crate) fn certificate_policy_id(&self, authority: &str, policy: &str) -> String {
        format!("{}/certificatePolicies/{policy}", self.certificate_authority_id(authority))
    }
}
