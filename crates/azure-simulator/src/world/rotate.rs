//! Renewals that the service does by itself.

use time::OffsetDateTime;

use super::{ActionError, World};

/// The target of an ARM id.
enum Target {
    /// A credential policy, by its name.
    Policy(String),
    /// A certificate authority, by its name: named itself, or by one of its policies.
    CertificateAuthority(String),
}

impl World {
    /// See [`super::World::rotate`].
    pub(crate) fn rotate(&mut self, id: &str, at: OffsetDateTime) -> Result<(), ActionError> {
        let (namespace_id, target) = self.target(id).ok_or_else(|| ActionError::not_found(id))?;
        match target {
            Target::Policy(name) => self.rotate_policy(&namespace_id, &name, id, at),
            Target::CertificateAuthority(name) => self.rotate_authority(&namespace_id, &name, id, at),
        }
    }

    fn target(&self, id: &str) -> Option<(String, Target)> {
        self.namespaces.iter().find_map(|namespace| {
            let policy = namespace
                .policies()
                .find(|policy| namespace.policy_id(&policy.name).eq_ignore_ascii_case(id))
                .map(|policy| Target::Policy(policy.name.clone()));
            let authority = || {
                let own_id = |name: &str| namespace.certificate_authority_id(name);
                let mut authorities = namespace.certificate_authorities.values();
                let found = authorities.find(|authority| {
                    let mut policies = authority.policies.values();
                    own_id(&authority.name).eq_ignore_ascii_case(id)
                        || policies.any(|policy| {
                            let policy_id = namespace.certificate_policy_id(&authority.name, &policy.name);
                            policy_id.eq_ignore_ascii_case(id)
                        })
                });
                found.map(|authority| Target::CertificateAuthority(authority.name.clone()))
            };
            Some((namespace.id.clone(), policy.or_else(authority)?))
        })
    }

    fn rotate_policy(
        &mut self,
        namespace_id: &str,
        name: &str,
        id: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let Self { namespaces, names, .. } = self;
        let namespace = namespaces.iter_mut().find(|namespace| namespace.id == namespace_id);
        let namespace = namespace.ok_or_else(|| ActionError::not_found(namespace_id))?;
        let root = namespace.credential.as_ref().and_then(|credential| credential.root.clone());
        match (root, namespace.policy_mut(name)) {
            (Some(root), Some(policy)) if policy.authority.is_some() => Ok(policy.renew(&root, names, at)?),
            _ => Err(ActionError::conflict(format!("The policy '{id}' has no issuing CA yet."))),
        }
    }

    fn rotate_authority(
        &mut self,
        namespace_id: &str,
        name: &str,
        id: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let found = self.namespace(namespace_id).and_then(|namespace| namespace.certificate_authority(name));
        match found {
            Some(authority) if !authority.is_issuing() => {
                return Err(ActionError::conflict(format!("'{id}' is a root, which is not renewed.")));
            }
            Some(authority) if authority.authority.is_some() => {}
            _ => {
                let problem = format!("The certificate authority '{id}' has no certificate yet.");
                return Err(ActionError::conflict(problem));
            }
        }
        self.renew_authority(namespace_id, name, at)
    }
}
