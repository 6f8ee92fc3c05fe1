//! Carries out operations of generation B when they end.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::pki::ChainRules;
use crate::world::certificate_authority::CertificateAuthority;
use crate::world::hub::Origin;
use crate::world::operation::AuthorityChange;
use crate::world::resource::ProvisioningState;
use crate::world::{ActionError, World};

impl World {
    pub(super) fn change_authority(
        &mut self,
        namespace_id: &str,
        name: &str,
        change: AuthorityChange,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        match change {
            AuthorityChange::Create => {
                let found = self.authority(namespace_id, name)?;
                // One that failed before, and is written again, keeps what it has.
                if found.authority.is_none() && found.pending.is_none() {
                    self.renew_authority(namespace_id, name, at)?;
                }
                self.authority(namespace_id, name)?.provisioning_state = ProvisioningState::Succeeded;
            }
            AuthorityChange::Delete => self.delete_authority(namespace_id, name)?,
            AuthorityChange::RevokeAndRotate => self.renew_authority(namespace_id, name, at)?,
            AuthorityChange::Activate(chain) => {
                let rules = self.fleet.lifecycle.chain_rules();
                activate(self.authority(namespace_id, name)?, &chain, rules, at)?;
                self.plan_push(namespace_id, name, at);
            }
            AuthorityChange::Retag(tags) => {
                let authority = self.authority(namespace_id, name)?;
                (authority.tags, authority.times.modified) = (tags, at);
            }
            AuthorityChange::CreatePolicy(policy) => {
                create_policy(self.authority(namespace_id, name)?, &policy)?;
            }
            AuthorityChange::ChangePolicy { policy, validity_days } => {
                let authority = self.authority(namespace_id, name)?;
                let found =
                    authority.policies.get_mut(&policy).ok_or_else(|| ActionError::not_found(&policy))?;
                found.validity_days = validity_days.unwrap_or(found.validity_days);
                found.times.modified = at;
            }
            AuthorityChange::DeletePolicy(policy) => {
                self.authority(namespace_id, name)?.policies.shift_remove(&policy);
            }
        }
        Ok(())
    }

    /// Its certificates stay on the hubs, as those of a deleted policy do in generation A, unless the fleet says otherwise
    /// (`azure-wire-facts.md` §2.2, `ca-lifecycle-facts.md` §1.10).
    fn delete_authority(&mut self, namespace_id: &str, name: &str) -> Result<(), ActionError> {
        let namespace = self.found(namespace_id)?;
        namespace.certificate_authorities.shift_remove(&name.to_ascii_lowercase());
        let origin = Origin::CertificateAuthority(namespace.certificate_authority_id(name));
        if self.fleet.lifecycle.delete_removes_from_hubs {
            self.push_to_hubs(namespace_id, &[(origin, Vec::new())], OffsetDateTime::UNIX_EPOCH);
        }
        Ok(())
    }

    fn authority(
        &mut self,
        namespace_id: &str,
        name: &str,
    ) -> Result<&mut CertificateAuthority, ActionError> {
        let namespace = self.found(namespace_id)?;
        namespace.certificate_authority_mut(name).ok_or_else(|| ActionError::not_found(name))
    }
}

/// The signed certificate becomes the issuing CA.
fn activate(
    authority: &mut CertificateAuthority,
    chain: &str,
    rules: ChainRules,
    at: OffsetDateTime,
) -> Result<(), ActionError> {
    let Some(pending) = authority.pending.take() else {
        let problem = "The certificate authority has no pending certificate signing request.";
        return Err(ActionError::conflict(problem));
    };
    if let Err(error) = pending.check(chain, rules, at) {
        authority.pending = Some(pending);
        return Err(error.into());
    }
    authority.authority = Some(Arc::new(pending.activate(chain, rules, at)?));
    Ok(())
}

/// A CA has one policy, the first: where another one was taken at first, it is gone again now.
fn create_policy(authority: &mut CertificateAuthority, key: &str) -> Result<(), ActionError> {
    if authority.policies.get_index_of(key).is_some_and(|place| place > 0) {
        authority.policies.shift_remove(key);
        return Err(ActionError::SecondPolicy(authority.name.clone()));
    }
    if let Some(policy) = authority.policies.get_mut(key) {
        policy.provisioning_state = ProvisioningState::Succeeded;
    }
    Ok(())
}
