//! A plan that a person can read, keep, approve and have performed later: `policysync-plan/v1`.
//!
//! It holds what was seen when it was made, so that whoever performs it can tell whether the world moved since. Only
//! [`SavedPlan::assignments`] are performed; the rest says why other groups are not among them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::assignment::untrusting_hubs;
use super::{Observation, is_active, plan_assignment};
use crate::ArmId;
use crate::configuration::NamespaceConfiguration;
use crate::model::{EnrollmentGroup, Policy};
use crate::reason::Reason;
use crate::rules::{self, Subject, Verdict};

/// The schema of a saved plan.
pub const PLAN_SCHEMA: &str = "policysync-plan/v1";

/// A plan as it is saved. A member that is not known is refused: a plan is performed exactly or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// The version of Policysync that made it.
    pub tool_version: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// The writes.
    pub assignments: Vec<PlannedAssignment>,
    /// The groups that are not written although somebody may expect it, and why.
    pub left_alone: Vec<PlannedAssignment>,
    /// How many groups are as they should be.
    pub unchanged: usize,
    /// The namespaces where a hub does not trust a policy. A sync is asked for on its own, since it cannot be undone.
    pub syncs: Vec<NeededSync>,
    /// What could not be read, so that nothing is planned for it.
    pub unreadable: Vec<String>,
}

/// One group, with what it was seen to be and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedAssignment {
    /// The namespace.
    pub namespace_id: ArmId,
    /// The name of its DPS.
    pub provisioning_service: String,
    /// The group.
    pub enrollment_group: String,
    /// The policy that it named.
    pub before: Option<String>,
    /// The policy that it is to name; `None`: no policy at all.
    pub after: Option<String>,
    /// The version that was seen.
    pub etag: Option<String>,
    /// Who says so, e.g. ``rule `lines` ``.
    pub rule: String,
    /// Why.
    pub reason: Reason,
    /// With the particulars.
    pub detail: String,
    /// When the current CA of the policy ends, as it was seen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub policy_ca_not_after: Option<OffsetDateTime>,
    /// The hubs of the group that did not trust the policy.
    pub untrusting_hubs: Vec<String>,
}

/// A namespace that needs a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NeededSync {
    /// The namespace.
    pub namespace_id: ArmId,
    /// What is not trusted, e.g. `short-lived on hub-a: stale`.
    pub untrusting: Vec<String>,
}

/// Where a group is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The namespace of its DPS.
    pub configuration: &'a NamespaceConfiguration,
    /// The name of its DPS.
    pub provisioning_service: &'a str,
    /// Host names of the hubs of its DPS.
    pub hubs: &'a [String],
}

/// What a person wants a group to be.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The policy; `None`: no policy at all.
    pub policy: Option<&'a str>,
    /// Where the wish comes from, e.g. `a copy of dps/line-a`.
    pub origin: &'a str,
}

/// What is to be done about an entry of a plan when it is performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The world is as the plan saw it: write.
    Write,
    /// The group is as planned already.
    Done,
    /// The world moved, or does not allow it any more.
    Refuse {
        /// Why.
        reason: Reason,
        /// With the particulars.
        detail: String,
    },
}

impl SavedPlan {
    /// A plan of nothing.
    #[must_use]
    pub fn empty(tool_version: &str, made_at: OffsetDateTime) -> Self {
        Self {
            schema: PLAN_SCHEMA.to_owned(),
            tool_version: tool_version.to_owned(),
            made_at,
            assignments: Vec::new(),
            left_alone: Vec::new(),
            unchanged: 0,
            syncs: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Adds a group as the rules want it.
    pub fn add_by_rules(&mut self, place: Place<'_>, group: &EnrollmentGroup, observation: &Observation) {
        let plan = plan_assignment(group, place.hubs, place.configuration, observation);
        let writes = plan.write.is_some();
        if !writes && self.add_by_migration(place, group, observation) {
            return;
        }
        let after = plan.write.or_else(|| plan.decision.verdict.policy().map(str::to_owned));
        let rule = plan.decision.verdict.origin();
        let entry = PlannedAssignment {
            reason: plan.reason,
            detail: plan.detail,
            untrusting_hubs: plan.untrusting_hubs,
            ..PlannedAssignment::of(place, group, after, rule, observation)
        };
        self.add(writes, entry);
    }

    /// Adds a group that names a policy for which `[[namespace.migration]]` states a successor; answers whether it does. A
    /// group that is not moved is left alone with the reason.
    pub fn add_by_migration(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        observation: &Observation,
    ) -> bool {
        let successor =
            group.policy.as_deref().and_then(|name| observation.successor(place.configuration, name));
        let origin = "[[namespace.migration]]";
        match successor {
            None => return false,
            Some(Ok(policy)) => {
                let reference = policy.reference();
                self.add_by_wish(place, group, Wish { policy: Some(&reference), origin }, observation);
            }
            Some(Err(refusal)) => {
                let to = group.policy.as_deref().and_then(|name| place.configuration.migration(name));
                let wish = Wish { policy: to.map(|migration| migration.to.as_str()), origin };
                self.add_refused(place, group, wish, refusal);
            }
        }
        true
    }

    /// Adds a group as a person wants it. A policy that it has is replaced, since a person says so; a group that opts out
    /// is left alone all the same.
    pub fn add_by_wish(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
    ) {
        let after = wish.policy.map(str::to_owned);
        let entry = PlannedAssignment::of(place, group, after, wish.origin.to_owned(), observation);
        let verdict = rules::decide(place.configuration, &Subject::of(group, place.hubs)).verdict;
        let step = match verdict {
            Verdict::OptedOut { .. } if !same_policy(group.policy.as_deref(), entry.after.as_deref()) => {
                Step::Refuse { reason: Reason::OptedOut, detail: verdict.origin() }
            }
            _ => entry.allowed(group, place, observation),
        };
        let untrusting_hubs = entry.untrusting(group, place, observation);
        let entry = PlannedAssignment { untrusting_hubs, ..entry };
        match step {
            Step::Write => {
                let mut detail = entry.rule.clone();
                if let Some(objection) = objection(&verdict, entry.after.as_deref(), place, observation) {
                    detail.push_str("; ");
                    detail.push_str(&objection);
                }
                self.add(true, PlannedAssignment { detail, ..entry });
            }
            Step::Done => self.add(false, PlannedAssignment { reason: Reason::AlreadyAssigned, ..entry }),
            Step::Refuse { reason, detail } => {
                self.add(false, PlannedAssignment { reason, detail, ..entry });
            }
        }
    }

    /// Adds a group that is not written, whatever it is.
    pub fn add_refused(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        refusal: (Reason, String),
    ) {
        let after = wish.policy.map(str::to_owned);
        let entry = PlannedAssignment::unseen(place, group, after, wish.origin.to_owned());
        self.left_alone.push(PlannedAssignment { reason: refusal.0, detail: refusal.1, ..entry });
    }

    /// Adds the sync that a namespace needs, if it does.
    pub fn add_sync(&mut self, configuration: &NamespaceConfiguration, observation: &Observation) {
        let pairs = observation.pairs();
        let untrusting = pairs.iter().filter(|pair| pair.needs_sync());
        let untrusting: Vec<String> = untrusting
            .map(|pair| format!("{} on {}: {}", pair.policy.name, pair.hub.name, pair.assessment.why))
            .collect();
        if !untrusting.is_empty() {
            self.syncs.push(NeededSync { namespace_id: configuration.id.clone(), untrusting });
        }
    }

    fn add(&mut self, writes: bool, entry: PlannedAssignment) {
        match entry.reason {
            _ if writes => self.assignments.push(entry),
            Reason::AlreadyAssigned | Reason::RuleSaysNone => self.unchanged += 1,
            _ => self.left_alone.push(entry),
        }
    }
}

impl PlannedAssignment {
    fn of(
        place: Place<'_>,
        group: &EnrollmentGroup,
        after: Option<String>,
        rule: String,
        observation: &Observation,
    ) -> Self {
        let policy = after.as_deref().and_then(|name| policy(name, observation));
        let policy_ca_not_after = policy.and_then(|policy| policy.issuing_ca.not_after);
        // The service compares names in any case; what is written is the policy's own spelling.
        let after = policy.map(Policy::reference).or(after);
        Self { policy_ca_not_after, ..Self::unseen(place, group, after, rule) }
    }

    fn unseen(place: Place<'_>, group: &EnrollmentGroup, after: Option<String>, rule: String) -> Self {
        Self {
            namespace_id: place.configuration.id.clone(),
            provisioning_service: place.provisioning_service.to_owned(),
            enrollment_group: group.id.clone(),
            before: group.policy.clone(),
            after,
            etag: group.etag.clone(),
            rule,
            reason: Reason::Assigned,
            detail: String::new(),
            policy_ca_not_after: None,
            untrusting_hubs: Vec::new(),
        }
    }

    /// What to do about this entry now. `group` is the group as it is now.
    #[must_use]
    pub fn recheck(
        &self,
        group: Option<&EnrollmentGroup>,
        place: Place<'_>,
        observation: &Observation,
    ) -> Step {
        let refuse = |reason, detail: String| Step::Refuse { reason, detail };
        let Some(group) = group else {
            return refuse(Reason::GroupGone, "it was deleted since the plan was made".to_owned());
        };
        if same_policy(group.policy.as_deref(), self.after.as_deref()) {
            return Step::Done;
        }
        if group.policy != self.before {
            let named =
                |policy: Option<&str>| policy.map_or("no policy".to_owned(), |name| format!("`{name}`"));
            let (before, now) = (named(self.before.as_deref()), named(group.policy.as_deref()));
            return refuse(Reason::GroupMoved, format!("the plan saw it with {before}; it has {now} now"));
        }
        if group.etag != self.etag || group.etag.is_none() {
            return refuse(Reason::GroupMoved, "it was written since the plan was made".to_owned());
        }
        match self.allowed(group, place, observation) {
            Step::Refuse { reason, mut detail } => {
                let current = self.after.as_deref().and_then(|name| policy(name, observation));
                if current.is_some_and(|policy| policy.issuing_ca.not_after != self.policy_ca_not_after) {
                    detail.push_str("; its issuing CA was renewed since the plan was made");
                }
                refuse(reason, detail)
            }
            step => step,
        }
    }

    /// Whether the namespace has the policy and the group's hubs trust it; no policy is trusted by all.
    fn allowed(&self, group: &EnrollmentGroup, place: Place<'_>, observation: &Observation) -> Step {
        if same_policy(group.policy.as_deref(), self.after.as_deref()) {
            return Step::Done;
        }
        let Some(name) = &self.after else { return Step::Write };
        let refuse = |reason, detail: String| Step::Refuse { reason, detail };
        let Some(policy) = policy(name, observation) else {
            return refuse(Reason::PolicyNotFound, format!("the namespace has no policy `{name}`"));
        };
        if !is_active(policy) {
            return refuse(Reason::PolicyNotActive, format!("policy `{name}` has no active issuing CA"));
        }
        let untrusting = self.untrusting(group, place, observation);
        if !untrusting.is_empty() && !place.configuration.assign_before_trust {
            let hubs = untrusting.join(", ");
            return refuse(Reason::WaitingForTrust, format!("`{name}` is not trusted by {hubs}"));
        }
        Step::Write
    }

    fn untrusting(
        &self,
        group: &EnrollmentGroup,
        place: Place<'_>,
        observation: &Observation,
    ) -> Vec<String> {
        let policy = self.after.as_deref().and_then(|name| policy(name, observation));
        policy.map(|policy| untrusting_hubs(group, place.hubs, policy, observation)).unwrap_or_default()
    }
}

/// What the rules will do about a wish of which they have another opinion.
fn objection(
    verdict: &Verdict,
    wanted: Option<&str>,
    place: Place<'_>,
    observation: &Observation,
) -> Option<String> {
    let is_wanted = |policy: &str| {
        let own = observation.policy_named(policy).ok();
        let successor = observation.successor(place.configuration, policy).and_then(Result::ok);
        same_policy(Some(policy), wanted)
            || own.into_iter().chain(successor).any(|policy| same_policy(Some(&policy.reference()), wanted))
    };
    let policy = verdict.policy().filter(|policy| !is_wanted(policy))?;
    let says = verdict.origin();
    match (verdict, wanted) {
        (Verdict::Policy { reassign: true, .. }, _) => Some(format!(
            "{says} says `{policy}` with `reassign`, so the next reconcile would change it back"
        )),
        // What has no policy is what rules are for.
        (_, None) => Some(format!("{says} says `{policy}`, so the next reconcile would assign that")),
        _ => None,
    }
}

fn policy<'o>(name: &str, observation: &'o Observation) -> Option<&'o Policy> {
    observation.policies.iter().find(|policy| policy.is_named(name))
}

/// Whether both name the same policy, or none. Names are compared in any case.
fn same_policy(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (None, None) => true,
        _ => false,
    }
}
