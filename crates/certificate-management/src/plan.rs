//! The writes that the app would do, and why: planned from what was observed, and from nothing else.
//!
//! The same observation gives the same plan. The app performs it; this crate does not.

mod assignment;
pub mod condition;
mod declared;
mod entry;
pub mod hindrance;
pub(crate) mod hub_trust;
mod obstacle;
pub mod permit;
pub mod saved;
mod target;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use self::assignment::{AssignmentPlan, foresee_assignment, foresee_in, plan_assignment, unwritable};
pub use self::obstacle::{Obstacle, obstacle, obstacle_of_group};

use crate::authority::Authority;
use crate::configuration::Mode;
use crate::generation::Generation;
use crate::model::{Hub, HubCertificate, Namespace, Policy, ProvisioningState, ReadFailure};
use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, SyncRequest};
use crate::trust::{self, Assessment, Trust};

/// One namespace as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The namespace.
    pub namespace: Namespace,
    /// Its certificate authorities, its root and those without a policy too. The older generation has none: there a policy is
    /// its own authority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<Authority>,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// Its linked hubs.
    pub hubs: Vec<ObservedHub>,
    /// When it was seen.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
}

/// One hub as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedHub {
    /// The hub.
    pub hub: Hub,
    /// Its CA certificates, or why they could not be read.
    pub certificates: Result<Vec<HubCertificate>, ReadFailure>,
}

/// One (policy, hub) pair with its judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The hub.
    pub hub: &'a Hub,
    /// Whether the hub trusts it.
    pub assessment: Assessment,
    /// Whether the policy's CA had ended when the hub was seen.
    pub has_ended: bool,
}

/// An observation with every pair judged.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// What was seen.
    pub observation: &'a Observation,
    /// Every pair of an active policy and a linked hub.
    pub pairs: Vec<Pair<'a>>,
}

impl Observation {
    /// The policies that have an active issuing CA: the ones that a sync pushes.
    pub fn active_policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().filter(|policy| is_active(policy))
    }

    /// The policies that issue by an authority of the namespace.
    pub fn policies_of(&self, authority: &Authority) -> impl Iterator<Item = &Policy> {
        self.policies.iter().filter(|policy| policy.issuing_ca.id.as_ref() == Some(&authority.id))
    }

    /// Every pair of an active policy and a linked hub.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        let mut pairs = Vec::new();
        for policy in self.active_policies() {
            let has_ended = policy.has_ended(self.seen_at);
            for hub in &self.hubs {
                let assessment = self.assess(policy, hub);
                pairs.push(Pair { policy, hub: &hub.hub, assessment, has_ended });
            }
        }
        pairs
    }

    /// The same with every pair judged, once for all requests of a look.
    #[must_use]
    pub fn assessed(&self) -> Assessed<'_> {
        Assessed { observation: self, pairs: self.pairs() }
    }

    pub(crate) fn assess(&self, policy: &Policy, hub: &ObservedHub) -> Assessment {
        match &hub.certificates {
            Ok(certificates) => trust::assess(policy, certificates, self.seen_at),
            Err(why) => Assessment { trust: Trust::Unreadable, evidence: None, why: why.to_string() },
        }
    }
}

/// Whether a policy has an issuing CA that signs: made by the service, and activated where the customer signs it.
#[must_use]
pub fn is_active(policy: &Policy) -> bool {
    policy.provisioning_state == ProvisioningState::Succeeded
        && policy
            .bring_your_own_root
            .as_ref()
            .is_none_or(|own| !own.status.eq_ignore_ascii_case("PendingActivation"))
}

/// What to do about one sync request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestPlan {
    /// Every hub in question trusts every policy in question: there is nothing to do.
    AlreadyTrusted(Vec<HubOutcome>),
    /// The namespace needs a sync; the outcomes so far.
    Sync(Vec<HubOutcome>),
    /// No sync would help: the service pushes what is missing without being asked, or a hub could not be read. The app
    /// looks for evidence; the outcomes so far.
    Verify(Vec<HubOutcome>),
    /// A sync would help, but it is not known whether it would change more than the request names, since another hub
    /// could not be read.
    Undecided {
        /// The hub that could not be read, as a sentence.
        detail: String,
        /// The outcomes so far.
        hubs: Vec<HubOutcome>,
    },
    /// The app does not do it.
    Refuse {
        /// The reason code.
        reason: Reason,
        /// The particulars, as a sentence.
        detail: String,
        /// The outcome per hub, where the plan got that far.
        hubs: Vec<HubOutcome>,
    },
}

impl RequestPlan {
    /// The same plan where the namespace is frozen for the reason that `freeze` states: what needs a sync is refused, unless the request
    /// insists. What is true already stays true.
    #[must_use]
    pub fn unless_frozen(self, request: &SyncRequest, freeze: Option<&str>) -> Self {
        match (self, freeze) {
            (Self::Sync(hubs) | Self::Undecided { hubs, .. }, Some(freeze)) if !request.break_freeze => {
                let refused = hubs.into_iter().map(|hub| match hub.outcome.is_final() {
                    true => hub,
                    false => HubOutcome { outcome: Outcome::Refused, reason: Some(Reason::Frozen), ..hub },
                });
                let detail = format!("namespace {} is {freeze}", request.namespace_id.name());
                Self::Refuse { reason: Reason::Frozen, detail, hubs: refused.collect() }
            }
            (plan, _) => plan,
        }
    }
}

/// Plans one request against an observation of its namespace.
#[must_use]
pub fn plan_request(request: &SyncRequest, mode: Mode, observation: &Observation) -> RequestPlan {
    plan_assessed(request, mode, &observation.assessed())
}

/// As [`plan_request`], against pairs that were judged before, for a look that has many requests.
#[must_use]
pub fn plan_assessed(request: &SyncRequest, mode: Mode, assessed: &Assessed<'_>) -> RequestPlan {
    let observation = assessed.observation;
    let refuse = |reason, detail: String| RequestPlan::Refuse { reason, detail, hubs: Vec::new() };
    if mode == Mode::Audit {
        return refuse(
            Reason::AuditMode,
            format!("namespace {} is in audit mode", request.namespace_id.name()),
        );
    }
    for name in request.hubs.iter().flatten() {
        if !observation.hubs.iter().any(|hub| names_hub(name, &hub.hub)) {
            return refuse(Reason::UnknownHub, format!("no hub `{name}` is linked to the namespace"));
        }
    }
    for name in request.policies.iter().flatten() {
        match observation.policies.iter().find(|policy| means_policy(name, policy)) {
            None => return refuse(Reason::UnknownPolicy, format!("the namespace has no policy `{name}`")),
            Some(policy) if !is_active(policy) => {
                let state = &policy.provisioning_state;
                return refuse(
                    Reason::PolicyNotActive,
                    format!("policy `{name}` is not active (state {state})"),
                );
            }
            Some(_) => {}
        }
    }
    if observation.hubs.is_empty() {
        return refuse(
            Reason::NoHubsLinked,
            "no hub in the configured scopes is linked to the namespace".to_owned(),
        );
    }
    if observation.active_policies().next().is_none() {
        return refuse(Reason::NoPolicies, "the namespace has no active policy".to_owned());
    }
    let (inside, outside): (Vec<&Pair<'_>>, Vec<_>) =
        assessed.pairs.iter().partition(|pair| covers(request, pair));
    let hubs: Vec<HubOutcome> = inside.iter().map(|pair| first_outcome(observation, pair)).collect();
    if inside.iter().all(|pair| pair.assessment.trust.admits_current()) {
        return RequestPlan::AlreadyTrusted(hubs);
    }
    if !inside.iter().any(|pair| pair.needs_sync()) {
        return RequestPlan::Verify(hubs);
    }
    let others: Vec<String> = outside
        .iter()
        .filter(|pair| pair.needs_sync())
        .map(|pair| format!("{} on {}", pair.policy.name, pair.hub.name))
        .collect();
    if !request.allow_whole_namespace && !others.is_empty() {
        let refused = hubs.into_iter().map(|hub| match hub.outcome {
            Outcome::AlreadyTrusted => hub,
            _ => HubOutcome {
                outcome: Outcome::Refused,
                reason: Some(Reason::SyncCoversWholeNamespace),
                ..hub
            },
        });
        let detail = format!("a sync would also cover {}", others.join(", "));
        return RequestPlan::Refuse {
            reason: Reason::SyncCoversWholeNamespace,
            detail,
            hubs: refused.collect(),
        };
    }
    let unread: Vec<String> = outside
        .iter()
        .filter(|pair| pair.assessment.trust == Trust::Unreadable)
        .map(|pair| format!("{} on {}", pair.policy.name, pair.hub.name))
        .collect();
    if !request.allow_whole_namespace && !unread.is_empty() {
        let detail = format!(
            "whether a sync would change more than the request names is not known: {} could not be read",
            unread.join(", ")
        );
        return RequestPlan::Undecided { detail, hubs };
    }
    RequestPlan::Sync(hubs)
}

/// Whether a request is for a pair.
#[must_use]
pub fn covers(request: &SyncRequest, pair: &Pair<'_>) -> bool {
    request.hubs.as_ref().is_none_or(|names| names.iter().any(|name| names_hub(name, pair.hub)))
        && request
            .policies
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| means_policy(name, pair.policy)))
}

impl Pair<'_> {
    /// Whether the pair needs a sync: the hub was seen without the policy's current CA, the service does not push it by
    /// itself, and the CA has not ended.
    #[must_use]
    pub fn needs_sync(&self) -> bool {
        self.assessment.trust.lacks_current()
            && self.policy.generation() == Generation::Credentials
            && !self.has_ended
    }

    /// The outcome of a pair whose CA has ended: nothing that is sent to the service makes a hub admit its devices.
    fn outcome_of_ended(&self) -> Option<HubOutcome> {
        let end = self.policy.issuing_ca.not_after.filter(|_| self.has_ended)?;
        let detail = format!("the issuing CA of {} ended on {}", self.policy.name, end.date());
        let outcome = hub_outcome(self, Outcome::Refused, Some(Reason::CaExpired));
        Some(HubOutcome { detail: Some(detail), ..outcome })
    }
}

fn first_outcome(observation: &Observation, pair: &Pair<'_>) -> HubOutcome {
    if let Some(outcome) = pair.outcome_of_ended() {
        return outcome;
    }
    let (outcome, reason) = match pair.assessment.trust {
        Trust::Trusted => (Outcome::AlreadyTrusted, None),
        Trust::Leftover => (Outcome::AlreadyTrusted, Some(Reason::CaLeftover)),
        _ if pair.policy.generation() == Generation::CertificateAuthorities => {
            return pushed_outcome(observation, pair, Progress::Open);
        }
        Trust::Unreadable => (Outcome::Syncing, Some(Reason::HubUnreadable)),
        Trust::Missing | Trust::Stale => (Outcome::Syncing, Some(Reason::SyncRunning)),
    };
    hub_outcome(pair, outcome, reason)
}

/// The outcome of a pair that is not trusted and whose authority the service pushes by itself.
fn pushed_outcome(observation: &Observation, pair: &Pair<'_>, progress: Progress) -> HubOutcome {
    let obstacle = obstacle(observation, pair);
    let (outcome, reason) = match (pair.assessment.trust, progress) {
        _ if !obstacle.may_pass => (Outcome::Failed, obstacle.reason),
        (Trust::Unreadable, Progress::Overdue | Progress::FailedAndOverdue) => {
            (Outcome::Unverified, Reason::HubUnreadable)
        }
        (_, Progress::Overdue | Progress::FailedAndOverdue) if obstacle.reason == Reason::PushAwaited => {
            (Outcome::Unverified, Reason::PushMissing)
        }
        (_, Progress::Overdue | Progress::FailedAndOverdue) => (Outcome::Unverified, obstacle.reason),
        // The sync that failed was one of credential policies, so it says nothing about this pair.
        (_, Progress::Open | Progress::Failed) => (Outcome::Syncing, obstacle.reason),
    };
    HubOutcome { detail: Some(obstacle.detail), ..hub_outcome(pair, outcome, Some(reason)) }
}

fn hub_outcome(pair: &Pair<'_>, outcome: Outcome, reason: Option<Reason>) -> HubOutcome {
    HubOutcome {
        hub: pair.hub.name.clone(),
        policy: pair.policy.name.clone(),
        outcome,
        reason,
        detail: None,
        evidence: pair.assessment.evidence.clone(),
    }
}

/// How far a sync is, as far as its operation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The operation runs, or ended a moment ago: evidence may still come.
    Open,
    /// The operation failed.
    Failed,
    /// The deadline for evidence has passed.
    Overdue,
    /// The operation failed, and the deadline for evidence has passed.
    FailedAndOverdue,
}

/// Judges a request that has joined a sync, from a new observation. A pair that was trusted before the sync stays
/// `already-trusted`; only evidence on the hub makes a pair `trusted`.
#[must_use]
pub fn verify_request(
    request: &SyncRequest,
    before: &[HubOutcome],
    observation: &Observation,
    progress: Progress,
) -> Vec<HubOutcome> {
    verify_assessed(request, before, &observation.assessed(), progress)
}

/// As [`verify_request`], from pairs that were judged before, for a look that has many requests.
#[must_use]
pub fn verify_assessed(
    request: &SyncRequest,
    before: &[HubOutcome],
    assessed: &Assessed<'_>,
    progress: Progress,
) -> Vec<HubOutcome> {
    let observation = assessed.observation;
    let inside: Vec<&Pair<'_>> = assessed.pairs.iter().filter(|pair| covers(request, pair)).collect();
    let mut outcomes: Vec<HubOutcome> = Vec::new();
    for pair in &inside {
        if let Some(outcome) = pair.outcome_of_ended() {
            outcomes.push(outcome);
            continue;
        }
        let earlier = before.iter().find(|hub| hub.hub == pair.hub.name && hub.policy == pair.policy.name);
        let was_trusted = earlier.is_some_and(|hub| hub.outcome == Outcome::AlreadyTrusted);
        let (outcome, reason) = match (pair.assessment.trust, progress) {
            (Trust::Trusted, _) if was_trusted => (Outcome::AlreadyTrusted, None),
            (Trust::Trusted, _) => (Outcome::Trusted, None),
            (Trust::Leftover, _) => (Outcome::Trusted, Some(Reason::CaLeftover)),
            _ if pair.policy.generation() == Generation::CertificateAuthorities => {
                outcomes.push(pushed_outcome(observation, pair, progress));
                continue;
            }
            // A hub that cannot be read delays the judgement until the deadline.
            (Trust::Unreadable, Progress::Open | Progress::Failed) => {
                (Outcome::Syncing, Some(Reason::HubUnreadable))
            }
            (Trust::Unreadable, Progress::Overdue | Progress::FailedAndOverdue) => {
                (Outcome::Unverified, Some(Reason::HubUnreadable))
            }
            (_, Progress::Failed | Progress::FailedAndOverdue) => (Outcome::Failed, Some(Reason::SyncFailed)),
            (_, Progress::Overdue) => (Outcome::Unverified, Some(Reason::EvidenceMissing)),
            (_, Progress::Open) => (Outcome::Syncing, Some(Reason::SyncRunning)),
        };
        outcomes.push(hub_outcome(pair, outcome, reason));
    }
    for earlier in before {
        if !outcomes.iter().any(|hub| hub.hub == earlier.hub && hub.policy == earlier.policy) {
            outcomes.push(HubOutcome {
                outcome: Outcome::Refused,
                reason: Some(Reason::HubGone),
                ..earlier.clone()
            });
        }
    }
    outcomes
}

fn names_hub(name: &str, hub: &Hub) -> bool {
    name.eq_ignore_ascii_case(&hub.name) || hub.is_at(name) || name.eq_ignore_ascii_case(hub.id.as_str())
}

/// Whether a request means a policy: its own name alone is every policy of that name.
fn means_policy(name: &str, policy: &Policy) -> bool {
    policy.is_named(name) || policy.own_name().eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests;
