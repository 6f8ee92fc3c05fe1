//! Enrollment groups in the report: every one is counted, the first of each kind are listed, since a DPS has 200 and a
//! page has readers. `policysync plan` and `explain` show the rest.

use serde::{Deserialize, Serialize};

use crate::facts::{GroupFacts, Standing};
use crate::reason::Reason;

/// How many groups of one kind, in one DPS, are listed.
pub const LISTED: usize = 25;

/// The enrollment groups of one DPS. Each is in exactly one list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentGroups {
    /// How many there are.
    pub total: usize,
    /// Those that name a policy of the namespace, by policy, in the order of the names.
    pub by_policy: Vec<PolicyGroups>,
    /// Those without a policy that should have one.
    pub unassigned: GroupList,
    /// Those that get their policy, or another one than they name, when hubs trust it or when it is active.
    pub waiting: GroupList,
    /// Those that name a policy which the namespace does not have.
    pub dangling: GroupList,
    /// Those without a policy that should have none: by a tag of their own, or by a rule.
    pub opted_out: GroupList,
}

/// The groups that name one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyGroups {
    /// Name of the policy.
    pub policy: String,
    /// The groups.
    #[serde(flatten)]
    pub groups: GroupList,
}

/// Groups of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupList {
    /// How many there are.
    pub count: usize,
    /// The first [`LISTED`] of them.
    pub listed: Vec<EnrollmentGroupEntry>,
}

/// One enrollment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentGroupEntry {
    /// Its id.
    pub id: String,
    /// The policy that it names.
    pub policy: Option<String>,
    /// Where it stands: `already-assigned`, `waiting-for-trust` and so on.
    pub status: Reason,
}

impl EnrollmentGroups {
    /// Sorts groups into lists.
    #[must_use]
    pub fn of(groups: &[GroupFacts<'_>]) -> Self {
        let mut sorted = Self { total: groups.len(), ..Self::default() };
        for group in groups {
            sorted.list_of(group).add(group);
        }
        sorted.by_policy.sort_by(|a, b| a.policy.cmp(&b.policy));
        sorted
    }

    /// Every group that is listed, of whatever kind.
    pub fn listed(&self) -> impl Iterator<Item = &EnrollmentGroupEntry> {
        let by_policy = self.by_policy.iter().map(|policy| &policy.groups);
        let lists = by_policy.chain([&self.unassigned, &self.waiting, &self.dangling, &self.opted_out]);
        lists.flat_map(|list| &list.listed)
    }

    /// How many name a policy of the namespace.
    #[must_use]
    pub fn assigned(&self) -> usize {
        self.by_policy.iter().map(|policy| policy.groups.count).sum()
    }

    fn list_of(&mut self, group: &GroupFacts<'_>) -> &mut GroupList {
        match (group.standing(), &group.policy) {
            (Standing::Assigned, Some(policy)) => {
                let found = self.by_policy.iter().position(|known| known.policy == policy.name);
                let at = found.unwrap_or_else(|| {
                    self.by_policy
                        .push(PolicyGroups { policy: policy.name.clone(), ..PolicyGroups::default() });
                    self.by_policy.len() - 1
                });
                &mut self.by_policy[at].groups
            }
            (Standing::Dangling, _) => &mut self.dangling,
            (Standing::OptedOut, _) => &mut self.opted_out,
            (Standing::Waiting, _) => &mut self.waiting,
            (Standing::Assigned | Standing::Unassigned, _) => &mut self.unassigned,
        }
    }
}

impl GroupList {
    fn add(&mut self, group: &GroupFacts<'_>) {
        self.count += 1;
        if self.listed.len() < LISTED {
            self.listed.push(EnrollmentGroupEntry {
                id: group.group.id.clone(),
                policy: group.group.policy.clone(),
                status: group.status(),
            });
        }
    }
}
