//! Renewals that a test asks for: at once, or as the service does them.

use time::OffsetDateTime;

use super::renewal::Target;
use super::{ActionError, World};

impl World {
    /// See [`crate::cloud::Cloud::rotate`].
    pub(crate) fn rotate(&mut self, id: &str, at: OffsetDateTime) -> Result<(), ActionError> {
        let (namespace_id, target) = self.target(id).ok_or_else(|| ActionError::not_found(id))?;
        match target {
            Target::Policy(name) => self.renew_policy(&namespace_id, &name, at),
            Target::CertificateAuthority(name) => {
                self.check_rotation(&namespace_id, &name, id)?;
                self.renew_authority(&namespace_id, &name, at)
            }
        }
    }

    /// See [`crate::cloud::Cloud::renew`].
    pub(crate) fn renew_by_service(&mut self, id: &str, at: OffsetDateTime) -> Result<(), ActionError> {
        let (namespace_id, target) = self.target(id).ok_or_else(|| ActionError::not_found(id))?;
        if let Target::CertificateAuthority(name) = &target {
            self.check_rotation(&namespace_id, name, id)?;
        }
        self.begin_renewal(&namespace_id, &target, at)
    }

    /// When the current certificate of an issuer ends.
    pub(crate) fn end_of(&self, id: &str) -> Result<OffsetDateTime, ActionError> {
        let (namespace_id, target) = self.target(id).ok_or_else(|| ActionError::not_found(id))?;
        let namespace = self.namespace(&namespace_id).ok_or_else(|| ActionError::not_found(id))?;
        let current = match &target {
            Target::Policy(name) => namespace.policy(name).and_then(|policy| policy.authority.as_ref()),
            Target::CertificateAuthority(name) => {
                namespace.certificate_authority(name).and_then(|authority| authority.authority.as_ref())
            }
        };
        current.map(|current| current.not_after()).ok_or_else(|| has_none(id))
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

    /// Makes the next issuing CA of a policy, or its next signing request where the root is the customer's own.
    pub(super) fn renew_policy(
        &mut self,
        namespace_id: &str,
        name: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let Self { namespaces, names, .. } = self;
        let namespace = namespaces.iter_mut().find(|namespace| namespace.id == namespace_id);
        let namespace = namespace.ok_or_else(|| ActionError::not_found(namespace_id))?;
        let id = namespace.policy_id(name);
        let root = namespace.credential.as_ref().and_then(|credential| credential.root.clone());
        match (root, namespace.policy_mut(name)) {
            (Some(root), Some(policy)) if policy.authority.is_some() => Ok(policy.renew(&root, names, at)?),
            _ => Err(has_none(&id)),
        }
    }

    fn check_rotation(&self, namespace_id: &str, name: &str, id: &str) -> Result<(), ActionError> {
        let found = self.namespace(namespace_id).and_then(|namespace| namespace.certificate_authority(name));
        match found {
            Some(authority) if !authority.is_issuing() => {
                Err(ActionError::conflict(format!("'{id}' is a root, which is not renewed.")))
            }
            Some(authority) if authority.authority.is_some() => Ok(()),
            _ => Err(has_none(id)),
        }
    }
}

fn has_none(id: &str) -> ActionError {
    ActionError::conflict(format!("'{id}' has no certificate yet."))
}
