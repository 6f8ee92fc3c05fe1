//! Plans one enrollment group: which policy to write, or why nothing is written.

use serde::{Deserialize, Serialize};

use super::hindrance::Hindrance;
use super::hub_trust::HubTrust;
use super::{Observation, is_active};
use crate::configuration::NamespaceConfiguration;
use crate::model::{Attestation, EnrollmentGroup, Policy};
use crate::plural;
use crate::reason::Reason;
use crate::reference::{self, Reference};
use crate::rules::{self, Decision, Subject, Verdict};

/// What to do about one enrollment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentPlan {
    /// Id of the group.
    pub enrollment_group: String,
    /// The policy that it names now.
    pub before: Option<String>,
    /// The policy to write, as a group names it; `None`: nothing is written.
    pub write: Option<String>,
    /// The reason code.
    pub reason: Reason,
    /// The particulars, as a sentence.
    pub detail: String,
    /// The hubs that the group can allocate to and that were seen without the policy's current CA. They keep a policy from
    /// being written unless the namespace says `assign_before_trust`; either way they need a sync.
    #[serde(default)]
    pub untrusting_hubs: Vec<String>,
    /// Every rule that was tried.
    pub decision: Decision,
}

/// Plans one group. `provisioning_service_hubs` are the host names of the hubs of its DPS.
#[must_use]
pub fn plan_assignment(
    group: &EnrollmentGroup,
    provisioning_service_hubs: &[String],
    configuration: &NamespaceConfiguration,
    observation: &Observation,
) -> AssignmentPlan {
    let decision = rules::decide(configuration, &Subject::of(group, provisioning_service_hubs));
    let plan = AssignmentPlan { before: group.policy.clone(), ..foresee_assignment(&group.id, decision) };
    let Some(policy_name) = &plan.write else { return plan };
    let mut says = plan.decision.verdict.origin();
    let nothing = |reason, detail| AssignmentPlan { write: None, reason, detail, ..plan.clone() };
    let mut policy = match wanted_policy(&says, policy_name, configuration, observation) {
        Ok(policy) => policy,
        Err((reason, detail)) => return nothing(reason, detail),
    };
    let reassign = matches!(plan.decision.verdict, Verdict::Policy { reassign: true, .. });
    let successor = match observation.successor(configuration, policy_name) {
        Some(Ok(successor)) => Some(successor),
        // As long as the namespace does not have the successor, the rule means the old policy.
        None | Some(Err((Reason::PolicyNotFound, _))) => None,
        Some(Err((reason, why))) => return nothing(reason, format!("[[namespace.migration]]: {why}")),
    };
    if let Some(successor) = successor {
        let has_successor = is_reference_to(group, successor);
        let trust = HubTrust::of(group, provisioning_service_hubs, successor, observation);
        let is_ready = is_active(successor)
            && trust.objection(&successor.name, configuration.assign_before_trust).is_none();
        if is_reference_to(group, policy) && !has_successor && !reassign {
            let detail = format!(
                "it has `{}`, which [[namespace.migration]] replaces by `{}`; `policysync plan` shows the move",
                policy.name, successor.name
            );
            return nothing(Reason::PreviousGeneration, detail);
        }
        if has_successor || is_ready {
            says.push_str(&format!(" (`{policy_name}`, by [[namespace.migration]])"));
            policy = successor;
        }
    }
    match &group.policy {
        Some(current) if current.eq_ignore_ascii_case(&policy.reference()) => {
            let shown = reference::shown(current, observation.namespace.id.name());
            return nothing(Reason::AlreadyAssigned, format!("it has `{shown}`, as {says} says"));
        }
        Some(current) if Reference::parse(current) == Reference::Unclear => {
            let detail = format!("it has {current}; {says} says `{}`", policy.name);
            return nothing(Reason::ReferenceUnclear, detail);
        }
        Some(current) if Reference::parse(current).is_foreign_to(observation.namespace.id.name()) => {
            let detail = format!("it has `{current}`, of another namespace; {says} says `{}`", policy.name);
            return nothing(Reason::ReferenceForeign, detail);
        }
        Some(current) if !reassign => {
            let why = match &plan.decision.verdict {
                Verdict::Default { .. } => "never replaces a policy",
                _ => "does not say `reassign`",
            };
            let shown = reference::shown(current, observation.namespace.id.name());
            let detail = format!("it has `{shown}`; {says} says `{}`, but {why}", policy.name);
            return nothing(Reason::AssignedElsewhere, detail);
        }
        _ => {}
    }
    if let Some((reason, detail)) = unwritable(group) {
        return nothing(reason, detail);
    }
    if !is_active(policy) {
        let detail = format!("policy `{}` has no active issuing CA", policy.name);
        return nothing(Reason::PolicyNotActive, detail);
    }
    if let Some(end) = policy.issuing_ca.not_after.filter(|_| policy.has_ended(observation.seen_at)) {
        let detail = format!("the issuing CA of policy `{}` ended on {}", policy.name, end.date());
        return nothing(Reason::CaExpired, detail);
    }
    let trust = HubTrust::of(group, provisioning_service_hubs, policy, observation);
    let objection = trust.objection(&policy.name, configuration.assign_before_trust);
    let untrusting_hubs = trust.untrusting;
    if let Some((reason, detail)) = objection {
        return AssignmentPlan { untrusting_hubs, ..nothing(reason, detail) };
    }
    let mut detail = format!("{says} says `{}`", policy.name);
    if !untrusting_hubs.is_empty() {
        let hubs = untrusting_hubs.join(", ");
        detail.push_str(&format!("; `assign_before_trust` is set, and it is not trusted by {hubs} yet"));
    }
    AssignmentPlan { write: Some(policy.reference()), detail, untrusting_hubs, ..plan }
}

/// Why a group is never written, whatever the rules or a person want: a write replaces the whole group, and would lose
/// what the service does not show of an attestation of an unknown kind (`azure-wire-facts.md` §3).
#[must_use]
pub fn unwritable(group: &EnrollmentGroup) -> Option<(Reason, String)> {
    let detail = || "its attestation is of a kind that this version does not know".to_owned();
    (group.attestation == Attestation::Other)
        .then(|| (Hindrance::AttestationUnknown.consequence().reason, detail()))
}

/// The policy that the rules name, or its successor where it has been deleted, as happens at the end of a migration.
fn wanted_policy<'o>(
    says: &str,
    name: &str,
    configuration: &NamespaceConfiguration,
    observation: &'o Observation,
) -> Result<&'o Policy, (Reason, String)> {
    match observation.policy_named(name) {
        Ok(policy) => Ok(policy),
        Err((Reason::PolicyNotFound, _)) => match observation.successor(configuration, name) {
            Some(Ok(successor)) => Ok(successor),
            Some(Err((reason, why))) => Err((reason, format!("{says}: {why}"))),
            None => {
                let detail = format!("{says} names policy `{name}`, which the namespace does not have");
                Err((Reason::PolicyNotFound, detail))
            }
        },
        Err((reason, why)) => Err((reason, format!("{says}: {why}"))),
    }
}

/// What the rules want of a group that does not exist yet, in a namespace that was looked at: a policy that the namespace does not
/// have is not written, and the plan says so.
#[must_use]
pub fn foresee_in(
    plan: AssignmentPlan,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
) -> AssignmentPlan {
    let Some(name) = &plan.write else { return plan };
    match wanted_policy(&plan.decision.verdict.origin(), name, configuration, observation) {
        Ok(_) => plan,
        Err((reason, detail)) => AssignmentPlan { write: None, reason, detail, ..plan },
    }
}

fn is_reference_to(group: &EnrollmentGroup, policy: &Policy) -> bool {
    group.policy.as_ref().is_some_and(|current| current.eq_ignore_ascii_case(&policy.reference()))
}

/// What the rules alone want, before the app looks at Azure: whether the namespace has the policy, whether hubs trust
/// it, and what the group has now are left open.
#[must_use]
pub fn foresee_assignment(enrollment_group: &str, decision: Decision) -> AssignmentPlan {
    let reason = match &decision.verdict {
        Verdict::Policy { .. } | Verdict::Default { policy: Some(_) } => Reason::Assigned,
        Verdict::None { .. } | Verdict::Default { policy: None } => Reason::RuleSaysNone,
        Verdict::NoRule => Reason::NoRuleMatches,
        Verdict::OptedOut { .. } => Reason::OptedOut,
    };
    let detail = match &decision.verdict {
        Verdict::NoRule => format!("{} tried", plural::count(decision.tried.len(), "rule")),
        verdict => verdict.to_string(),
    };
    AssignmentPlan {
        enrollment_group: enrollment_group.to_owned(),
        before: None,
        write: decision.verdict.policy().map(str::to_owned),
        reason,
        detail,
        untrusting_hubs: Vec::new(),
        decision,
    }
}
