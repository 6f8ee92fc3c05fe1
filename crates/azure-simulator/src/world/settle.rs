//! Carries out operations when they end.

mod certificate_authorities;
mod credentials;
mod links;

use time::OffsetDateTime;

use super::operation::{Effect, Outcome};
use super::resource::ProvisioningState;
use super::{ActionError, World};

impl World {
    /// Brings the world up to `now`: every operation and every push that is due has its effect, in the order of their
    /// times. When both are due at once, the push comes last.
    pub(crate) fn settle(&mut self, now: OffsetDateTime) {
        loop {
            let operations = self.operations.iter().enumerate().filter(|(_, one)| one.effect.is_some());
            let operation = operations.map(|(index, one)| (one.finishes, index)).min();
            let push = self.pushes.iter().enumerate().map(|(index, one)| (one.due, index)).min();
            match (operation, push) {
                (Some((at, index)), push) if at <= now && push.is_none_or(|(due, _)| at <= due) => {
                    self.finish(index);
                }
                (_, Some((due, index))) if due <= now => {
                    let push = self.pushes.remove(index);
                    self.carry_out(&push);
                }
                _ => return,
            }
        }
    }

    fn finish(&mut self, index: usize) {
        let operation = &mut self.operations[index];
        let Some(effect) = operation.effect.take() else { return };
        let (namespace_id, at) = (operation.namespace_id.clone(), operation.finishes);
        let (kind, deed) = effect.told();
        let outcome = match self.apply(&namespace_id, effect, at) {
            Ok(()) => Outcome::Succeeded,
            Err(error) => Outcome::Failed(error),
        };
        self.operations[index].outcome = outcome;
        let operation = &self.operations[index];
        if operation.outcome == Outcome::Succeeded {
            self.tell(&operation.resource_id, kind, deed, at);
        }
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
            Effect::CertificateAuthority { name, change } => {
                self.change_authority(namespace_id, &name, change, at)
            }
            Effect::CreateCredential => {
                let Self { namespaces, names, .. } = self;
                let namespace = namespaces.iter_mut().find(|n| n.id.eq_ignore_ascii_case(namespace_id));
                match namespace.and_then(|namespace| namespace.credential.as_mut()) {
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
