//! Carries out operations of generation B when they end.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::world::certificate_authority::CertificateAuthority;
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
                self.renew_authority(namespace_id, name, at)?;
                self.authority(namespace_id, name)?.provisioning_state = ProvisioningState::Succeeded;
            }
            // Its certificate stays on the hubs, as that of a deleted policy does in generation A
            // (`azure-wire-facts.md` §2.2).
            AuthorityChange::Delete => {
                self.found(namespace_id)?.certificate_authorities.shift_remove(&name.to_ascii_lowercase());
            }
            AuthorityChange::RevokeAndRotate => self.renew_authority(namespace_id, name, at)?,
            AuthorityChange::Activate(chain) => {
                activate(self.authority(namespace_id, name)?, &chain, at)?;
                self.plan_push(namespace_id, name, at);
            }
            AuthorityChange::CreatePolicy(policy) => {
                let authority = self.authority(namespace_id, name)?;
                if let Some(policy) = authority.policies.get_mut(&policy) {
                    policy.provisioning_state = ProvisioningState::Succeeded;
                }
            }
            AuthorityChange::DeletePolicy(policy) => {
                self.authority(namespace_id, name)?.policies.shift_remove(&policy);
            }
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
    at: OffsetDateTime,
) -> Result<(), ActionError> {
    let Some(pending) = authority.pending.take() else {
        let problem = "The certificate authority has no pending certificate signing request.";
        return Err(ActionError::conflict(problem));
    };
    if let Err(error) = pending.check(chain, at) {
        authority.pending = Some(pending);
        return Err(error.into());
    }
    authority.authority = Some(Arc::new(pending.activate(chain, at)?));
    Ok(())
}
