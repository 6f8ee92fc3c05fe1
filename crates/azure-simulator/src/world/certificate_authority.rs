//! Certificate authorities of a namespace and their certificate policies: generation B (`azure-wire-facts.md` §2.4).

use std::sync::Arc;

use indexmap::IndexMap;
use time::OffsetDateTime;

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
    /// The next certificate, while the service renews the CA.
    pub arriving: Option<Arriving>,
    /// The certificate before, which hubs trust until it ends.
    pub leaving: Option<Arc<Authority>>,
    /// Of an external one: the key and signing request that wait for activation.
    pub pending: Option<PendingAuthority>,
    /// By lower-case name.
    pub policies: IndexMap<String, CertificatePolicy>,
}

/// The next certificate of a CA, on its way to the hubs.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub authority: Arc<Authority>,
    /// When it takes the place of the current one.
    pub at: OffsetDateTime,
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
            arriving: None,
            leaving: None,
            pending: None,
            policies: IndexMap::new(),
        }
    }

    /// Whether it issues device certificates, and hubs get its certificate.
    pub(crate) fn is_issuing(&self) -> bool {
        self.kind != Kind::Root
    }

    /// The certificate that device certificates come from.
    pub(crate) fn active_authority(&self) -> Option<&Arc<Authority>> {
        self.authority
            .as_ref()
            .filter(|_| self.provisioning_state == ProvisioningState::Succeeded && self.is_issuing())
    }

    /// The certificates that hubs get: the current one, and during a renewal both.
    pub(crate) fn trusted_authorities(&self) -> Vec<Arc<Authority>> {
        let next = self.arriving.as_ref().map(|arriving| &arriving.authority);
        let current = self.active_authority().into_iter();
        let all = current.flat_map(|current| [Some(current), next, self.leaving.as_ref()]);
        all.flatten().map(Arc::clone).collect()
    }

    /// How far an external one is.
    pub(crate) fn activation(&self) -> Activation {
        Activation::of(self.authority.as_deref(), self.pending.as_ref())
    }

    /// The policy of a name in any case.
    pub(crate) fn policy(&self, name: &str) -> Option<&CertificatePolicy> {
        self.policies.get(&name.to_ascii_lowercase())
    }

    /// Puts the first or the next certificate in place of the current one, which hubs then lose; or, of an external CA,
    /// makes the next signing request.
    ///
    /// # Errors
    /// When the certificate could not be made.
    pub(crate) fn renew(
        &mut self,
        root: Option<&Authority>,
        common_name: &str,
        at: OffsetDateTime,
    ) -> Result<(), PkiError> {
        match self.next(root, common_name, at)? {
            Some(next) => {
                self.authority = Some(Arc::new(next));
                (self.arriving, self.leaving) = (None, None);
            }
            None if self.kind == Kind::External => self.pending = Some(PendingAuthority::new(common_name)?),
            None => {}
        }
        Ok(())
    }

    /// The next certificate, for a CA whose signer is known here.
    pub(super) fn next(
        &self,
        root: Option<&Authority>,
        common_name: &str,
        at: OffsetDateTime,
    ) -> Result<Option<Authority>, PkiError> {
        let end = next_end(self.authority.as_deref(), self.validity_days, at);
        match (self.kind, root) {
            (Kind::Microsoft, Some(root)) => root.issuing(common_name, at, end).map(Some),
            (Kind::Root, _) => Authority::root(common_name, at, end).map(Some),
            // Without a root there is no signer; the write of the resource has been refused before.
            (Kind::External, _) | (Kind::Microsoft, None) => Ok(None),
        }
    }
}

/// Ten years (`azure-wire-facts.md` §1.2).
pub(crate) fn root_validity_days() -> u32 {
    u32::try_from(ROOT_VALIDITY.whole_days()).unwrap_or(u32::MAX)
}
