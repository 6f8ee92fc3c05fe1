//! The stages of a look: the queue delivers its follow-up, the look asks the operation, observes the namespace, and
//! schedules the next look.

use time::{Duration, OffsetDateTime};

use super::effect::FollowUp;
use super::joining;
use super::{Context, Effect, Look, OperationState, Outcomes, Phase, Step, SyncRecord, pause};

impl Look {
    /// Whether this look holds a record.
    pub(super) fn holds(&self, record: &SyncRecord) -> bool {
        record.sync_id == self.sync_id && record.look == Some(self.attempt)
    }
}

/// By how much the awaited follow-up comes too early, if it comes now. The queue delivers none before its time, so its clock is ahead of
/// this instance's by as much at least, and the next look is put off by it: otherwise each pause would be shorter by that, and those
/// that are shorter than that would be none.
///
/// For a follow-up that comes as soon as it was sent, the queue did not wait at all, so that its clock may be further ahead. Then it counts
/// twice, which takes seven looks from the shortest pause to clocks that are two minutes apart. As soon as the queue does wait, this is
/// how far they are apart.
pub(super) fn earliness(record: &SyncRecord, now: OffsetDateTime) -> Duration {
    let early = (record.next_look_at - now).clamp(Duration::ZERO, pause::CLOCKS_APART);
    let waited = record.scheduled_at.map(|at| now - at);
    let came_at_once = waited.is_some_and(|waited| (Duration::ZERO..pause::SHORTEST_PAUSE).contains(&waited));
    if came_at_once { early.saturating_mul(2).min(pause::CLOCKS_APART) } else { early }
}

pub(super) fn follow_up(record: &SyncRecord, sync_id: &str, attempt: u32, context: &Context) -> Step {
    if record.sync_id != sync_id || record.attempt != attempt {
        // The follow-up is older than the one that the record waits for, or forged. The run that recorded the awaited
        // one may have been killed before it sent it.
        return Step::only(vec![Effect::SendFollowUp(FollowUp::of(record))]);
    }
    let early = earliness(record, context.now);
    if record.look == Some(attempt) {
        // Another run is looking, or was killed while it did. This run leaves it alone once; the look of the next
        // follow-up takes its place.
        return again(record.clone(), pause::LEFT_ALONE, record.look, &Context { early, ..context.clone() });
    }
    let look = Look { sync_id: record.sync_id.clone(), attempt, early };
    let record = SyncRecord { look: Some(attempt), ..record.clone() };
    let effect = match &record.operation {
        // A gathering record of the last release may still hold the operation of an earlier sync, which is not asked.
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
        // The requests that are left came while the look planned the others.
        Phase::Gathering => again(left, pause::FIRST_LOOK, None, context),
        _ => {
            let next = joining::next(&left, context);
            let effects = vec![Effect::SendFollowUp(FollowUp::of(&next))];
            Step::write(next, effects)
        }
    }
}

/// Schedules the next look after a pause, and records outcomes.
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

/// Schedules the next look after a pause, under the next number. `look` is the one that goes on holding the record.
pub(super) fn again(mut record: SyncRecord, wait: Duration, look: Option<u32>, context: &Context) -> Step {
    // A record has the highest number only where the last release believed a forged follow-up. The sync then gets a new
    // id and counts anew, since the queue may know the low numbers of the old id.
    let attempt = record.attempt.checked_add(1).unwrap_or_else(|| {
        record.sync_id.clone_from(&context.next_sync_id);
        1
    });
    record.attempt = attempt;
    record.look = look;
    record.next_look_at = pause::due(pause::clamped(wait), context);
    record.scheduled_at = Some(context.now);
    let effects = vec![Effect::SendFollowUp(FollowUp::of(&record))];
    Step::write(record, effects)
}
