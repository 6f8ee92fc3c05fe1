//! Namespaces, their credential and its policies: generation A of the device registry.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::names::Names;
use crate::cloud::pki::{Authority, PendingAuthority, PkiError};

/// When a resource was made and last written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemData {
    pub created: OffsetDateTime,
    pub modified: OffsetDateTime,
}

impl SystemData {
    pub(crate) fn new(at: OffsetDateTime) -> Self {
        Self { created: at, modified: at }
    }
}

/// A device registry namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    pub tags: Map<String, Value>,
    pub uuid: String,
    pub principal_id: String,
    pub tenant_id: String,
    pub provisioning_state: String,
    pub system_data: SystemData,
    pub credential: Option<Credential>,
}

/// The root CA of a namespace.
#[derive(Debug)]
pub(crate) struct Credential {
    /// Absent until its creation is done.
    pub root: Option<Arc<Authority>>,
    pub location: String,
    pub tags: Map<String, Value>,
    pub provisioning_state: String,
    pub system_data: SystemData,
    /// By lower-case name.
    pub policies: IndexMap<String, Policy>,
}

/// A credential policy: an issuing CA and the validity of what it issues.
#[derive(Debug)]
pub(crate) struct Policy {
    pub name: String,
    pub leaf_validity_days: u32,
    pub issuing_ca_validity_days: u32,
    pub provisioning_state: String,
    /// Shown by `2025-11-01-preview` only, where a policy is a tracked resource.
    pub location: String,
    pub tags: Map<String, Value>,
    pub bring_your_own_root: bool,
    /// The current issuing CA. Absent until creation, or activation, is done.
    pub authority: Option<Arc<Authority>>,
    /// The key and signing request that wait for activation.
    pub pending: Option<PendingAuthority>,
    pub system_data: SystemData,
}

/// Ten years, as documented for generation B; generation A does not say (`azure-wire-facts.md` §1.2).
const ROOT_VALIDITY: Duration = Duration::days(3650);

impl Namespace {
    /// The policies, in the order in which they were made.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.credential.iter().flat_map(|credential| credential.policies.values())
    }

    /// The policy of a name in any case.
    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        self.credential.as_ref()?.policies.get(&name.to_ascii_lowercase())
    }

    /// The policy of a name in any case, to be changed.
    pub(crate) fn policy_mut(&mut self, name: &str) -> Option<&mut Policy> {
        self.credential.as_mut()?.policies.get_mut(&name.to_ascii_lowercase())
    }

    /// The ARM id of the credential.
    pub(crate) fn credential_id(&self) -> String {
        format!("{}/credentials/default", self.id)
    }

    /// The ARM id of a policy.
    pub(crate) fn policy_id(&self, policy: &str) -> String {
        format!("{}/credentials/default/policies/{policy}", self.id)
    }
}

impl Credential {
    /// A credential whose root does not exist yet.
    pub(crate) fn accepted(location: String, tags: Map<String, Value>, at: OffsetDateTime) -> Self {
        Self {
            root: None,
            location,
            tags,
            provisioning_state: "Accepted".to_owned(),
            system_data: SystemData::new(at),
            policies: IndexMap::new(),
        }
    }

    /// Makes the root.
    ///
    /// # Errors
    /// When the certificate could not be made.
    pub(crate) fn complete(&mut self, names: &mut Names, at: OffsetDateTime) -> Result<(), PkiError> {
        self.root = Some(Arc::new(Authority::root(&names.hex(), at, at + ROOT_VALIDITY)?));
        self.provisioning_state = "Succeeded".to_owned();
        Ok(())
    }
}

impl Policy {
    /// Whether its issuing CA is synced to hubs and issues device certificates.
    pub(crate) fn active_authority(&self) -> Option<&Arc<Authority>> {
        self.authority.as_ref().filter(|_| self.provisioning_state == "Succeeded")
    }

    /// `bringYourOwnRoot.status` (`azure-wire-facts.md` §1.2).
    pub(crate) fn activation_status(&self) -> &'static str {
        match (&self.authority, &self.pending) {
            (None, _) => "PendingActivation",
            (Some(_), None) => "Active",
            (Some(_), Some(_)) => "ActiveButPendingRenewal",
        }
    }

    /// Makes the first or the next issuing CA; or, under the customer's own root, the next signing request.
    ///
    /// The next one's `validityNotAfter` is at least a second later than that of the one before, so that the two can
    /// be told apart by their dates to the second: all that a policy shows besides the subject.
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
        let fresh = at + Duration::days(i64::from(self.issuing_ca_validity_days));
        let not_after = match &self.authority {
            Some(old) => fresh.max(old.not_after() + Duration::SECOND),
            None => fresh,
        };
        self.authority = Some(Arc::new(root.issuing(&name, at, not_after)?));
        Ok(())
    }
}
