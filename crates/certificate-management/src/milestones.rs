//! How far a group is on its way to its policy: created, pushed or synced, trusted, assigned.
//!
//! What the group waits for is the first of them that is not done. The hubs are those that the group can allocate to: it is
//! given its policy as soon as they trust it, whatever the other hubs of the namespace do.

use serde::{Deserialize, Serialize};

use crate::configuration::NamespaceConfiguration;
use crate::generation::Generation;
use crate::model::{EnrollmentGroup, Hub, Policy};
use crate::next_step::{self, Caller, Situation};
use crate::plan::hub_trust::{self, NO_HUB_NAMED};
use crate::plan::{AssignmentPlan, Observation, Pair, is_active, obstacle};
use crate::plural;
use crate::readiness::Found;
use crate::reason::Reason;
use crate::trust::{Assessment, Trust};

/// A step of the way, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The namespace has the policy, and its issuing CA signs.
    Created,
    /// The service has pushed the issuing CA to the hubs: the second generation.
    Pushed,
    /// A sync has brought the issuing CA to the hubs: the first generation.
    Synced,
    /// The hubs trust the issuing CA.
    Trusted,
    /// The group names the policy.
    Assigned,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Pushed => "pushed",
            Self::Synced => "synced",
            Self::Trusted => "trusted",
            Self::Assigned => "assigned",
        })
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was seen to be done.
    Done,
    /// It was seen not to be done.
    Waiting,
    /// What was seen does not tell.
    Unknown,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
        })
    }
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestone {
    /// Which one.
    pub step: Step,
    /// How far it is.
    pub state: State,
    /// Why, as a sentence.
    pub why: String,
    /// What comes next, and who does it; `None`: it is done.
    pub next_step: Option<String>,
}

/// What a group waits for: the first step that is not done; `None`: all are.
#[must_use]
pub fn waits_for(milestones: &[Milestone]) -> Option<&Milestone> {
    milestones.iter().find(|milestone| milestone.state != State::Done)
}

/// The way of one group to the policy that its plan is about, as a person is told; empty where the rules want none for it.
/// `kill_switch`: whether `POLICYSYNC_MODE=audit` is set. `links`: what was found of the links to the hubs, where it was looked at.
#[must_use]
pub fn milestones(
    group: &EnrollmentGroup,
    provisioning_service_hubs: &[String],
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    (observation, links): (&Observation, Option<&Found>),
    plan: &AssignmentPlan,
) -> Vec<Milestone> {
    let Some(wanted) = plan.decision.verdict.policy() else { return Vec::new() };
    let situation = Situation::of(configuration, kill_switch, Caller::Person).at(observation.seen_at);
    let situation = situation.in_generation(observation.namespace.generation);
    let way = Way { configuration, situation, observation, links };
    let policy = match way.policy(group, plan, wanted) {
        Ok(policy) => policy,
        Err(why) => {
            let is_declared = configuration.policies.iter().any(|declared| declared.full_name() == wanted);
            let next_step = next_step::of_missing_policy(is_declared, &situation);
            let trusted = after(Step::Trusted, Step::Created);
            return vec![
                waiting(Step::Created, why, next_step),
                after(way.delivered_by(wanted), Step::Created),
                trusted,
                way.assigned(plan, Some(Step::Created)),
            ];
        }
    };
    let way = Way { situation: situation.about(policy), ..way };
    let created = way.created(policy);
    let delivery = match policy.generation() {
        Generation::CertificateAuthorities => Step::Pushed,
        Generation::Credentials => Step::Synced,
    };
    let (delivered, trusted) = match created.state {
        State::Done => {
            let hubs = hub_trust::each(group, provisioning_service_hubs, policy, observation);
            (way.delivered(delivery, policy, &hubs), way.trusted(delivery, &hubs))
        }
        _ => (after(delivery, Step::Created), after(Step::Trusted, Step::Created)),
    };
    let before = [&created, &delivered, &trusted];
    let first =
        before.iter().find(|milestone| milestone.state != State::Done).map(|milestone| milestone.step);
    let assigned = way.assigned(plan, first);
    vec![created, delivered, trusted, assigned]
}

/// What the steps are judged by.
struct Way<'a> {
    configuration: &'a NamespaceConfiguration,
    situation: Situation<'a>,
    observation: &'a Observation,
    links: Option<&'a Found>,
}

/// A hub that the group can allocate to, by its host name; with its judgement where it was seen.
type JudgedHub<'h> = (&'h str, Option<(&'h Hub, Assessment)>);

impl Way<'_> {
    /// The policy that the plan is about.
    fn policy(
        &self,
        group: &EnrollmentGroup,
        plan: &AssignmentPlan,
        wanted: &str,
    ) -> Result<&Policy, String> {
        let settled = match plan.reason {
            Reason::AlreadyAssigned => group.policy.as_deref(),
            _ => plan.write.as_deref(),
        };
        if let Some(policy) = settled.and_then(|reference| self.observation.policy_referenced(reference)) {
            return Ok(policy);
        }
        match (self.observation.policy_named(wanted), self.observation.successor(self.configuration, wanted))
        {
            (Ok(policy), _) | (Err((Reason::PolicyNotFound, _)), Some(Ok(policy))) => Ok(policy),
            (Err((_, why)), _) => Err(why),
        }
    }

    fn created(&self, policy: &Policy) -> Milestone {
        let name = &policy.name;
        if let Some(end) = policy.issuing_ca.not_after.filter(|_| policy.has_ended(self.observation.seen_at))
        {
            let why = format!("the issuing CA of `{name}` ended on {}", end.date());
            return waiting(Step::Created, why, self.next_step(Reason::CaExpired));
        }
        if is_active(policy) {
            return done(Step::Created, format!("the namespace has `{name}`, and its issuing CA signs"));
        }
        let own_root = policy.bring_your_own_root.as_ref();
        if let Some(own) = own_root.filter(|own| own.status.eq_ignore_ascii_case("PendingActivation")) {
            return waiting(
                Step::Created,
                format!("the status of its root of yours is {}", own.status),
                self.next_step(Reason::PolicyNotActive),
            );
        }
        let state = &policy.provisioning_state;
        let next_step = self.next_step(Reason::PolicyNotActive);
        waiting(Step::Created, format!("the provisioning state of `{name}` is {state}"), next_step)
    }

    /// Whether the issuing CA has come to the hubs, be it valid there yet or not.
    fn delivered(&self, step: Step, policy: &Policy, hubs: &[JudgedHub<'_>]) -> Milestone {
        let lacking: Vec<_> = hubs
            .iter()
            .filter_map(|(_, seen)| seen.as_ref())
            .filter(|(_, assessment)| assessment.trust.lacks_current())
            .collect();
        if let Some((hub, assessment)) = lacking.first() {
            let names: Vec<&str> = lacking.iter().map(|(hub, _)| hub.name.as_str()).collect();
            let (why, next_step) = match step {
                Step::Pushed => self.push(policy, (hub, assessment), &names),
                _ => (assessment.why.clone(), self.next_step(Reason::PolicyMissing)),
            };
            return waiting(step, format!("not on {}: {why}", names.join(", ")), next_step);
        }
        match unknown(hubs, |assessment| assessment.evidence.is_none()) {
            Some(why) => not_known(step, why),
            None => done(step, format!("the issuing CA is on {}", count(hubs.len()))),
        }
    }

    fn trusted(&self, delivery: Step, hubs: &[JudgedHub<'_>]) -> Milestone {
        let lacks = |seen: &(&Hub, Assessment)| seen.1.trust.lacks_current();
        if hubs.iter().any(|(_, seen)| seen.as_ref().is_some_and(lacks)) {
            return after(Step::Trusted, delivery);
        }
        match unknown(hubs, |assessment| !assessment.trust.admits_current()) {
            Some(why) => not_known(Step::Trusted, why),
            None => done(Step::Trusted, trusting(hubs.len())),
        }
    }

    /// Why the service has not pushed a CA to a hub, and what comes next for all that lack it.
    fn push(
        &self,
        policy: &Policy,
        (hub, assessment): (&Hub, &Assessment),
        lacking: &[&str],
    ) -> (String, String) {
        let has_ended = policy.has_ended(self.observation.seen_at);
        let pair = Pair { policy, hub, assessment: assessment.clone(), has_ended };
        let obstacle = obstacle(self.observation, &pair);
        let link_lacks_role =
            self.links.is_some_and(|links| lacking.iter().any(|name| links.lacks_role(name)));
        let situation = Situation { link_lacks_role, ..self.situation };
        (obstacle.detail, next_step::of(obstacle.reason, &situation))
    }

    fn next_step(&self, reason: Reason) -> String {
        next_step::of(reason, &self.situation)
    }

    /// Whether the group names the policy; `first`: the step before this one that is not done.
    fn assigned(&self, plan: &AssignmentPlan, first: Option<Step>) -> Milestone {
        let step = Step::Assigned;
        match (plan.reason, &plan.write, first) {
            (Reason::AlreadyAssigned, ..) => done(step, plan.detail.clone()),
            (_, Some(_), _) => waiting(step, plan.detail.clone(), self.next_step(Reason::GroupUnassigned)),
            (
                Reason::PolicyNotActive | Reason::CaExpired | Reason::WaitingForTrust | Reason::HubsUnknown,
                None,
                Some(first),
            ) => after(step, first),
            (reason, None, _) => waiting(step, plan.detail.clone(), self.next_step(reason)),
        }
    }

    /// How the CA of a policy comes to the hubs that the namespace does not have yet.
    fn delivered_by(&self, wanted: &str) -> Step {
        let first = self.observation.namespace.generation.has(Generation::Credentials);
        if wanted.contains('/') || !first { Step::Pushed } else { Step::Synced }
    }
}

/// What keeps a step from being known: hubs that were not seen, or of which `tells_nothing`; `None`: nothing does.
fn unknown(hubs: &[JudgedHub<'_>], tells_nothing: impl Fn(&Assessment) -> bool) -> Option<String> {
    if hubs.is_empty() {
        return Some(NO_HUB_NAMED.to_owned());
    }
    let unknown: Vec<String> = hubs
        .iter()
        .filter_map(|(host_name, seen)| match seen {
            None => Some(hub_trust::not_seen(host_name)),
            Some((hub, assessment)) if assessment.trust == Trust::Unreadable && tells_nothing(assessment) => {
                Some(format!("{}: {}", hub.name, assessment.why))
            }
            Some(_) => None,
        })
        .collect();
    (!unknown.is_empty()).then(|| unknown.join("; "))
}

fn count(hubs: usize) -> String {
    match hubs {
        1 => "the hub that the group can allocate to".to_owned(),
        several => format!("all {several} hubs that the group can allocate to"),
    }
}

fn trusting(hubs: usize) -> String {
    format!("{} {} the issuing CA", count(hubs), plural::agreeing(hubs, "trusts", "trust"))
}

fn done(step: Step, why: String) -> Milestone {
    Milestone { step, state: State::Done, why, next_step: None }
}

fn waiting(step: Step, why: String, next_step: String) -> Milestone {
    Milestone { step, state: State::Waiting, why, next_step: Some(next_step) }
}

fn not_known(step: Step, why: String) -> Milestone {
    let next_step = Some(Reason::HubsUnknown.next_step().to_owned());
    Milestone { step, state: State::Unknown, why, next_step }
}

/// A step that cannot come before another one.
fn after(step: Step, first: Step) -> Milestone {
    waiting(step, format!("it comes after `{first}`"), format!("See `{first}`."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hub_trusts_and_several_trust() {
        assert_eq!(trusting(1), "the hub that the group can allocate to trusts the issuing CA");
        assert_eq!(trusting(2), "all 2 hubs that the group can allocate to trust the issuing CA");
    }
}
