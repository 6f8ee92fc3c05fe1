//! Carries out operations of generation A when they end.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::world::credential::Policy;
use crate::world::hub::Origin;
use crate::world::namespace::Namespace;
use crate::world::push::Trusted;
use crate::world::resource::ProvisioningState;
use crate::world::{ActionError, World};

impl World {
    /// Gives every hub that can be reached the current issuing CA of every active policy.
    pub(super) fn synchronize(&mut self, namespace_id: &str, at: OffsetDateTime) -> Result<(), ActionError> {
        let namespace = self.namespace(namespace_id).ok_or_else(|| ActionError::not_found(namespace_id))?;
        let current: Vec<_> = namespace.policies().filter_map(|policy| current(namespace, policy)).collect();
        self.push_to_hubs(namespace_id, &current, at);
        Ok(())
    }

    pub(super) fn create_policy(
        &mut self,
        namespace_id: &str,
        policy: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let found = self.found(namespace_id)?.policy(policy);
        // One that failed before, and is written again, keeps what it has.
        if found.is_some_and(|policy| policy.authority.is_none() && policy.pending.is_none()) {
            self.renew(namespace_id, policy, at)?;
        }
        if let Some(policy) = self.found(namespace_id)?.policy_mut(policy) {
            policy.provisioning_state = ProvisioningState::Succeeded;
        }
        Ok(())
    }

    fn renew(&mut self, namespace_id: &str, policy: &str, at: OffsetDateTime) -> Result<(), ActionError> {
        let Self { namespaces, names, .. } = self;
        let credential = namespaces
            .iter_mut()
            .find(|namespace| namespace.id.eq_ignore_ascii_case(namespace_id))
            .and_then(|namespace| namespace.credential.as_mut())
            .ok_or_else(|| ActionError::not_found(namespace_id))?;
        match (&credential.root, credential.policies.get_mut(policy)) {
            (Some(root), Some(policy)) => Ok(policy.renew(root, names, at)?),
            _ => Err(ActionError::not_found(policy)),
        }
    }

    /// A new issuing CA, pushed to the hubs as documented unless the fleet turns that off
    /// (`azure-wire-facts.md` §8, §9).
    pub(super) fn revoke_issuer(
        &mut self,
        namespace_id: &str,
        policy: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        self.renew(namespace_id, policy, at)?;
        let namespace = self.found(namespace_id)?;
        let current = namespace.policy(policy).and_then(|policy| current(namespace, policy));
        if self.fleet.revoke_pushes_to_hubs {
            let current: Vec<_> = current.into_iter().collect();
            self.push_to_hubs(namespace_id, &current, at);
        }
        Ok(())
    }

    /// The signed certificate becomes the issuing CA. Hubs get it by the next sync (`azure-wire-facts.md` §2.2).
    pub(super) fn activate(
        &mut self,
        namespace_id: &str,
        policy: &str,
        chain: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let rules = self.fleet.lifecycle.chain_rules();
        let policy =
            self.found(namespace_id)?.policy_mut(policy).ok_or_else(|| ActionError::not_found(policy))?;
        let Some(pending) = policy.pending.take() else {
            return Err(ActionError::conflict("The policy has no pending certificate signing request."));
        };
        if let Err(error) = pending.check(chain, rules, at) {
            policy.pending = Some(pending);
            return Err(error.into());
        }
        policy.authority = Some(Arc::new(pending.activate(chain, rules, at)?));
        Ok(())
    }
}

/// The certificate that hubs get for a policy, with its origin.
fn current(namespace: &Namespace, policy: &Policy) -> Option<Trusted> {
    Some((Origin::Policy(namespace.policy_id(&policy.name)), vec![Arc::clone(policy.active_authority()?)]))
}
