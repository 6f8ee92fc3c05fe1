//! The credential of a namespace and its policies: generation A.

use std::sync::Arc;

use indexmap::IndexMap;
use time::{Duration, OffsetDateTime};

use super::names::Names;
use super::resource::{ProvisioningState, Tags, Times};
use crate::pki::{Authority, PendingAuthority, PkiError};

/// The root CA of a namespace.
#[derive(Debug)]
pub(crate) struct Credential {
    /// Absent until its creation is done.
    pub root: Option<Arc<Authority>>,
    pub location: String,
    pub tags: Tags,
    pub provisioning_state: ProvisioningState,
    pub times: Times,
    /// By lower-case name.
    pub policies: IndexMap<String, Policy>,
}

/// A credential policy: an issuing CA and the validity of what it issues.
#[derive(Debug)]
pub(crate) struct Policy {
    pub name: String,
    pub leaf_validity_days: u32,
    pub issuing_ca_validity_days: u32,
    pub provisioning_state: ProvisioningState,
    /// Shown by `2025-11-01-preview` only, where a policy is a tracked resource.
    pub location: String,
    pub tags: Tags,
    pub bring_your_own_root: bool,
    /// The current issuing CA. Absent until creation, or activation, is done.
    pub authority: Option<Arc<Authority>>,
    /// The key and signing request that wait for activation.
    pub pending: Option<PendingAuthority>,
    pub times: Times,
}

/// Ten years, as documented for generation B; generation A does not say (`azure-wire-facts.md` §1.2).
pub(super) const ROOT_VALIDITY: Duration = Duration::days(3650);

impl Credential {
    /// A credential whose root does not exist yet.
    pub(crate) fn accepted(location: String, tags: Tags, at: OffsetDateTime) -> Self {
        Self {
            root: None,
            location,
            tags,
            provisioning_state: ProvisioningState::Accepted,
            times: Times::new(at),
            policies: IndexMap::new(),
        }
    }

    /// Makes the root.
    ///
    /// # Errors
    /// When the certificate could not be made.
    pub(crate) fn complete(&mut self, names: &mut Names, at: OffsetDateTime) -> Result<(), PkiError> {
        self.root = Some(Arc::new(Authority::root(&names.hex(), at, at + ROOT_VALIDITY)?));
        self.provisioning_state = ProvisioningState::Succeeded;
        Ok(())
    }
}

impl Policy {
    /// Whether its issuing CA is synced to hubs and issues device certificates.
    pub(crate) fn active_authority(&self) -> Option<&Arc<Authority>> {
        self.authority.as_ref().filter(|_| self.provisioning_state == ProvisioningState::Succeeded)
    }

    /// How far one under the customer's own root is.
    pub(crate) fn activation(&self) -> Activation {
        Activation::of(self.authority.as_deref(), self.pending.as_ref())
    }

    /// Makes the first or the next issuing CA; or, under the customer's own root, the next signing request.
    ///
    /// # Errors
    /// When a certificate could not be made.
    pub(crate) fn renew(
        &mut self,
        root: &Authority,
        names: &mut Names,
        at: OffsetDateTime,
    ) -> Result<(), PkiError> {
        let name = names.hex();
        if self.bring_your_own_root {
            self.pending = Some(PendingAuthority::new(&name)?);
            return Ok(());
        }
        let not_after = next_end(self.authority.as_deref(), self.issuing_ca_validity_days, at);
        self.authority = Some(Arc::new(root.issuing(&name, at, not_after)?));
        Ok(())
    }
}

/// Until when the CA that follows `old` is valid: `days` from now, and at least a second longer than `old`, so that
/// the two can be told apart by their dates to the second, which is all that their resources show besides the subject.
pub(super) fn next_end(old: Option<&Authority>, days: u32, at: OffsetDateTime) -> OffsetDateTime {
    let fresh = at + Duration::days(i64::from(days));
    old.map_or(fresh, |old| fresh.max(old.not_after() + Duration::SECOND))
}

/// The state of a CA whose signer is the customer's own root (`azure-wire-facts.md` §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// It waits for its first certificate.
    Pending,
    Active,
    /// It waits for its next certificate.
    PendingRenewal,
}

impl Activation {
    pub(super) fn of(authority: Option<&Authority>, pending: Option<&PendingAuthority>) -> Self {
        match (authority, pending) {
            (None, _) => Self::Pending,
            (Some(_), None) => Self::Active,
            (Some(_), Some(_)) => Self::PendingRenewal,
        }
    }
}
