//! The way of a look: its follow-up is delivered, it asks, it observes, and it makes room for the next one.

use time::Duration;

use super::effect::FollowUp;
use super::joining;
use super::{Context, Effect, Look, OperationState, Outcomes, Phase, Step, SyncRecord, pause};

impl Look {
    /// Whether a record is held by this look.
    pub(super) fn holds(&self, record: &SyncRecord) -> bool {
        record.sync_id == self.sync_id && record.look == Some(self.attempt)
    }
}

pub(super) fn follow_up(record: &SyncRecord, sync_id: &str, attempt: u32, context: &Context) -> Step {
    if record.sync_id != sync_id || record.attempt != attempt {
        // It is older than what the record waits for, or forged. The run that recorded what the record waits for may have
        // been killed before it sent it.
        return Step::only(vec![Effect::SendFollowUp(FollowUp::of(record))]);
    }
    if record.look == Some(attempt) {
        // Another run is looking, or was killed while it did. It is left alone once: the next follow-up takes its place.
        return again(record.clone(), pause::LEFT_ALONE, record.look, context);
    }
    let look = Look { sync_id: record.sync_id.clone(), attempt };
    let record = SyncRecord { look: Some(attempt), ..record.clone() };
    let effect = match &record.operation {
        // A record of the last release may gather with an operation of before.
        Some(operation) if record.phase == Phase::Started && !operation.finished => {
            Effect::AskOperation(look, operation.clone())
        }
        _ => Effect::Observe(look, OperationState::Silent),
    };
    Step::write(record, vec![effect])
}

pub(super) fn operation_told(
    record: &SyncRecord,
    look: &Look,
    state: &OperationState,
    context: &Context,
) -> Step {
    match state {
        OperationState::Running(asked) if context.now < record.deadline => {
            let pause = asked.unwrap_or_else(|| pause::growing(record.attempt, &record.sync_id));
            again(record.clone(), pause, None, context)
        }
        state => Step::only(vec![Effect::Observe(look.clone(), state.clone())]),
    }
}

/// The report sends a follow-up that was lost again, under a new number: the queue may know the old one.
pub(super) fn timer_passed(record: &SyncRecord, context: &Context) -> Step {
    if context.now - record.next_look_at < pause::LOST_AFTER {
        return Step::nothing();
    }
    again(record.clone(), pause::SHORTEST_PAUSE, record.look, context)
}

/// Requests whose outcome is recorded leave the sync. The look that concluded them ends the sync when none is left, and
/// opens the next one for those that came too late.
pub(super) fn concluded(record: &SyncRecord, look: &Look, finished: &[String], context: &Context) -> Step {
    let mut left = record.clone();
    left.requests.retain(|id| !finished.contains(id));
    left.waiting.retain(|id| !finished.contains(id));
    let holds = look.holds(record);
    if left.known().next().is_none() {
        left.look = None;
        left.operation = None;
        left.phase = Phase::Ended;
        left.since = context.now;
        return Step::write(left, Vec::new());
    }
    match left.phase {
        _ if !holds && left == *record => Step::nothing(),
        _ if !holds => Step::write(left, Vec::new()),
        // They came while the others were planned.
        Phase::Gathering => again(left, pause::FIRST_LOOK, None, context),
        _ => {
            let next = joining::next(&left, context);
            let effects = vec![Effect::SendFollowUp(FollowUp::of(&next))];
            Step::write(next, effects)
        }
    }
}

/// Makes room for the next look, after a pause, and has outcomes recorded.
pub(super) fn again_and_conclude(
    record: SyncRecord,
    wait: Duration,
    outcomes: Outcomes,
    context: &Context,
) -> Step {
    let mut step = again(record, wait, None, context);
    step.effects.push(Effect::Conclude(outcomes));
    step
}

/// Makes room for the next look, after a pause.
pub(super) fn again(mut record: SyncRecord, wait: Duration, look: Option<u32>, context: &Context) -> Step {
    // Only a forged follow-up that the last release believed brings a record to the highest number. It counts anew, as
    // another sync, since the queue may know its low numbers.
    let attempt = record.attempt.checked_add(1).unwrap_or_else(|| {
        record.sync_id.clone_from(&context.next_sync_id);
        1
    });
    record.attempt = attempt;
    record.look = look;
    record.next_look_at = pause::after(context.now, pause::clamped(wait));
    let effects = vec![Effect::SendFollowUp(FollowUp::of(&record))];
    Step::write(record, effects)
}
