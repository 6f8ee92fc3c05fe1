//! Turns decisions about requests into conclusions.

use time::{Duration, OffsetDateTime};

use super::conclusion::{Conclusion, with};
use super::{Context, Effect, Failure, SyncRecord, pause};
use crate::plan::{Observation, RequestPlan};
use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};

/// Concludes a request that is refused before it comes to hubs.
pub(super) fn refused(request: &SyncRequest, reason: Reason, detail: &str) -> Conclusion {
    Conclusion {
        request: request.clone(),
        sync_id: None,
        plan: None,
        outcome: Outcome::Refused,
        reason: Some(reason),
        detail: Some(detail.to_owned()),
        hubs: Vec::new(),
    }
}

/// Concludes a request with one outcome, also for all of its hubs that have no final one.
pub(super) fn as_a_whole(
    known: &RequestRecord,
    outcome: Outcome,
    reason: Reason,
    detail: &str,
) -> Conclusion {
    Conclusion {
        request: known.request.clone(),
        sync_id: known.sync_id.clone(),
        plan: None,
        outcome,
        reason: Some(reason),
        detail: Some(detail.to_owned()),
        hubs: with(known.hubs.clone(), outcome, reason),
    }
}

/// Concludes a request that a failure ends.
pub(super) fn failed(known: &RequestRecord, failure: &Failure) -> Conclusion {
    let outcome = if failure.is_refusal() { Outcome::Refused } else { Outcome::Failed };
    as_a_whole(known, outcome, failure.reason(), &failure.message)
}

/// Concludes a request with the outcome of its hubs. A request without hubs has nothing left to wait for.
pub(super) fn of_hubs(
    request: &SyncRequest,
    sync_id: Option<&str>,
    hubs: Vec<HubOutcome>,
    detail: Option<&str>,
) -> Conclusion {
    let mut record = RequestRecord::queued(request.clone(), OffsetDateTime::UNIX_EPOCH);
    if hubs.is_empty() {
        let detail = "no linked hub and no active policy is left of what the request is for";
        return refused(request, Reason::HubGone, detail);
    }
    record.conclude_hubs(hubs, detail.map(str::to_owned), OffsetDateTime::UNIX_EPOCH);
    Conclusion {
        request: record.request,
        sync_id: sync_id.map(str::to_owned),
        plan: None,
        outcome: record.outcome,
        reason: record.reason,
        detail: record.detail,
        hubs: record.hubs,
    }
}

/// Concludes a request from a final plan. `None`: the plan waits for a sync or for the service.
pub(super) fn of_plan(request: &SyncRequest, plan: &RequestPlan) -> Option<Conclusion> {
    match plan {
        RequestPlan::AlreadyTrusted(hubs) => Some(of_hubs(request, None, hubs.clone(), None)),
        RequestPlan::Refuse { reason, detail, hubs } => {
            Some(Conclusion { hubs: hubs.clone(), ..refused(request, *reason, detail) })
        }
        // No hub of it can change by itself, so there is nothing to wait for.
        RequestPlan::Verify(hubs) if hubs.iter().all(|hub| hub.outcome.is_final()) => {
            Some(of_hubs(request, None, hubs.clone(), None))
        }
        RequestPlan::Sync(_) | RequestPlan::Verify(_) | RequestPlan::Undecided { .. } => None,
    }
}

/// Concludes a request whose time is over while a hub could not be read, so that it is not known whether a sync would
/// change more than the request names.
pub(super) fn undecided(request: &SyncRequest, detail: &str, hubs: &[HubOutcome]) -> Conclusion {
    let reason = Reason::SyncCoversWholeNamespace;
    let hubs = with(hubs.to_vec(), Outcome::Refused, reason);
    Conclusion { hubs, ..refused(request, reason, detail) }
}

/// The conclusions of a claim, with the hash of what its POST is for.
pub(super) fn of_claim(planned: Vec<Conclusion>, plan: &str) -> Vec<Conclusion> {
    planned.into_iter().map(|planned| Conclusion { plan: Some(plan.to_owned()), ..planned }).collect()
}

/// With the hash of what the last POST of its sync was for. The run that sent it may have been killed before it recorded that.
pub(super) fn of_post(conclusion: Conclusion, record: &SyncRecord) -> Conclusion {
    let plan = conclusion.plan.or_else(|| record.plan.clone());
    Conclusion { plan, ..conclusion }
}

/// Whether a plan refuses a request because of other pairs that the last POST may still satisfy.
pub(super) fn is_premature(
    record: &SyncRecord,
    plan: &RequestPlan,
    observation: &Observation,
    context: &Context,
) -> bool {
    matches!(plan, RequestPlan::Refuse { reason: Reason::SyncCoversWholeNamespace, .. })
        && record.sent.as_ref().is_some_and(|sent| sent.holds_up(observation, context))
}

/// Whether a request has waited long enough: the deadline of its need has passed, and its own time is over.
pub(super) fn is_overdue(record: &SyncRecord, known: &RequestRecord, context: &Context) -> bool {
    let own = pause::after(known.submitted_at, context.patience.max(Duration::ZERO));
    context.now >= record.deadline && context.now >= own
}

/// The effect that measures a sync that ends with this outcome.
pub(super) fn measured(record: &SyncRecord, worst: Outcome, context: &Context) -> Effect {
    let took = context.now - record.claimed_at.unwrap_or(context.now);
    Effect::Measure { took: took.max(Duration::ZERO), worst }
}
