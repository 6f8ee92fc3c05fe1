//! Provisioning services and their enrollment groups.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::link::Link;
use super::resource::{Tags, Verbatim};

/// A device provisioning service.
pub(crate) struct ProvisioningService {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    /// The link to a namespace, in whatever state.
    pub link: Option<Link>,
    /// Its data plane does not know the namespace, until a client writes the resource.
    pub is_unaware: bool,
    /// When its roles on the namespace have replicated.
    pub roles_replicated: OffsetDateTime,
    pub identity_id: String,
    pub tags: Tags,
    /// Host names of the linked hubs.
    pub hubs: Vec<String>,
    pub id_scope: String,
    /// By lower-case id.
    pub groups: BTreeMap<String, EnrollmentGroup>,
    /// The last registration of each device, by registration id.
    pub registrations: BTreeMap<String, Registration>,
}

/// An enrollment group: the members that the world needs, and the whole as it was written. No `Debug`: it holds keys.
pub(crate) struct EnrollmentGroup {
    pub id: String,
    /// The assigned policy.
    pub policy: Option<PolicyReference>,
    /// The group keys, base64; none unless its devices prove themselves with a symmetric key.
    pub symmetric_keys: Vec<String>,
    /// Whether its devices may register.
    pub is_enabled: bool,
    /// Whether a function of the customer's chooses the hub of each device.
    pub is_custom_allocated: bool,
    /// Host names of its hubs; empty: all hubs of the service.
    pub hubs: Vec<String>,
    /// Everything that was written, symmetric keys included.
    pub written: Verbatim,
    pub etag: String,
    pub created: OffsetDateTime,
    pub updated: OffsetDateTime,
}

/// How a group names its policy (`azure-wire-facts.md` §0, §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PolicyReference {
    /// A credential policy of the namespace that the service is linked to.
    Credential(String),
    /// A certificate policy of an issuing CA.
    Certificate { namespace: String, authority: String, policy: String },
}

/// The last registration of a device.
pub(crate) struct Registration {
    pub operation_id: String,
    pub finishes: OffsetDateTime,
    /// Id of the group that it registered with.
    pub group: String,
    /// When the device registered first.
    pub created: OffsetDateTime,
    pub updated: OffsetDateTime,
    pub etag: String,
    /// What the device sent along; it gets that back.
    pub payload: Option<Verbatim>,
    pub assignment: Assignment,
}

/// The outcome of a registration.
#[derive(Debug)]
pub(crate) enum Assignment {
    /// The device has a hub, and a certificate when it asked for one: the chain, DER, its own first.
    Assigned { hub: String, chain: Vec<Vec<u8>> },
    /// No authority can sign the certificate that it asked for; in words for a person.
    Unsigned(String),
}

impl ProvisioningService {
    /// Whether it is linked to this namespace.
    pub(crate) fn is_linked_to(&self, namespace_id: &str) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_listed() && link.is_to(namespace_id))
    }

    /// The group of an id, in any case.
    pub(crate) fn group(&self, id: &str) -> Option<&EnrollmentGroup> {
        self.groups.get(&id.to_ascii_lowercase())
    }
}
