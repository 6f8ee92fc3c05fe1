//! What follows from the end of a POST.

use super::conclusions::measured;
use super::failure::Consequence;
use super::looking::again;
use super::{
    Claim, Conclusion, Context, Effect, Failure, Outcomes, Phase, PostEnd, Sent, Step, SyncOperation,
    SyncRecord, pause,
};
use crate::request::Outcome;
use time::Duration;

impl Claim {
    /// Whether a record still waits for the answer to this claim.
    pub(super) fn holds(&self, record: &SyncRecord) -> bool {
        record.sync_id == self.look.sync_id && record.phase == Phase::Claimed && record.posts == self.post
    }
}

pub(super) fn ended(record: &SyncRecord, claim: &Claim, end: &PostEnd, context: &Context) -> Step {
    let mut record = record.clone();
    match end {
        PostEnd::Accepted(operation) => {
            let pause = asked_by(operation);
            record.phase = Phase::Started;
            record.since = context.now;
            record.operation = Some(operation.clone());
            record.sent = record.sent.map(accepted);
            go_on(record, claim, pause, claim.planned.clone(), context)
        }
        // The POST may have reached the service, so it counts as sent; the evidence decides.
        PostEnd::AnswerLost(_) => go_on(record, claim, pause::AFTER_POST, claim.planned.clone(), context),
        PostEnd::Refused(failure) if failure.consequence() == Consequence::Final => {
            let outcome = if failure.is_refusal() { Outcome::Refused } else { Outcome::Failed };
            let conclusions = tell(claim, outcome, failure);
            let look = Some(claim.look.clone());
            let outcomes = Outcomes { conclusions, look, ..Outcomes::default() };
            record.sent = None;
            let measured = measured(&record, outcome, context);
            Step::write(record, vec![Effect::Conclude(outcomes), measured])
        }
        PostEnd::Refused(failure) => {
            record.phase = Phase::Gathering;
            record.since = context.now;
            record.setback = Some(failure.into());
            record.refused = record.refused.saturating_add(1);
            (record.sent, record.plan) = (None, None);
            record.requests.append(&mut record.waiting);
            let asked = failure.retry_after.unwrap_or_default();
            let pause = pause::growing(record.attempt, &record.sync_id).max(asked);
            go_on(record, claim, pause, tell(claim, Outcome::Queued, failure), context)
        }
    }
}

/// Takes the answer to a POST that its sync does not wait for any more. The next sync may wait for it.
pub(super) fn ended_late(record: &SyncRecord, claim: &Claim, end: &PostEnd) -> Step {
    let Some(sent) = record.sent.clone().filter(|sent| sent.is_of(claim)) else { return Step::nothing() };
    let sent = match end {
        PostEnd::Accepted(_) => Some(accepted(sent)),
        PostEnd::AnswerLost(_) => return Step::nothing(),
        PostEnd::Refused(_) => None,
    };
    Step::write(SyncRecord { sent, ..record.clone() }, Vec::new())
}

fn accepted(sent: Sent) -> Sent {
    Sent { is_accepted: true, ..sent }
}

/// Schedules the next look, unless another look has taken the place of the one that claimed: then the next follow-up is
/// on its way already.
fn go_on(
    record: SyncRecord,
    claim: &Claim,
    pause: Duration,
    conclusions: Vec<Conclusion>,
    context: &Context,
) -> Step {
    let mut step = if claim.look.holds(&record) {
        again(record, pause, None, context)
    } else {
        Step::write(record, Vec::new())
    };
    step.effects.push(Effect::Conclude(Outcomes { conclusions, ..Outcomes::default() }));
    step
}

fn tell(claim: &Claim, outcome: Outcome, failure: &Failure) -> Vec<Conclusion> {
    let planned = claim.planned.iter();
    planned.map(|planned| planned.clone().ended(outcome, failure.reason(), &failure.message)).collect()
}

/// The pause that the service asks for before the first question.
fn asked_by(operation: &SyncOperation) -> Duration {
    let asked = operation.retry_after_seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    asked.map_or(pause::AFTER_POST, Duration::seconds)
}
