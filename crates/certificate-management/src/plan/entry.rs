//! One entry of a plan: a group with the policy that it had when it was read, and the policy that it is to have. This
//! file makes every entry, for functions and commands alike, and decides whether it may still be performed.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::assignment::unwritable;
use super::condition::Condition;
use super::hub_trust::HubTrust;
use super::{AssignmentPlan, Observation, is_active};
use crate::ArmId;
use crate::configuration::NamespaceConfiguration;
use crate::digest;
use crate::model::{EnrollmentGroup, Policy};
use crate::reason::Reason;
use crate::reference;
use crate::rules::{self, Subject, Verdict};

/// What a revert does beside the write.
const HELD_THEN: &str =
    "; the group is held then, so the rules leave it alone until `policysync holds release`";

/// One group, with the policy that it had when it was read, and the policy that it is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedAssignment {
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The name of its DPS.
    pub provisioning_service: String,
    /// Id of the group.
    pub enrollment_group: String,
    /// The policy that it named.
    pub before: Option<String>,
    /// The policy that it is to name; `None`: no policy at all.
    pub after: Option<String>,
    /// The version that was seen.
    pub etag: Option<String>,
    /// The rule or the wish that says so, e.g. ``rule `lines` ``.
    pub rule: String,
    /// The reason code.
    pub reason: Reason,
    /// The particulars, as a sentence.
    pub detail: String,
    /// Without which it is not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When the CA ends that was the policy's current one when the plan was made.
    #[serde(with = "time::serde::rfc3339::option")]
    pub policy_ca_not_after: Option<OffsetDateTime>,
    /// The hubs of the group that did not trust the policy.
    pub untrusting_hubs: Vec<String>,
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

/// What the writer does with an entry when it performs a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The group and its hubs are as the plan saw them: write.
    Write,
    /// The group is as planned already.
    Done,
    /// The group or its hubs have changed, or do not allow the write any more.
    Refuse {
        /// The reason code.
        reason: Reason,
        /// The particulars, as a sentence.
        detail: String,
    },
}

/// An entry with whether it is to be performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The entry.
    pub entry: PlannedAssignment,
    /// Whether it is to be written; if not, its reason says why.
    pub writes: bool,
}

impl PlannedAssignment {
    /// The entry of what the rules want, as [`plan_assignment`](super::plan_assignment) has decided it.
    #[must_use]
    pub fn by_rules(
        place: Place<'_>,
        group: &EnrollmentGroup,
        plan: &AssignmentPlan,
        observation: &Observation,
    ) -> Planned {
        let verdict = &plan.decision.verdict;
        // As the other rows name it: a rule may leave the authority out.
        let in_full =
            |name: &str| observation.policy_named(name).map_or_else(|_| name.to_owned(), Policy::reference);
        let after = plan.write.clone().or_else(|| verdict.policy().map(in_full));
        let entry = Self {
            reason: plan.reason,
            detail: plan.detail.clone(),
            untrusting_hubs: plan.untrusting_hubs.clone(),
            ..Self::seen(place, group, after, verdict.origin(), observation)
        };
        Planned { entry, writes: plan.write.is_some() }
    }

    /// The entry of what a person wants. It replaces a policy that the group has, since a person says so; a group that
    /// opts out is left alone all the same.
    #[must_use]
    pub fn by_wish(
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
    ) -> Planned {
        Self::wished(place, group, wish, observation, false)
    }

    /// The same of a group that is held once it is written, so that the rules leave it alone.
    #[must_use]
    pub fn by_revert(
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
    ) -> Planned {
        Self::wished(place, group, wish, observation, true)
    }

    fn wished(
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
        is_held_then: bool,
    ) -> Planned {
        let after = wish.policy.map(str::to_owned);
        let entry = Self::seen(place, group, after, wish.origin.to_owned(), observation);
        let verdict = rules::decide(place.configuration, &Subject::of(group, place.hubs)).verdict;
        let step = match verdict {
            Verdict::OptedOut { .. } if !same_policy(group.policy.as_deref(), entry.after.as_deref()) => {
                Step::Refuse { reason: Reason::OptedOut, detail: verdict.origin() }
            }
            _ => entry.allowed(group, place, observation),
        };
        let untrusting_hubs = entry.trust(group, place, observation).untrusting;
        let entry = Self { untrusting_hubs, ..entry };
        match step {
            Step::Write => {
                let mut detail = entry.rule.clone();
                let objection = objection(&verdict, entry.after.as_deref(), place, observation);
                if is_held_then {
                    detail.push_str(HELD_THEN);
                } else if let Some(objection) = objection {
                    detail.push_str("; ");
                    detail.push_str(&objection);
                }
                Planned { entry: Self { detail, ..entry }, writes: true }
            }
            Step::Done => Planned { entry: Self { reason: Reason::AlreadyAssigned, ..entry }, writes: false },
            Step::Refuse { reason, detail } => {
                Planned { entry: Self { reason, detail, ..entry }, writes: false }
            }
        }
    }

    /// The entry of a group that is not written, whatever the rules or a person want.
    #[must_use]
    pub fn refused(
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        (reason, detail): (Reason, String),
    ) -> Self {
        let after = wish.policy.map(str::to_owned);
        Self { reason, detail, ..Self::unlooked(place, group, after, wish.origin.to_owned()) }
    }

    /// The entry of a group that could not be read, with its place and the policy that it had then.
    #[must_use]
    pub fn out_of_sight(
        namespace_id: &ArmId,
        provisioning_service: &str,
        enrollment_group: &str,
        before: Option<&str>,
        wish: Wish<'_>,
        (reason, detail): (Reason, String),
    ) -> Self {
        Self {
            namespace_id: namespace_id.clone(),
            provisioning_service: provisioning_service.to_owned(),
            enrollment_group: enrollment_group.to_owned(),
            before: before.map(str::to_owned),
            after: wish.policy.map(str::to_owned),
            etag: None,
            rule: wish.origin.to_owned(),
            reason,
            detail,
            conditions: Vec::new(),
            policy_ca_not_after: None,
            untrusting_hubs: Vec::new(),
        }
    }

    /// The hash by which records name what a function has planned for one group.
    #[must_use]
    pub fn hash(&self) -> String {
        digest::of::<16>(serde_json::to_string(self).unwrap_or_default())
    }

    fn seen(
        place: Place<'_>,
        group: &EnrollmentGroup,
        after: Option<String>,
        rule: String,
        observation: &Observation,
    ) -> Self {
        let policy = after.as_deref().and_then(|name| policy(name, observation));
        let policy_ca_not_after = policy.and_then(|policy| policy.issuing_ca.not_after);
        // The service compares names in any case; the app writes the policy's own spelling.
        let after = policy.map(Policy::reference).or(after);
        Self { policy_ca_not_after, ..Self::unlooked(place, group, after, rule) }
    }

    fn unlooked(place: Place<'_>, group: &EnrollmentGroup, after: Option<String>, rule: String) -> Self {
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
            conditions: Vec::new(),
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
            let namespace = place.configuration.id.name();
            let named = |policy: Option<&str>| {
                policy
                    .map_or("no policy".to_owned(), |name| format!("`{}`", reference::shown(name, namespace)))
            };
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

    /// Whether the group can be written, the namespace has the policy and the group's hubs were seen to trust it.
    /// Taking a policy away needs no trust.
    fn allowed(&self, group: &EnrollmentGroup, place: Place<'_>, observation: &Observation) -> Step {
        if same_policy(group.policy.as_deref(), self.after.as_deref()) {
            return Step::Done;
        }
        let refuse = |reason, detail: String| Step::Refuse { reason, detail };
        if let Some((reason, detail)) = unwritable(group) {
            return refuse(reason, detail);
        }
        let Some(name) = &self.after else { return Step::Write };
        let Some(policy) = policy(name, observation) else {
            let name = reference::shown(name, place.configuration.id.name());
            return refuse(Reason::PolicyNotFound, format!("the namespace has no policy `{name}`"));
        };
        let name = &policy.name;
        if !is_active(policy) {
            return refuse(Reason::PolicyNotActive, format!("policy `{name}` has no active issuing CA"));
        }
        let trust = self.trust(group, place, observation);
        match trust.objection(name, place.configuration.assign_before_trust) {
            Some((reason, detail)) => refuse(reason, detail),
            None => Step::Write,
        }
    }

    fn trust(&self, group: &EnrollmentGroup, place: Place<'_>, observation: &Observation) -> HubTrust {
        let policy = self.after.as_deref().and_then(|name| policy(name, observation));
        policy.map(|policy| HubTrust::of(group, place.hubs, policy, observation)).unwrap_or_default()
    }
}

/// What the next reconcile will do where the rules contradict a wish.
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
        // The rules assign a policy to every group that has none.
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
