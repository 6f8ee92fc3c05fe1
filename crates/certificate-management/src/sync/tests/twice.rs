//! Takes every step twice. An event that the machine gets again, with the record that it led to, changes nothing:
//!
//! - the record stays as it is,
//! - no POST is wanted,
//! - every effect was wanted before, or sends the follow-up that the record waits for, under the number that it had.
//!
//! The machine cannot tell two events from those of another run, so it schedules one more look for them, and changes
//! nothing after that:
//!
//! - a follow-up whose look has begun: the look may be of a run that was killed, so the machine leaves it alone, once;
//! - the observation of the look that claimed: its POST may never have been sent, so the machine looks for the
//!   evidence. The claim and its number stay, so the first POST's answer still counts, and there is no second one
//!   before the claim's time is over.

mod generated;
mod table;

use crate::request::RequestRecord;
use crate::sync::looking::earliness;
use crate::sync::pause::{LEFT_ALONE, clamped};
use crate::sync::{Context, Effect, Event, FollowUp, Phase, Step, SyncRecord, step};

/// The effect of the same event the second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    /// Nothing was wanted.
    Nothing,
    /// What had been wanted was wanted again, in part or as a whole.
    Same,
    /// The follow-up that the record waits for is sent again.
    FollowUpAgain,
    /// The look that has begun is left alone, once.
    LeftAlone,
    /// The look that has claimed makes room for the next one, once.
    MadeRoom,
}

/// Takes a step twice, and once more.
fn twice(
    record: Option<&SyncRecord>,
    requests: &[RequestRecord],
    event: &Event<'_>,
    context: &Context,
) -> Result<Second, String> {
    // A run that begins again makes up another id.
    let later = Context { next_sync_id: format!("{}-again", context.next_sync_id), ..context.clone() };
    let first = step(record, requests, event, context);
    let after = first.record.clone().or_else(|| record.cloned());
    let second = step(after.as_ref(), requests, event, &later);
    if is_unchanged(after.as_ref(), &second) {
        return again(&first, after.as_ref(), &second);
    }
    let after = after.ok_or("a record came from nowhere")?;
    let second_after = second.record.clone().unwrap_or_else(|| after.clone());
    let made = made_room(event, &after, &second, &second_after, context)?;
    let third = step(Some(&second_after), requests, event, &later);
    if !is_unchanged(Some(&second_after), &third) {
        return Err(format!("the third time, it became {:?}", third.record));
    }
    again(&second, Some(&second_after), &third)?;
    Ok(made)
}

fn is_unchanged(record: Option<&SyncRecord>, step: &Step) -> bool {
    step.record.is_none() || step.record.as_ref() == record
}

/// Checks what is wanted of a step that changed nothing.
fn again(before: &Step, record: Option<&SyncRecord>, step: &Step) -> Result<Second, String> {
    let follow_up = record.map(|record| Effect::SendFollowUp(FollowUp::of(record)));
    let is_new = |effect: &&Effect| !before.effects.contains(effect) && Some(*effect) != follow_up.as_ref();
    if let Some(effect) = step.effects.iter().find(|effect| is_post(effect) || is_new(effect)) {
        return Err(format!("it wanted {effect:?}"));
    }
    Ok(match step.effects.as_slice() {
        [] => Second::Nothing,
        [one] if Some(one) == follow_up.as_ref() => Second::FollowUpAgain,
        _ => Second::Same,
    })
}

fn is_post(effect: &Effect) -> bool {
    matches!(effect, Effect::Post(_))
}

/// Checks a step that makes room for one more look.
fn made_room(
    event: &Event<'_>,
    after: &SyncRecord,
    second: &Step,
    second_after: &SyncRecord,
    context: &Context,
) -> Result<Second, String> {
    let pause = second_after.next_look_at - context.now;
    let (made, look, is_right) = match event {
        Event::FollowUp { attempt, .. } => {
            let expected = LEFT_ALONE + earliness(after, context.now);
            (Second::LeftAlone, after.look, after.look == Some(*attempt) && pause == expected)
        }
        Event::Observed { look, .. } => {
            let is_pause = pause - look.early == clamped(pause - look.early);
            let has_claimed = after.phase == Phase::Claimed && after.look == Some(look.attempt);
            (Second::MadeRoom, None, has_claimed && after.since == context.now && is_pause)
        }
        _ => return Err(format!("it became {second_after:?}")),
    };
    // The number after the highest is the first of another sync.
    let (sync_id, attempt) = match after.attempt.checked_add(1) {
        Some(next) => (after.sync_id.clone(), next),
        None => (second_after.sync_id.clone(), 1),
    };
    let SyncRecord { next_look_at, scheduled_at, .. } = *second_after;
    let right = SyncRecord { sync_id, attempt, look, next_look_at, scheduled_at, ..after.clone() };
    if !is_right || *second_after != right || second.effects.iter().any(is_post) {
        return Err(format!("{made:?}, it became {second_after:?} and wanted {:?}", second.effects));
    }
    let sent = Effect::SendFollowUp(FollowUp::of(second_after));
    if second.effects.first() != Some(&sent) {
        return Err(format!("{made:?}, it wanted {:?}", second.effects));
    }
    Ok(made)
}
