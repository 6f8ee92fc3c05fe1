//! A look that saw nothing of the namespace. The sync waits for a failure that can pass; requests whose time is over
//! get their outcome.

use super::conclusions::{as_a_whole, failed, is_overdue, of_post};
use super::failure::Consequence;
use super::judging::end;
use super::looking::again_and_conclude;
use super::{Conclusion, Context, Failure, Look, Outcomes, Phase, Step, SyncRecord, pause};
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord};

/// What follows for one request.
enum Fate {
    /// It has this outcome.
    Ends(Conclusion),
    /// The sync looks again for it; until then it has this outcome, or keeps the one that it has.
    Waits(Option<Conclusion>),
    /// It waits for the next sync.
    IsLeft,
}

pub(super) fn unseen(
    record: SyncRecord,
    requests: &[&RequestRecord],
    look: &Look,
    failure: &Failure,
    context: &Context,
) -> Step {
    let mut outcomes = Outcomes { look: Some(look.clone()), ..Outcomes::default() };
    let (mut waits, mut worst) = (false, None);
    for known in requests {
        let id = &known.request.request_id;
        if known.outcome.is_final() {
            outcomes.already_final.push(id.clone());
            continue;
        }
        let fate = match record.phase {
            Phase::Gathering => before_the_claim(&record, known, failure, context),
            _ => after_the_claim(&record, known, failure, context),
        };
        match fate {
            Fate::Ends(conclusion) => {
                let is_covered = record.phase != Phase::Gathering && record.requests.contains(id);
                let conclusion = if is_covered { of_post(conclusion, &record) } else { conclusion };
                worst = worst.max(Some(conclusion.outcome).filter(|_| is_covered));
                outcomes.conclusions.push(conclusion);
            }
            Fate::Waits(told) => {
                waits = true;
                outcomes.conclusions.extend(told.filter(|told| told.changes(known)));
            }
            Fate::IsLeft => {}
        }
    }
    if !waits {
        return end(record, outcomes, worst, context);
    }
    let growing = pause::growing(record.attempt, &record.sync_id);
    let pause = match failure.retry_after {
        // A sync that gathers can be put off for long, so its pauses grow although the service asks for a short one.
        Some(asked) if record.phase == Phase::Gathering => growing.max(asked),
        asked => asked.unwrap_or(growing),
    };
    again_and_conclude(record, pause, outcomes, context)
}

/// No POST is claimed yet. A failure that another try would meet again ends the request at once; otherwise the request
/// waits, and its record says for what.
fn before_the_claim(
    record: &SyncRecord,
    known: &RequestRecord,
    failure: &Failure,
    context: &Context,
) -> Fate {
    let passes = match failure.consequence() {
        // A need without a claim has no deadline, so an outage of the service fails no request.
        Consequence::Passes => record.claimed_at.is_none() || !is_overdue(record, known, context),
        Consequence::PassesUntilDeadline => !is_overdue(record, known, context),
        Consequence::Final => false,
    };
    if passes {
        Fate::Waits(Some(as_a_whole(known, Outcome::Queued, failure.reason(), &failure.message)))
    } else {
        Fate::Ends(failed(known, failure))
    }
}

/// The POST may have had effect although nothing can be read now: until its time is over, a request keeps its outcome.
fn after_the_claim(record: &SyncRecord, known: &RequestRecord, failure: &Failure, context: &Context) -> Fate {
    if failure.is_refusal() {
        Fate::Ends(failed(known, failure))
    } else if !record.requests.contains(&known.request.request_id) {
        Fate::IsLeft
    } else if is_overdue(record, known, context) {
        let reason = match failure.reason() {
            Reason::NotPermitted => Reason::NotPermitted,
            _ => Reason::HubUnreadable,
        };
        Fate::Ends(as_a_whole(known, Outcome::Unverified, reason, &failure.message))
    } else {
        Fate::Waits(None)
    }
}
