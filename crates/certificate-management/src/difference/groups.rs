//! What becomes of enrollment groups.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use crate::ArmId;
use crate::configuration::Mode;
use crate::model::EnrollmentGroup;
use crate::plan::saved::{Place, PlannedAssignment, SavedPlan};
use crate::plan::{Observation, plan_assignment};
use crate::reason::Reason;

/// A group with what one version of the configuration does to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFate {
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// Name of its DPS.
    pub provisioning_service: String,
    /// Its id.
    pub enrollment_group: String,
    /// The policy that it names.
    pub has: Option<String>,
    /// Whether functions write to its namespace under the version.
    pub mode: Mode,
    /// What the version does to it.
    pub fate: Fate,
}

/// What one version of the configuration does to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is given a policy.
    Written {
        /// The policy; `None`: none any more.
        to: Option<String>,
        /// By what, e.g. ``rule `lines` ``.
        rule: String,
    },
    /// It is as it should be, and is kept so.
    Kept,
    /// It is left alone.
    LeftAlone {
        /// Why.
        reason: Reason,
    },
}

/// A change for a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupEffect {
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// Name of its DPS.
    pub provisioning_service: String,
    /// Its id.
    pub enrollment_group: String,
    /// The policy that it has.
    pub has: Option<String>,
    /// What changes.
    pub change: GroupChange,
    /// The policy that the new version gives it, where it gives one.
    pub to: Option<String>,
    /// By what, or why not, in words.
    pub why: String,
}

/// What changes for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupChange {
    /// It would get another policy than it has.
    ChangesPolicy,
    /// It has no policy, and would get one.
    NewlyAssigned,
    /// It waits for a policy that it would not get any more.
    NotAssignedAnyMore,
    /// It keeps the policy that it has, and the rules do not care for it any more.
    NotTouchedAnyMore,
    /// It has the policy that the rules now want.
    NewlyCaredFor,
}

impl GroupChange {
    /// As words of a table.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::ChangesPolicy => "changes policy",
            Self::NewlyAssigned => "newly assigned",
            Self::NotAssignedAnyMore => "not assigned any more",
            Self::NotTouchedAnyMore => "not touched any more",
            Self::NewlyCaredFor => "newly cared for",
        }
    }
}

impl GroupFate {
    /// What the configuration of a place does to a group, by the plan that the app makes of it.
    #[must_use]
    pub fn of(place: Place<'_>, group: &EnrollmentGroup, observation: &Observation) -> Self {
        let mut plan = SavedPlan::empty("", OffsetDateTime::UNIX_EPOCH);
        plan.add_by_rules(place, group, observation);
        let left_alone = |entry: PlannedAssignment| Fate::LeftAlone { reason: entry.reason };
        // A plan does not tell a group that has what the rules want from one that the rules want nothing of.
        let as_it_should_be =
            || match plan_assignment(group, place.hubs, place.configuration, observation).reason {
                Reason::AlreadyAssigned => Fate::Kept,
                reason => Fate::LeftAlone { reason },
            };
        let written = plan.assignments.pop().map(|entry| Fate::Written { to: entry.after, rule: entry.rule });
        Self {
            namespace_id: place.configuration.id.clone(),
            provisioning_service: place.provisioning_service.to_owned(),
            enrollment_group: group.id.clone(),
            has: group.policy.clone(),
            mode: place.configuration.mode,
            fate: written.or_else(|| plan.left_alone.pop().map(left_alone)).unwrap_or_else(as_it_should_be),
        }
    }

    fn key(&self) -> (String, String) {
        (self.provisioning_service.to_ascii_lowercase(), self.enrollment_group.to_ascii_lowercase())
    }
}

/// The changes, the kind that matters most first. Where not everything was read, a group that only one version finds may be one that the
/// other could not read, so nothing is said of it.
pub(super) fn effects(before: &[GroupFate], after: &[GroupFate], is_whole: bool) -> Vec<GroupEffect> {
    let mut pairs: BTreeMap<_, (Option<&GroupFate>, Option<&GroupFate>)> = BTreeMap::new();
    for fate in before {
        pairs.entry(fate.key()).or_default().0 = Some(fate);
    }
    for fate in after {
        pairs.entry(fate.key()).or_default().1 = Some(fate);
    }
    let told =
        pairs.into_values().filter(|(before, after)| is_whole || (before.is_some() && after.is_some()));
    let mut found: Vec<GroupEffect> = told.filter_map(|(before, after)| effect(before, after)).collect();
    found.sort_by_key(|effect| effect.change);
    found
}

fn effect(before: Option<&GroupFate>, after: Option<&GroupFate>) -> Option<GroupEffect> {
    let group = after.or(before)?;
    let modes = (before.map(|of| of.mode), after.map(|of| of.mode));
    let fate = |of: Option<&GroupFate>| of.map(|of| of.fate.clone());
    let why_not = |after: Option<Fate>| match after {
        Some(Fate::LeftAlone { reason }) => format!("left alone: {reason}"),
        Some(_) => "it is as it should be".to_owned(),
        None => "the new version does not name its provisioning service".to_owned(),
    };
    let (change, to, why) = match (fate(before), fate(after)) {
        // What is planned for a group is the same in both modes, and only in one of them it is done.
        (Some(Fate::Written { .. }), Some(Fate::Written { .. }))
            if modes == (Some(Mode::Enforce), Some(Mode::Audit)) =>
        {
            (GroupChange::NotAssignedAnyMore, None, "the namespace would be in audit mode".to_owned())
        }
        (Some(Fate::Written { to: old, .. }), Some(Fate::Written { to: new, .. }))
            if old == new && modes.0 == modes.1 =>
        {
            return None;
        }
        (_, Some(Fate::Written { to, rule })) => {
            let change = match group.has {
                Some(_) => GroupChange::ChangesPolicy,
                None => GroupChange::NewlyAssigned,
            };
            let why = match modes.1 {
                Some(Mode::Audit) => format!("{rule}; planned only, in audit mode"),
                _ => rule,
            };
            (change, to, why)
        }
        (Some(Fate::Written { .. }), after) => (GroupChange::NotAssignedAnyMore, None, why_not(after)),
        (Some(Fate::Kept), after @ (Some(Fate::LeftAlone { .. }) | None)) => {
            (GroupChange::NotTouchedAnyMore, None, why_not(after))
        }
        (None | Some(Fate::LeftAlone { .. }), Some(Fate::Kept)) => {
            (GroupChange::NewlyCaredFor, None, "it has what the rules want".to_owned())
        }
        _ => return None,
    };
    Some(GroupEffect {
        namespace_id: group.namespace_id.clone(),
        provisioning_service: group.provisioning_service.clone(),
        enrollment_group: group.enrollment_group.clone(),
        has: group.has.clone(),
        change,
        to,
        why,
    })
}
