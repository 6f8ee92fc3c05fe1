//! IoT hubs and the CA certificates that a sync leaves on them.

use std::sync::Arc;

use time::OffsetDateTime;

use super::link::Link;
use super::names::Names;
use super::resource::Tags;
use crate::pki::{self, Authority};

/// An IoT hub.
#[derive(Debug)]
pub(crate) struct Hub {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    /// The link to a namespace, in whatever state.
    pub link: Option<Link>,
    /// The namespace's identity lacks its role here, so that no certificate arrives.
    pub lacks_role: bool,
    pub identity_id: String,
    pub tags: Tags,
    pub etag: String,
    pub certificates: Vec<HubCertificate>,
}

/// A CA certificate on a hub.
#[derive(Debug, Clone)]
pub(crate) struct HubCertificate {
    /// Made up by the service; another one after each rotation (`azure-wire-facts.md` §2.2).
    pub name: String,
    pub origin: Origin,
    pub der: Vec<u8>,
    pub subject: String,
    pub expiry: OffsetDateTime,
    pub thumbprint: String,
    pub created: OffsetDateTime,
    pub etag: String,
}

/// Where a CA certificate on a hub comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A credential policy, by its ARM id.
    Policy(String),
    /// A certificate authority, by its ARM id.
    CertificateAuthority(String),
}

impl Origin {
    /// The ARM id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Policy(id) | Self::CertificateAuthority(id) => id,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.id().eq_ignore_ascii_case(other.id())
    }
}

impl Hub {
    /// Whether the certificates of a namespace arrive here.
    pub(crate) fn is_reached_from(&self, namespace_id: &str) -> bool {
        !self.lacks_role && self.link.as_ref().is_some_and(|link| link.is_to(namespace_id) && link.works())
    }

    /// The host name that devices connect to.
    pub(crate) fn host_name(&self) -> String {
        format!("{}.azure-devices.net", self.name)
    }

    /// Makes this hub trust exactly `authorities` for their origin. An unchanged certificate stays as it is; every other
    /// one of the same origin goes, and a new one gets a new name (`azure-wire-facts.md` §1.4).
    pub(crate) fn push(
        &mut self,
        origin: &Origin,
        authorities: &[Arc<Authority>],
        names: &mut Names,
        at: OffsetDateTime,
    ) {
        self.certificates.retain(|certificate| {
            !certificate.origin.is(origin) || authorities.iter().any(|one| certificate.der == one.der())
        });
        for authority in authorities {
            let is_this = |one: &HubCertificate| one.origin.is(origin) && one.der == authority.der();
            if self.certificates.iter().any(is_this) {
                continue;
            }
            self.certificates.push(HubCertificate {
                name: names.guid(),
                origin: origin.clone(),
                der: authority.der().to_vec(),
                subject: authority.subject(),
                expiry: authority.not_after(),
                thumbprint: pki::sha1_thumbprint(authority.der()),
                created: at,
                etag: names.hub_etag(),
            });
        }
    }
}
