//! What is kept of enrollment groups by name, so that a later report can tell which of them changed.

use serde::{Deserialize, Serialize};

use crate::facts::NamespaceFacts;
use crate::finding_subject::name_of_service;
use crate::reason::Reason;
use crate::reference;

/// How many groups of a report are kept by name. A namespace whose groups have no room is kept by its counts.
pub(super) const KEPT: usize = 4_000;
/// How much of a name is kept, in characters.
const KEPT_OF_NAME: usize = 96;

/// What is kept of a group: in the record a list of three, since there are many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(String, Reason, Option<String>)", into = "(String, Reason, Option<String>)")]
pub struct KnownGroup {
    /// Its DPS and its id, as `dps/group`.
    pub name: String,
    /// Where it stands.
    pub standing: GroupStanding,
}

/// Where a group stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupStanding {
    /// `already-assigned`, `waiting-for-trust` and so on.
    pub status: Reason,
    /// The policy that it names, as people of its namespace write it.
    pub policy: Option<String>,
}

impl From<(String, Reason, Option<String>)> for KnownGroup {
    fn from((name, status, policy): (String, Reason, Option<String>)) -> Self {
        Self { name, standing: GroupStanding { status, policy } }
    }
}

impl From<KnownGroup> for (String, Reason, Option<String>) {
    fn from(group: KnownGroup) -> Self {
        (group.name, group.standing.status, group.standing.policy)
    }
}

/// The groups of a namespace; `None`: not every one of them could be read, or there is no room for all of them.
pub(super) fn of(namespace: &NamespaceFacts<'_>, room: usize) -> Option<Vec<KnownGroup>> {
    let observation = namespace.observation.as_ref().ok().filter(|_| namespace.services_unread.is_none())?;
    let name_of_namespace = observation.namespace.id.name();
    let mut known = Vec::new();
    for service in &namespace.provisioning_services {
        let groups = service.groups.as_ref().ok()?;
        if known.len() + groups.len() > room {
            return None;
        }
        let service = name_of_service(service.endpoint);
        known.extend(groups.iter().map(|group| {
            let policy = group.group.policy.as_deref();
            let policy = policy.map(|policy| beginning(reference::shown(policy, name_of_namespace)));
            KnownGroup {
                name: beginning(&format!("{service}/{}", group.group.id)),
                standing: GroupStanding { status: group.status(), policy },
            }
        }));
    }
    Some(known)
}

fn beginning(text: &str) -> String {
    text.chars().take(KEPT_OF_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_that_is_kept_together_is_a_third_of_a_megabyte() {
        let group = |number: usize| KnownGroup {
            name: format!("contoso-plants-dps-west-europe/assembly-line-{number:05}"),
            standing: GroupStanding {
                status: Reason::AlreadyAssigned,
                policy: Some("lines-ica/short-lived".to_owned()),
            },
        };
        let all: Vec<KnownGroup> = (0..KEPT).map(group).collect();
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.len() < 420_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Vec<KnownGroup>>(&text).unwrap(), all);
    }
}
