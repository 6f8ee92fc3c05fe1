//! IoT hubs and the CA certificates that a sync leaves on them.

use time::OffsetDateTime;

use super::names::Names;
use crate::cloud::pki::{self, Authority};

/// An IoT hub.
#[derive(Debug)]
pub(crate) struct Hub {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    /// The linked namespace.
    pub namespace_id: Option<String>,
    pub identity_id: String,
    pub etag: String,
    pub certificates: Vec<HubCertificate>,
}

/// A CA certificate on a hub.
#[derive(Debug, Clone)]
pub(crate) struct HubCertificate {
    /// Made up by the service; another one after each rotation (`azure-wire-facts.md` §2.2).
    pub name: String,
    pub policy_id: String,
    pub der: Vec<u8>,
    pub subject: String,
    pub expiry: OffsetDateTime,
    pub thumbprint: String,
    pub created: OffsetDateTime,
    pub etag: String,
}

impl Hub {
    /// The host name that devices connect to.
    pub(crate) fn host_name(&self) -> String {
        format!("{}.azure-devices.net", self.name)
    }

    /// Makes this hub trust exactly `authority` for a policy. An unchanged certificate stays as it is; another one of
    /// the policy goes, and the new one gets a new name (`azure-wire-facts.md` §1.4).
    pub(crate) fn push(
        &mut self,
        policy_id: &str,
        authority: &Authority,
        names: &mut Names,
        at: OffsetDateTime,
    ) {
        let of_policy = |certificate: &HubCertificate| certificate.policy_id.eq_ignore_ascii_case(policy_id);
        self.certificates.retain(|certificate| !of_policy(certificate) || certificate.der == authority.der());
        if self.certificates.iter().any(of_policy) {
            return;
        }
        self.certificates.push(HubCertificate {
            name: names.guid(),
            policy_id: policy_id.to_owned(),
            der: authority.der().to_vec(),
            subject: authority.subject(),
            expiry: authority.not_after(),
            thumbprint: pki::sha1_thumbprint(authority.der()),
            created: at,
            etag: names.hub_etag(),
        });
    }
}
