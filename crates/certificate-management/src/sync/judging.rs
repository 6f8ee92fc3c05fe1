//! A look at a sync that was claimed, started or only watches: the evidence on the hubs decides.

use super::conclusions::{
    is_overdue, is_premature, measured, of_claim, of_hubs, of_plan, of_post, undecided,
};
use super::looking::again_and_conclude;
use super::pause::{self, CLAIM_DEADLINE, MOST_POSTS};
use super::sent::plan_hash;
use super::{
    Claim, Conclusion, Context, Effect, Look, OperationState, Outcomes, Phase, Sent, Step, SyncRecord,
};
use crate::configuration::Mode;
use crate::plan::{self, Assessed, Observation, Progress, RequestPlan};
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord};

pub(super) fn seen(
    mut record: SyncRecord,
    requests: &[&RequestRecord],
    look: &Look,
    observation: &Observation,
    operation: &OperationState,
    context: &Context,
) -> Step {
    let judged = judge_all(&record, requests, observation, operation, context);
    if matches!(operation, OperationState::Failed(_)) {
        // An operation that has failed gives the hubs nothing any more.
        record.sent = None;
    }
    decide(record, look, judged, observation, context)
}

/// How a look judges the requests.
#[derive(Default)]
struct Judged {
    outcomes: Outcomes,
    /// Requests of the sync that have no final outcome.
    open: Vec<Conclusion>,
    /// Those of them whose record needs an update.
    news: Vec<Conclusion>,
    /// Waiting requests that a sync that only watches takes in.
    taken_in: Vec<String>,
    /// Whether a request that the sync is for still needs a sync.
    needs_sync: bool,
    worst: Option<Outcome>,
}

fn judge_all(
    record: &SyncRecord,
    requests: &[&RequestRecord],
    observation: &Observation,
    operation: &OperationState,
    context: &Context,
) -> Judged {
    let is_watching = record.phase == Phase::Watching;
    let mut judged = Judged::default();
    let assessed = observation.assessed();
    for known in requests {
        let id = &known.request.request_id;
        let is_covered = record.requests.contains(id);
        if known.outcome.is_final() {
            judged.worst = judged.worst.max(Some(known.outcome).filter(|_| is_covered));
            judged.outcomes.already_final.push(id.clone());
            continue;
        }
        // The mode decides what the app sends and not what is true: evidence counts in audit too.
        let plan = plan::plan_assessed(&known.request, Mode::Enforce, &assessed);
        judged.needs_sync |= matches!(plan, RequestPlan::Sync(_)) && (is_covered || is_watching);
        if is_covered {
            let conclusion = judge(record, known, &plan, &assessed, operation, context);
            let conclusion = of_post(conclusion, record);
            judged.worst = judged.worst.max(Some(conclusion.outcome));
            if conclusion.outcome.is_final() {
                judged.outcomes.conclusions.push(conclusion);
                continue;
            }
            if conclusion.changes(known) {
                judged.news.push(conclusion.clone());
            }
            judged.open.push(conclusion);
        } else if is_watching {
            let is_premature = is_premature(record, &plan, observation, context);
            match of_plan(&known.request, &plan).filter(|_| !is_premature) {
                Some(conclusion) => judged.outcomes.conclusions.push(conclusion),
                None => judged.taken_in.push(id.clone()),
            }
        } else if matches!(plan, RequestPlan::AlreadyTrusted(_)) {
            // The sync was not made for this request and satisfies it all the same. Any other outcome has to wait until
            // the sync has ended.
            judged.outcomes.conclusions.extend(of_plan(&known.request, &plan));
        }
    }
    judged
}

/// Judges a request that the sync is for.
fn judge(
    record: &SyncRecord,
    known: &RequestRecord,
    plan: &RequestPlan,
    assessed: &Assessed<'_>,
    operation: &OperationState,
    context: &Context,
) -> Conclusion {
    let is_watching = record.phase == Phase::Watching;
    let is_overdue = is_overdue(record, known, context);
    let final_plan = match plan {
        plan if is_watching && is_premature(record, plan, assessed.observation, context) => None,
        // No POST was sent, so the request can still be refused.
        RequestPlan::Refuse { .. } if is_watching => of_plan(&known.request, plan),
        RequestPlan::Undecided { detail, hubs } if is_watching && is_overdue => {
            Some(undecided(&known.request, detail, hubs))
        }
        // The request would have been refused because the sync covers more than it names; now that sync has covered it
        // too.
        RequestPlan::Refuse { reason: Reason::SyncCoversWholeNamespace, .. } => None,
        // A POST was claimed for the request, and the machine does not know any more whether its hubs trusted before:
        // `already-trusted` would say that no POST was sent.
        RequestPlan::AlreadyTrusted(_) if !is_watching => None,
        // A run was killed before it recorded what it had planned for this request.
        plan if known.outcome == Outcome::Queued => of_plan(&known.request, plan),
        _ => None,
    };
    if let Some(conclusion) = final_plan {
        return conclusion;
    }
    let (progress, said) = match operation {
        OperationState::Failed(said) if is_overdue => (Progress::FailedAndOverdue, Some(said.as_str())),
        OperationState::Failed(said) => (Progress::Failed, Some(said.as_str())),
        _ if is_overdue => (Progress::Overdue, None),
        _ => (Progress::Open, None),
    };
    let hubs = plan::verify_assessed(&known.request, &known.hubs, assessed, progress);
    of_hubs(&known.request, Some(&record.sync_id), hubs, said)
}

fn decide(
    mut record: SyncRecord,
    look: &Look,
    judged: Judged,
    observation: &Observation,
    context: &Context,
) -> Step {
    let Judged { mut outcomes, open, mut news, taken_in, needs_sync, worst } = judged;
    outcomes.look = Some(look.clone());
    if record.phase == Phase::Watching {
        if needs_sync {
            outcomes.conclusions.append(&mut news);
            return gather_again(record, outcomes, context);
        }
        record.waiting.retain(|id| !taken_in.contains(id));
        record.requests.extend(taken_in.iter().cloned());
    }
    if open.is_empty() && taken_in.is_empty() {
        return end(record, outcomes, worst, context);
    }
    let is_lost = record.phase == Phase::Claimed && context.now - record.since > CLAIM_DEADLINE;
    if is_lost && context.mode == Mode::Audit {
        // In audit mode no run sends the POST again, so no evidence will come.
        let detail = "the answer to the sync was lost, and in audit mode it is not sent again";
        let refused = open.into_iter().map(|open| open.ended(Outcome::Refused, Reason::AuditMode, detail));
        outcomes.conclusions.extend(refused);
        return end(record, outcomes, Some(Outcome::Refused), context);
    }
    let breaks = open.iter().any(|open| open.request.break_freeze);
    if let Some(freeze) = context.freeze.as_ref().filter(|_| is_lost && needs_sync && !breaks) {
        let detail = format!("the answer to the sync was lost, and it is not sent again: {freeze}");
        let refused = open.into_iter().map(|open| open.ended(Outcome::Refused, Reason::Frozen, &detail));
        outcomes.conclusions.extend(refused);
        return end(record, outcomes, Some(Outcome::Refused), context);
    }
    if is_lost && needs_sync && record.posts.saturating_sub(record.refused) < MOST_POSTS {
        record.posts = record.posts.saturating_add(1);
        record.since = context.now;
        record.sent = Some(Sent::of(&record.sync_id, record.posts, observation, context));
        let plan = plan_hash(observation);
        let planned = of_claim(open, &plan);
        record.plan = Some(plan);
        let claim = Claim { look: look.clone(), post: record.posts, planned };
        return Step::write(record, vec![Effect::Post(claim), Effect::Conclude(outcomes)]);
    }
    outcomes.conclusions.append(&mut news);
    let pause = pause::growing(record.attempt, &record.sync_id);
    again_and_conclude(record, pause, outcomes, context)
}

/// Every request that the sync is for has its outcome. The sync ends when these are recorded.
pub(super) fn end(record: SyncRecord, outcomes: Outcomes, worst: Option<Outcome>, context: &Context) -> Step {
    let measured = worst.map(|worst| measured(&record, worst, context));
    let effects = [Effect::Conclude(outcomes)].into_iter().chain(measured).collect();
    Step::write(record, effects)
}

/// A sync that only watches gathers again, so that its next look plans every request that it knows anew.
fn gather_again(mut record: SyncRecord, outcomes: Outcomes, context: &Context) -> Step {
    record.phase = Phase::Gathering;
    record.since = context.now;
    record.operation = None;
    record.requests.append(&mut record.waiting);
    again_and_conclude(record, pause::FIRST_LOOK, outcomes, context)
}
