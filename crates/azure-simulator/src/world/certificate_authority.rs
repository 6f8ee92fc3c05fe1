//! Certificate authorities of a namespace and their certificate policies: generation B (`azure-wire-facts.md` §2.4).

use std::sync::Arc;

use indexmap::IndexMap;
use time::{Duration, OffsetDateTime};

use super::credential::{Activation, ROOT_VALIDITY, next_end};
use super::names::Names;
use super::resource::{ProvisioningState, Tags, Times};
use crate::pki::{Authority, PendingAuthority, PkiError};

/// A certificate authority as a resource.
#[derive(Debug)]
pub(crate) struct CertificateAuthority {
    pub name: String,
    pub uuid: String,
    pub kind: Kind,
    pub validity_days: u32,
    pub location: String,
    pub tags: Tags,
    pub provisioning_state: ProvisioningState,
    pub times: Times,
    /// The current certificate and its key. Absent until creation, or activation, is done.
    pub authority: Option<Arc<Authority>>,
    /// Of an external one: the key and signing request that wait for activation.
    pub pending: Option<PendingAuthority>,
    /// By lower-case name.
    pub policies: IndexMap<String, CertificatePolicy>,
}

/// The kind of a certificate authority, which says who signs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Self-signed.
    Root,
    /// An issuing CA that the namespace's root signs.
    Microsoft,
    /// An issuing CA that a root of the customer's signs.
    External,
}

/// The policy for the certificates of an issuing CA.
#[derive(Debug)]
pub(crate) struct CertificatePolicy {
    pub name: String,
    pub uuid: String,
    pub validity_days: u32,
    pub provisioning_state: ProvisioningState,
    pub times: Times,
}

impl CertificateAuthority {
    /// One whose certificate does not exist yet.
    pub(crate) fn accepted(
        name: &str,
        kind: Kind,
        validity_days: u32,
        location: String,
        names: &mut Names,
        at: OffsetDateTime,
    ) -> Self {
        Self {
            name: name.to_owned(),
            uuid: names.guid(),
            kind,
            validity_days,
            location,
            tags: Tags::new(),
            provisioning_state: ProvisioningState::Accepted,
            times: Times::new(at),
            authority: None,
            pending: None,
            policies: IndexMap::new(),
        }
    }

    /// Whether it issues device certificates, and hubs get its certificate.
    pub(crate) fn is_issuing(&self) -> bool {
        self.kind != Kind::Root
    }

    /// The certificate that hubs get and device certificates come from.
    pub(crate) fn active_authority(&self) -> Option<&Arc<Authority>> {
        self.authority
            .as_ref()
            .filter(|_| self.provisioning_state == ProvisioningState::Succeeded && self.is_issuing())
    }

    /// How far an external one is.
    pub(crate) fn activation(&self) -> Activation {
        Activation::of(self.authority.as_deref(), self.pending.as_ref())
    }

    /// The policy of a name in any case.
    pub(crate) fn policy(&self, name: &str) -> Option<&CertificatePolicy> {
        self.policies.get(&name.to_ascii_lowercase())
    }

    /// Makes the first or the next certificate; or, of an external one, the next signing request.
    ///
    /// # Errors
    /// When the certificate could not be made.
    pub(crate) fn renew(
        &mut self,
        root: Option<&Authority>,
        names: &mut Names,
        at: OffsetDateTime,
    ) -> Result<(), PkiError> {
        let name = names.hex();
        match (self.kind, root) {
            (Kind::External, _) => self.pending = Some(PendingAuthority::new(&name)?),
            (Kind::Microsoft, Some(root)) => {
                let end = next_end(self.authority.as_deref(), self.validity_days, at);
                self.authority = Some(Arc::new(root.issuing(&name, at, end)?));
            }
            (Kind::Root, _) => {
                let days = Duration::days(i64::from(self.validity_days));
                self.authority = Some(Arc::new(Authority::root(&name, at, at + days)?));
            }
            // Without a root there is no signer; the write of the resource has been refused before.
            (Kind::Microsoft, None) => {}
        }
        Ok(())
    }
}

/// Ten years (`azure-wire-facts.md` §1.2).
pub(crate) fn root_validity_days() -> u32 {
    u32::try_from(ROOT_VALIDITY.whole_days()).unwrap_or(u32::MAX)
}
