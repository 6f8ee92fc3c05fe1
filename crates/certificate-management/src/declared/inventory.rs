//! What there is of authorities and policies in a namespace, of either generation.

use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::generation::LinkState;
use crate::model::{Namespace, Policy, ProvisioningState};

/// What a look at a namespace saw of its authorities and policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The namespace, with its links.
    pub namespace: Namespace,
    /// The state of its credential; `None`: it has none.
    pub credential: Option<ProvisioningState>,
    /// Its certificate authorities, its root among them.
    pub authorities: Vec<Authority>,
    /// Its policies, of both generations.
    pub policies: Vec<Policy>,
}

impl Inventory {
    /// The authority of a name, in any case.
    #[must_use]
    pub fn authority(&self, name: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.name.eq_ignore_ascii_case(name))
    }

    /// Whether the namespace is linked to a hub, and no link is being made. The service pushes an authority to the hubs
    /// that are linked when it is made (`azure-wire-facts.md` §0).
    pub(super) fn links(&self) -> Links {
        let hubs = || {
            self.namespace.links.iter().filter(|link| link.resource.is_of_type("Microsoft.Devices/IotHubs"))
        };
        let stands = |state: &Option<LinkState>| matches!(state, Some(LinkState::Succeeded) | None);
        if self.namespace.links.iter().any(|link| link.state == Some(LinkState::InProgress)) {
            Links::BeingMade
        } else if hubs().any(|link| stands(&link.state)) {
            Links::Stand
        } else {
            Links::Missing
        }
    }
}

/// How far the links of a namespace are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// A hub is linked.
    Stand,
    /// A link is being made.
    BeingMade,
    /// No hub is linked.
    Missing,
}
