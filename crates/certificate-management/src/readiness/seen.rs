//! What was read of a namespace and of what is linked to it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::declared::Inventory;
use crate::generation::LinkError;
use crate::model::Namespace;
use crate::read_failure::ReadFailure;

/// The identity by which a resource calls another (`ca-lifecycle-facts.md` §4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caller {
    /// The resource's own.
    SystemAssigned,
    /// A user-assigned one, by its ARM id.
    UserAssigned(String),
}

/// The identities that a resource has, with their object ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identities {
    /// The object id of its own identity; `None`: it has none.
    pub system: Option<String>,
    /// The user-assigned ones: ARM id and object id, where that is shown.
    pub user: Vec<(String, Option<String>)>,
}

/// The object id of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal<'i> {
    /// It is this one.
    Known(&'i str),
    /// The resource does not have that identity.
    NotAttached,
    /// It has, and its object id is not shown.
    NotShown,
}

impl Identities {
    /// The object id of a caller.
    #[must_use]
    pub fn principal(&self, caller: &Caller) -> Principal<'_> {
        match caller {
            Caller::SystemAssigned => self.system.as_deref().map_or(Principal::NotAttached, Principal::Known),
            Caller::UserAssigned(id) => {
                match self.user.iter().find(|(own, _)| own.eq_ignore_ascii_case(id)) {
                    None => Principal::NotAttached,
                    Some((_, None)) => Principal::NotShown,
                    Some((_, Some(principal))) => Principal::Known(principal),
                }
            }
        }
    }
}

/// An endpoint of a namespace of the second generation: its side of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// What it leads to.
    pub resource: ArmId,
    /// The identity by which the resource calls the namespace; `None`: none is set.
    pub inbound: Option<Caller>,
}

/// The namespace as its resource shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSide {
    /// Its region.
    pub location: String,
    /// Its unique id; another one for a namespace that was deleted and made again.
    pub uuid: Option<String>,
    /// Its identities.
    pub identities: Identities,
    /// The identity by which it calls what is linked; `None`: its own.
    pub outbound: Option<Caller>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// When it was last written.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub modified_at: Option<OffsetDateTime>,
}

/// What can be linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An IoT hub.
    Hub,
    /// A Device Provisioning Service.
    ProvisioningService,
}

/// A hub or DPS as its resource shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedSide {
    /// Its region.
    pub location: String,
    /// The name of its SKU, e.g. `S1`.
    pub sku: Option<String>,
    /// Its provisioning state, e.g. `Succeeded`.
    pub provisioning_state: Option<String>,
    /// Its state, e.g. `Active`.
    pub state: Option<String>,
    /// Whether it can be reached from public networks; `None`: it does not say.
    pub is_public: Option<bool>,
    /// Its identities.
    pub identities: Identities,
    /// The identity by which it calls its namespace, as it says itself.
    pub caller: Option<Caller>,
    /// The namespace that it says it is linked to.
    pub namespace_id: Option<ArmId>,
    /// The unique id of that namespace.
    pub namespace_uuid: Option<String>,
    /// How far the link is, as it says itself.
    pub link_state: Option<String>,
    /// What is wrong with it.
    pub link_error: Option<LinkError>,
}

/// Something that is linked to the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linked {
    /// Its ARM id.
    pub id: ArmId,
    /// Its kind.
    pub kind: Kind,
    /// Itself, or why it could not be read.
    pub side: Result<LinkedSide, ReadFailure>,
    /// Of a hub: how many CA certificates it has, or why they could not be read. They are read more often than the rest, and so
    /// they are no part of its record.
    #[serde(skip)]
    pub certificates: Option<Result<usize, ReadFailure>>,
}

/// A grant as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The role: the last part of its definition's id, a GUID.
    pub role: String,
    /// Whether it holds under a condition only. Such a grant does not count.
    pub is_conditional: bool,
}

/// The grants of one principal at a scope and above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    /// The scope.
    pub scope: ArmId,
    /// The object id.
    pub principal: String,
    /// The grants, or why they could not be read.
    pub found: Result<Vec<Grant>, ReadFailure>,
}

/// Both sides of the links of a namespace, and the roles that they need: what is read for them alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sides {
    /// The namespace's resource, or why it could not be read.
    pub side: Result<NamespaceSide, ReadFailure>,
    /// What is linked to it.
    pub linked: Vec<Linked>,
    /// Grants: those that [`super::roles::needed`] asks for.
    pub grants: Vec<Grants>,
}

/// Everything that the judgement looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The namespace.
    pub namespace: Namespace,
    /// Both sides of its links.
    pub sides: Sides,
    /// Its authorities and policies, or why they could not be read.
    pub inventory: Result<Inventory, ReadFailure>,
    /// How many CA certificates a hub takes, and from how many free ones on that is told.
    pub certificate_limit: (usize, usize),
    /// The time.
    pub now: OffsetDateTime,
}
