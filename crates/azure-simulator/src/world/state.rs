//! The provisioning state of any resource of the device registry, by its ARM id.

use super::resource::ProvisioningState;
use super::{ActionError, World};

impl World {
    /// Puts a namespace, a credential, a policy of either generation or a certificate authority into a state.
    ///
    /// # Errors
    /// When there is no such resource.
    pub(crate) fn set_provisioning_state(
        &mut self,
        id: &str,
        state: ProvisioningState,
    ) -> Result<(), ActionError> {
        let place = self.provisioning_state_mut(id).ok_or_else(|| ActionError::not_found(id))?;
        *place = state;
        Ok(())
    }

    fn provisioning_state_mut(&mut self, id: &str) -> Option<&mut ProvisioningState> {
        let is = |own: &str| own.eq_ignore_ascii_case(id);
        for namespace in &mut self.namespaces {
            if is(&namespace.id) {
                return Some(&mut namespace.provisioning_state);
            }
            let credential_id = namespace.credential_id();
            if let Some(credential) = &mut namespace.credential {
                if is(&credential_id) {
                    return Some(&mut credential.provisioning_state);
                }
                let mut policies = credential.policies.values_mut();
                let found = policies.find(|policy| is(&format!("{credential_id}/policies/{}", policy.name)));
                if let Some(policy) = found {
                    return Some(&mut policy.provisioning_state);
                }
            }
            let authorities = format!("{}/certificateAuthorities", namespace.id);
            for authority in namespace.certificate_authorities.values_mut() {
                let own = format!("{authorities}/{}", authority.name);
                if is(&own) {
                    return Some(&mut authority.provisioning_state);
                }
                let mut policies = authority.policies.values_mut();
                let found = policies.find(|policy| is(&format!("{own}/certificatePolicies/{}", policy.name)));
                if let Some(policy) = found {
                    return Some(&mut policy.provisioning_state);
                }
            }
        }
        None
    }
}
