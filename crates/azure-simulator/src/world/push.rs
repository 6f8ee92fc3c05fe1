//! Pushes of generation B, which has no sync: the service pushes the certificate of a new or rotated CA to the linked
//! hubs by itself (`azure-wire-facts.md` §0), over links that work.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::certificate_authority::{CertificateAuthority, Kind};
use super::hub::Origin;
use super::names::Names;
use super::{ActionError, World};
use crate::fleet::Subjects;
use crate::pki::Authority;

/// A push that is due.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub due: OffsetDateTime,
    pub namespace_id: String,
    /// Name of the certificate authority, in any case.
    pub authority: String,
}

/// The certificates that hubs get for one origin.
pub(super) type Trusted = (Origin, Vec<Arc<Authority>>);

impl World {
    /// When a push that is planned now arrives.
    pub(super) fn push_time(&self, at: OffsetDateTime) -> OffsetDateTime {
        at + Duration::seconds(i64::from(self.fleet.push_seconds))
    }

    /// Plans the push of a certificate authority, unless the fleet holds pushes back.
    pub(crate) fn plan_push(&mut self, namespace_id: &str, authority: &str, at: OffsetDateTime) {
        if self.fleet.hold_push {
            return;
        }
        let (namespace_id, authority) = (namespace_id.to_owned(), authority.to_owned());
        self.pushes.push(Push { due: self.push_time(at), namespace_id, authority });
    }

    /// Gives the certificates to the hubs that can be reached.
    pub(crate) fn carry_out(&mut self, push: &Push) {
        let Some(namespace) = self.namespace(&push.namespace_id) else { return };
        let Some(authority) = namespace.certificate_authority(&push.authority) else { return };
        let trusted = authority.trusted_authorities();
        if !trusted.is_empty() {
            let origin = Origin::CertificateAuthority(namespace.certificate_authority_id(&authority.name));
            self.push_to_hubs(&push.namespace_id, &[(origin, trusted)], push.due);
        }
    }

    /// Gives every hub that can be reached from the namespace these CAs.
    pub(super) fn push_to_hubs(&mut self, namespace_id: &str, trusted: &[Trusted], at: OffsetDateTime) {
        let Self { hubs, names, .. } = self;
        for hub in hubs.iter_mut().filter(|hub| hub.is_reached_from(namespace_id)) {
            for (origin, authorities) in trusted {
                hub.push(origin, authorities, names, at);
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
        let (root, authority, common_name) = self.for_renewal(namespace_id, name)?;
        let pushes = authority.kind == Kind::Microsoft;
        authority.renew(root.as_deref(), &common_name, at)?;
        if pushes {
            self.plan_push(namespace_id, name, at);
        }
        Ok(())
    }

    /// The parts that a renewal needs: the root of the namespace, the CA, and the common name of what comes next.
    pub(super) fn for_renewal(
        &mut self,
        namespace_id: &str,
        name: &str,
    ) -> Result<(Option<Arc<Authority>>, &mut CertificateAuthority, String), ActionError> {
        let Self { namespaces, names, fleet, .. } = self;
        let namespace = namespaces.iter_mut().find(|one| one.id.eq_ignore_ascii_case(namespace_id));
        let namespace = namespace.ok_or_else(|| ActionError::not_found(namespace_id))?;
        let root = namespace.root().map(Arc::clone);
        let authority =
            namespace.certificate_authority_mut(name).ok_or_else(|| ActionError::not_found(name))?;
        if authority.kind == Kind::Microsoft && root.is_none() {
            return Err(ActionError::conflict("The namespace has no root certificate authority."));
        }
        let common_name = common_name(fleet.lifecycle.subjects, &authority.name, names);
        Ok((root, authority, common_name))
    }
}

/// The common name of the next certificate of a CA.
pub(super) fn common_name(subjects: Subjects, authority: &str, names: &mut Names) -> String {
    // Drawn in either case, so that the names of a seed do not depend on the choice.
    let made_up = names.hex();
    match subjects {
        Subjects::MadeUp => made_up,
        Subjects::Name => authority.to_owned(),
    }
}
