//! A look at a sync that gathers: it plans every request against one observation, and claims the sync if one of them
//! needs it.

use super::conclusions::{as_a_whole, is_overdue, is_premature, of_claim, of_hubs, of_plan, undecided};
use super::looking::again_and_conclude;
use super::sent::plan_hash;
use super::{Claim, Conclusion, Context, Effect, Look, Outcomes, Phase, Sent, Step, SyncRecord, pause};
use crate::plan::{self, Assessed, Observation, Progress, RequestPlan};
use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord};

pub(super) fn seen(
    record: SyncRecord,
    requests: &[&RequestRecord],
    look: &Look,
    observation: &Observation,
    context: &Context,
) -> Step {
    let mut outcomes = Outcomes { look: Some(look.clone()), ..Outcomes::default() };
    let (mut to_sync, mut to_watch) = (Vec::new(), Vec::new());
    let assessed = observation.assessed();
    for known in requests {
        if known.outcome.is_final() {
            outcomes.already_final.push(known.request.request_id.clone());
            continue;
        }
        let plan = plan::plan_assessed(&known.request, context.mode, &assessed);
        let plan = plan.unless_frozen(&known.request, context.freeze.as_deref());
        if is_premature(&record, &plan, observation, context) {
            let detail = "the last sync may still bring what the namespace lacks";
            to_sync.push(as_a_whole(known, Outcome::Queued, Reason::SyncRunning, detail));
            continue;
        }
        match (of_plan(&known.request, &plan), plan) {
            (Some(conclusion), _) => outcomes.conclusions.push(conclusion),
            // The need of the request was claimed before, and its time is over.
            (None, plan) if record.claimed_at.is_some() && is_overdue(&record, known, context) => {
                outcomes.conclusions.push(out_of_time(&record, known, &plan, &assessed));
            }
            (None, RequestPlan::Sync(hubs)) => to_sync.push(syncing(&record, known, hubs)),
            (None, RequestPlan::Verify(hubs) | RequestPlan::Undecided { hubs, .. }) => {
                to_watch.push(syncing(&record, known, hubs));
            }
            (None, RequestPlan::AlreadyTrusted(_) | RequestPlan::Refuse { .. }) => {}
        }
    }
    if to_sync.is_empty() && to_watch.is_empty() {
        return Step::write(record, vec![Effect::Conclude(outcomes)]);
    }
    let is_claimed = !to_sync.is_empty();
    if is_claimed && record.sent.as_ref().is_some_and(|sent| sent.holds_up(observation, context)) {
        let told = to_sync.into_iter().chain(to_watch);
        return wait_for_the_last_post(record, requests, outcomes, told, context);
    }
    let mut record = taken_out_of_gathering(record, requests, is_claimed, context);
    if is_claimed {
        record.sent = Some(Sent::of(&record.sync_id, record.posts, observation, context));
        to_sync.append(&mut to_watch);
        let plan = plan_hash(observation);
        let planned = of_claim(to_sync, &plan);
        record.plan = Some(plan);
        let claim = Claim { look: look.clone(), post: record.posts, planned };
        return Step::write(record, vec![Effect::Post(claim), Effect::Conclude(outcomes)]);
    }
    outcomes.conclusions.append(&mut to_watch);
    again_and_conclude(record, pause::AFTER_POST, outcomes, context)
}

/// Schedules the next look instead of a POST: the last POST may still give the hubs what it was for.
fn wait_for_the_last_post(
    record: SyncRecord,
    requests: &[&RequestRecord],
    mut outcomes: Outcomes,
    told: impl Iterator<Item = Conclusion>,
    context: &Context,
) -> Step {
    let known =
        |told: &Conclusion| requests.iter().find(|known| known.request.request_id == told.request.request_id);
    outcomes.conclusions.extend(told.filter(|told| known(told).is_some_and(|known| told.changes(known))));
    let pause = pause::growing(record.attempt, &record.sync_id);
    again_and_conclude(record, pause, outcomes, context)
}

/// The record of a sync for the requests that were planned; those that have joined since wait for the next sync.
fn taken_out_of_gathering(
    mut record: SyncRecord,
    planned: &[&RequestRecord],
    is_claimed: bool,
    context: &Context,
) -> SyncRecord {
    let is_planned = |id: &String| planned.iter().any(|known| known.request.request_id == *id);
    let (covered, since): (Vec<String>, Vec<String>) =
        record.known().map(str::to_owned).partition(is_planned);
    (record.requests, record.waiting) = (covered, since);
    record.phase = if is_claimed { Phase::Claimed } else { Phase::Watching };
    record.since = context.now;
    record.operation = None;
    if is_claimed {
        record.posts = record.posts.saturating_add(1);
        record.setback = None;
    }
    if record.claimed_at.is_none() {
        record.claimed_at = Some(context.now);
        record.deadline = pause::after(context.now, context.patience);
    }
    record
}

fn syncing(record: &SyncRecord, known: &RequestRecord, hubs: Vec<HubOutcome>) -> Conclusion {
    of_hubs(&known.request, Some(&record.sync_id), hubs, None)
}

fn out_of_time(
    record: &SyncRecord,
    known: &RequestRecord,
    plan: &RequestPlan,
    assessed: &Assessed<'_>,
) -> Conclusion {
    match (plan, &record.setback) {
        // No POST was for these hubs, so the end of the last POST says nothing about them.
        (RequestPlan::Verify(_), _) => {
            let hubs = plan::verify_assessed(&known.request, &known.hubs, assessed, Progress::Overdue);
            of_hubs(&known.request, Some(&record.sync_id), hubs, None)
        }
        (RequestPlan::Undecided { detail, hubs }, _) => undecided(&known.request, detail, hubs),
        (_, Some(setback)) => as_a_whole(known, Outcome::Failed, setback.reason, &setback.detail),
        (_, None) => {
            let detail = "the time for evidence is over";
            as_a_whole(known, Outcome::Unverified, Reason::EvidenceMissing, detail)
        }
    }
}
