//! What operations do when they are done.

use std::sync::Arc;

use time::OffsetDateTime;

use super::operation::{Effect, Outcome};
use super::state::State;
use crate::cloud::arm_error::ArmError;
use crate::cloud::pki::Authority;

impl State {
    /// Brings the world up to `now`: every operation that is due has its effect, in the order of their times.
    pub(crate) fn settle(&mut self, now: OffsetDateTime) {
        loop {
            let due = self
                .operations
                .iter()
                .enumerate()
                .filter(|(_, operation)| operation.effect.is_some() && operation.finishes <= now)
                .min_by_key(|(_, operation)| operation.finishes);
            let Some((index, _)) = due else { return };
            self.finish(index);
        }
    }

    fn finish(&mut self, index: usize) {
        let operation = &mut self.operations[index];
        let Some(effect) = operation.effect.take() else { return };
        let (namespace_id, at) = (operation.namespace_id.clone(), operation.finishes);
        let outcome = match self.apply(&namespace_id, effect, at) {
            Ok(()) => Outcome::Succeeded,
            Err(error) => Outcome::Failed { code: error.code.into_owned(), message: error.message },
        };
        self.operations[index].outcome = outcome;
        let operation = &self.operations[index];
        if operation.outcome == Outcome::Succeeded {
            self.announce(&operation.resource_id, operation.name, operation.change, at);
        }
    }

    fn apply(&mut self, namespace_id: &str, effect: Effect, at: OffsetDateTime) -> Result<(), ArmError> {
        match effect {
            Effect::Synchronize => self.synchronize(namespace_id, at),
            Effect::RevokeIssuer(policy) => self.revoke_issuer(namespace_id, &policy, at),
            Effect::CreatePolicy(policy) => self.create_policy(namespace_id, &policy, at),
            Effect::Activate { policy, chain } => self.activate(namespace_id, &policy, &chain, at),
            Effect::CreateNamespace => {
                self.found(namespace_id)?.provisioning_state = "Succeeded".to_owned();
                Ok(())
            }
            Effect::CreateCredential => {
                let Self { namespaces, names, .. } = self;
                let namespace = namespaces.iter_mut().find(|n| n.id.eq_ignore_ascii_case(namespace_id));
                match namespace.and_then(|namespace| namespace.credential.as_mut()) {
                    Some(credential) => Ok(credential.complete(names, at)?),
                    None => Err(ArmError::not_found(namespace_id)),
                }
            }
            Effect::DeleteCredential => {
                self.found(namespace_id)?.credential = None;
                Ok(())
            }
            Effect::DeletePolicy(policy) => {
                // Its certificates stay on the hubs (§2.2).
                if let Some(credential) = self.found(namespace_id)?.credential.as_mut() {
                    credential.policies.shift_remove(&policy);
                }
                Ok(())
            }
        }
    }

    fn found(&mut self, namespace_id: &str) -> Result<&mut super::namespace::Namespace, ArmError> {
        self.namespace_mut(namespace_id).ok_or_else(|| ArmError::not_found(namespace_id))
    }

    /// Every linked hub gets the current issuing CA of every active policy.
    fn synchronize(&mut self, namespace_id: &str, at: OffsetDateTime) -> Result<(), ArmError> {
        let namespace = self.namespace(namespace_id).ok_or_else(|| ArmError::not_found(namespace_id))?;
        let current: Vec<(String, Arc<Authority>)> = namespace
            .policies()
            .filter_map(|policy| {
                Some((namespace.policy_id(&policy.name), Arc::clone(policy.active_authority()?)))
            })
            .collect();
        self.push(namespace_id, &current, at);
        Ok(())
    }

    fn push(&mut self, namespace_id: &str, current: &[(String, Arc<Authority>)], at: OffsetDateTime) {
        let Self { hubs, names, .. } = self;
        let linked =
            |id: &Option<String>| id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(namespace_id));
        for hub in hubs.iter_mut().filter(|hub| linked(&hub.namespace_id)) {
            for (policy_id, authority) in current {
                hub.push(policy_id, authority, names, at);
            }
        }
    }

    fn create_policy(
        &mut self,
        namespace_id: &str,
        policy: &str,
        at: OffsetDateTime,
    ) -> Result<(), ArmError> {
        self.renew(namespace_id, policy, at)?;
        if let Some(policy) = self.found(namespace_id)?.policy_mut(policy) {
            policy.provisioning_state = "Succeeded".to_owned();
        }
        Ok(())
    }

    fn renew(&mut self, namespace_id: &str, policy: &str, at: OffsetDateTime) -> Result<(), ArmError> {
        let Self { namespaces, names, .. } = self;
        let credential = namespaces
            .iter_mut()
            .find(|namespace| namespace.id.eq_ignore_ascii_case(namespace_id))
            .and_then(|namespace| namespace.credential.as_mut())
            .ok_or_else(|| ArmError::not_found(namespace_id))?;
        match (&credential.root, credential.policies.get_mut(policy)) {
            (Some(root), Some(policy)) => Ok(policy.renew(root, names, at)?),
            _ => Err(ArmError::not_found(policy)),
        }
    }

    /// A new issuing CA, pushed to the hubs as documented unless the fleet turns that off
    /// (`azure-wire-facts.md` §8, §9).
    fn revoke_issuer(
        &mut self,
        namespace_id: &str,
        policy: &str,
        at: OffsetDateTime,
    ) -> Result<(), ArmError> {
        self.renew(namespace_id, policy, at)?;
        let namespace = self.found(namespace_id)?;
        let current = namespace.policy(policy).and_then(|policy| {
            Some((namespace.policy_id(&policy.name), Arc::clone(policy.active_authority()?)))
        });
        if self.fleet.revoke_pushes_to_hubs {
            let current: Vec<_> = current.into_iter().collect();
            self.push(namespace_id, &current, at);
        }
        Ok(())
    }

    /// The signed certificate becomes the issuing CA. Hubs get it by the next sync (§2.2).
    fn activate(
        &mut self,
        namespace_id: &str,
        policy: &str,
        chain: &str,
        at: OffsetDateTime,
    ) -> Result<(), ArmError> {
        let policy =
            self.found(namespace_id)?.policy_mut(policy).ok_or_else(|| ArmError::not_found(policy))?;
        let Some(pending) = policy.pending.take() else {
            return Err(ArmError::conflict(
                "Conflict",
                "The policy has no pending certificate signing request.",
            ));
        };
        if let Err(error) = pending.check(chain, at) {
            policy.pending = Some(pending);
            return Err(error.into());
        }
        policy.authority = Some(Arc::new(pending.activate(chain, at)?));
        Ok(())
    }
}
