//! Pushes of generation B, which has no sync: the service pushes the certificate of a new or rotated CA to the linked
//! hubs by itself (`azure-wire-facts.md` §0), over links that work.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::certificate_authority::Kind;
use super::hub::Origin;
use super::{ActionError, World};
use crate::pki::Authority;

/// A push that is due.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub due: OffsetDateTime,
    pub namespace_id: String,
    /// Name of the certificate authority, in any case.
    pub authority: String,
}

impl World {
    /// Plans the push of a certificate authority, unless the fleet holds pushes back.
    pub(crate) fn plan_push(&mut self, namespace_id: &str, authority: &str, at: OffsetDateTime) {
        if self.fleet.hold_push {
            return;
        }
        self.pushes.push(Push {
            due: at + Duration::seconds(i64::from(self.fleet.push_seconds)),
            namespace_id: namespace_id.to_owned(),
            authority: authority.to_owned(),
        });
    }

    /// Gives the current certificate to the hubs that can be reached.
    pub(crate) fn carry_out(&mut self, push: &Push) {
        let Some(namespace) = self.namespace(&push.namespace_id) else { return };
        let Some(authority) = namespace.certificate_authority(&push.authority) else { return };
        let Some(current) = authority.active_authority() else { return };
        let origin = Origin::CertificateAuthority(namespace.certificate_authority_id(&authority.name));
        let current = [(origin, Arc::clone(current))];
        self.push_to_hubs(&push.namespace_id, &current, push.due);
    }

    /// Gives every hub that can be reached from the namespace these CAs.
    pub(super) fn push_to_hubs(
        &mut self,
        namespace_id: &str,
        current: &[(Origin, Arc<Authority>)],
        at: OffsetDateTime,
    ) {
        let Self { hubs, names, .. } = self;
        for hub in hubs.iter_mut().filter(|hub| hub.is_reached_from(namespace_id)) {
            for (origin, authority) in current {
                hub.push(origin, authority, names, at);
            }
        }
    }

    /// Makes the next certificate of a CA and plans its push; for an external CA, makes the next signing request.
    pub(crate) fn renew_authority(
        &mut self,
        namespace_id: &str,
        name: &str,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let Self { namespaces, names, .. } = self;
        let namespace = namespaces.iter_mut().find(|one| one.id.eq_ignore_ascii_case(namespace_id));
        let namespace = namespace.ok_or_else(|| ActionError::not_found(namespace_id))?;
        let mut others = namespace.certificate_authorities.values();
        let root = others.find(|one| one.kind == Kind::Root).and_then(|root| root.authority.clone());
        let authority =
            namespace.certificate_authority_mut(name).ok_or_else(|| ActionError::not_found(name))?;
        if authority.kind == Kind::Microsoft && root.is_none() {
            return Err(ActionError::conflict("The namespace has no root certificate authority."));
        }
        let pushes = authority.kind == Kind::Microsoft;
        authority.renew(root.as_deref(), names, at)?;
        if pushes {
            self.plan_push(namespace_id, name, at);
        }
        Ok(())
    }
}
