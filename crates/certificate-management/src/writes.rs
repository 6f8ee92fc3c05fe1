//! Writes in the report: the runs that wrote last, and the groups that are held.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::attribution::Attribution;
use crate::hold::GroupHolds;

/// How many runs are listed.
pub const LISTED: usize = 20;
/// How many held groups are listed.
pub const MOST_HELD: usize = 200;

/// One run that wrote, or was about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEntry {
    /// Its id, by which `policysync runs show` and `assign --revert` know it.
    pub run: String,
    /// The function and its invocation, or the command and its person.
    pub woken_by: String,
    /// Who it was, why, and by which plan; without the plan where its writes had one each.
    #[serde(default)]
    pub attribution: Attribution,
    /// How many enrollment groups.
    pub assignments: usize,
    /// How many authorities and policies.
    pub declared: usize,
    /// When it began to write.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A group that is not written for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldGroup {
    /// Name of the namespace.
    pub namespace: String,
    /// The name of the DPS.
    pub provisioning_service: String,
    /// Id of the group.
    pub enrollment_group: String,
    /// Since when, by whom and why, as a sentence.
    pub why: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl HeldGroup {
    /// The groups of these that are held.
    #[must_use]
    pub fn all(holds: &[GroupHolds]) -> Vec<Self> {
        let held = holds.iter().filter_map(|holds| {
            let hold = holds.in_force()?;
            Some(Self {
                namespace: holds.namespace_id.name().to_owned(),
                provisioning_service: holds.provisioning_service.clone(),
                enrollment_group: holds.enrollment_group.clone(),
                why: hold.why(),
                since: hold.at,
            })
        });
        held.take(MOST_HELD).collect()
    }
}
