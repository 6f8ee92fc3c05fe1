//! Carries out operations when they end.

mod certificate_authorities;
mod credentials;
mod links;

use time::OffsetDateTime;

use super::operation::{Effect, Outcome};
use super::resource::ProvisioningState;
use super::{ActionError, World};

impl World {
    /// Brings the world up to `now`: every operation, every step of a renewal and every push that is due has its effect,
    /// in the order of their times; at the same time in that order.
    pub(crate) fn settle(&mut self, now: OffsetDateTime) {
        loop {
            let operations = self.operations.iter().enumerate().filter(|(_, one)| one.effect.is_some());
            let operation = operations.map(|(index, one)| (one.finishes, 0, index)).min();
            let renewal = self.next_renewal();
            let push = self.pushes.iter().enumerate().map(|(index, one)| (one.due, 2, index)).min();
            let step = renewal.as_ref().map(|step| (step.at, 1, 0));
            match [operation, step, push].into_iter().flatten().min() {
                Some((at, kind, index)) if at <= now => match (kind, renewal) {
                    (0, _) => self.finish(index),
                    (1, Some(step)) => self.take(&step),
                    _ => {
                        let push = self.pushes.remove(index);
                        self.carry_out(&push);
                    }
                },
                _ => return,
            }
        }
    }

    fn finish(&mut self, index: usize) {
        let operation = &mut self.operations[index];
        let Some(effect) = operation.effect.take() else { return };
        let (namespace_id, at) = (operation.namespace_id.clone(), operation.finishes);
        let resource_id = operation.resource_id.clone();
        let (kind, deed) = effect.told();
        let shows = effect.makes_or_deletes();
        let verdict = self.verdicts.iter().position(|one| one.resource_id.eq_ignore_ascii_case(&resource_id));
        let outcome = match verdict.map(|verdict| self.verdicts.remove(verdict).failure) {
            Some(Some(failure)) => Outcome::Failed(failure),
            Some(None) => Outcome::Canceled,
            None => match self.apply(&namespace_id, effect, at) {
                Ok(()) => Outcome::Succeeded,
                Err(error) => Outcome::Failed(error),
            },
        };
        let state = match outcome {
            Outcome::Failed(_) => Some(ProvisioningState::Failed),
            Outcome::Canceled => Some(ProvisioningState::Canceled),
            Outcome::Running | Outcome::Succeeded => None,
        };
        if let Some(state) = state.filter(|_| shows) {
            // What the operation has removed shows nothing.
            let _ = self.set_provisioning_state(&resource_id, state);
        }
        if outcome == Outcome::Succeeded {
            self.tell(&resource_id, kind, deed, at);
        }
        self.operations[index].outcome = outcome;
    }

    fn apply(&mut self, namespace_id: &str, effect: Effect, at: OffsetDateTime) -> Result<(), ActionError> {
        match effect {
            Effect::Synchronize => self.synchronize(namespace_id, at),
            Effect::RevokeIssuer(policy) => self.revoke_issuer(namespace_id, &policy, at),
            Effect::CreatePolicy(policy) => self.create_policy(namespace_id, &policy, at),
            Effect::Activate { policy, chain } => self.activate(namespace_id, &policy, &chain, at),
            Effect::WriteNamespace => {
                self.settle_links(namespace_id, at);
                self.found(namespace_id)?.provisioning_state = ProvisioningState::Succeeded;
                Ok(())
            }
            Effect::DeleteNamespace => {
                self.namespaces.retain(|namespace| !namespace.id.eq_ignore_ascii_case(namespace_id));
                self.orphan_links(namespace_id);
                Ok(())
            }
            Effect::CertificateAuthority { name, change } => {
                self.change_authority(namespace_id, &name, change, at)
            }
            Effect::CreateCredential => {
                let Self { namespaces, names, .. } = self;
                let namespace = namespaces.iter_mut().find(|n| n.id.eq_ignore_ascii_case(namespace_id));
                match namespace.and_then(|namespace| namespace.credential.as_mut()) {
                    Some(credential) if credential.root.is_some() => {
                        credential.provisioning_state = ProvisioningState::Succeeded;
                        Ok(())
                    }
                    Some(credential) => Ok(credential.complete(names, at)?),
                    None => Err(ActionError::not_found(namespace_id)),
                }
            }
            Effect::DeleteCredential => {
                self.found(namespace_id)?.credential = None;
                Ok(())
            }
            Effect::DeletePolicy(policy) => {
                // The policy's certificates stay on the hubs (`azure-wire-facts.md` §2.2).
                if let Some(credential) = self.found(namespace_id)?.credential.as_mut() {
                    credential.policies.shift_remove(&policy);
                }
                Ok(())
            }
        }
    }

    fn found(&mut self, namespace_id: &str) -> Result<&mut super::namespace::Namespace, ActionError> {
        self.namespace_mut(namespace_id).ok_or_else(|| ActionError::not_found(namespace_id))
    }
}
