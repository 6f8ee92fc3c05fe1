//! Every decision about a sync, as one pure state machine.
//!
//! A namespace has one [`SyncRecord`]. When something happens to it ([`Event`]), [`step`] decides what the record
//! becomes and what the driver does about it ([`Effect`]). The driver reads the record, calls [`step`], writes the
//! record by compare-and-swap (and begins again when that fails), does the effects in their order, and hands their
//! results back as events. It decides nothing itself.
//!
//! What the machine relies on:
//! - The driver writes the record before it does the effects. So a run that is killed leaves a record of what is to be
//!   done, and the queue delivers the message again that the run did not complete.
//! - Each follow-up has a number, which the driver records before it sends the follow-up. When a follow-up with another
//!   number is delivered, the driver only sends the one again that the record waits for, under the same message id, and
//!   the queue drops it if it has it.
//! - A look measures by how much its follow-up came too early ([`Look::early`]): the queue's clock is ahead of that of the instance by as
//!   much, and what the look schedules is put off by it.
//! - A look holds the record while it reads. Its number fences it, and no time does: a second delivery of its follow-up
//!   leaves the look alone once, and then takes its place, whatever the clocks say.
//! - The driver claims a POST in the record before it sends it, and the number of the claim fences the answer. The
//!   record remembers what the POST was for beyond its sync ([`Sent`]): no run sends another POST while this one may be
//!   on its way, or may still give the hubs what it was for, until the claim's time is over.
//! - A request leaves the sync record after its outcome was recorded, never before.
//!
//! The phases ([`Phase`]) and what moves a sync from one to another are drawn in `ARCHITECTURE.md`; a test compares.

mod admission;
mod automatic;
mod conclusion;
mod conclusions;
mod effect;
mod event;
mod failure;
mod joining;
mod judging;
mod leaving;
mod looking;
mod missing;
mod operation;
pub mod pause;
mod planning;
mod posting;
mod record;
mod sent;
mod unseen;

pub use self::admission::{Admission, admit, purges, without_marks};
pub use self::automatic::{Automatic, Repeat, automatic, candidates, look_again_after, repeat};
pub use self::conclusion::Conclusion;
pub use self::effect::{Effect, FollowUp, Outcomes};
pub use self::event::{Claim, Context, Event, Look, MOST_REQUESTS, OperationState, PostEnd};
pub use self::failure::{Failure, FailureKind, Setback};
pub use self::missing::Missing;
pub use self::operation::SyncOperation;
pub use self::record::{Phase, SyncRecord};
pub use self::sent::Sent;
use crate::request::RequestRecord;

/// What a step decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Step {
    /// The record to write; `None`: it stays as it is.
    pub record: Option<SyncRecord>,
    /// What the driver does once the record is written, in this order.
    pub effects: Vec<Effect>,
}

impl Step {
    /// Changes nothing and asks for nothing.
    fn nothing() -> Self {
        Self::default()
    }

    fn write(record: SyncRecord, effects: Vec<Effect>) -> Self {
        Self { record: Some(record), effects }
    }

    fn only(effects: Vec<Effect>) -> Self {
        Self { record: None, effects }
    }
}

/// Decides what the record of a namespace's sync becomes after an event, and what the driver does about it.
///
/// `record` is the one that is stored now. `requests` are the records of the event's requests; `step` ignores those of
/// other namespaces.
pub fn step(
    record: Option<&SyncRecord>,
    requests: &[RequestRecord],
    event: &Event<'_>,
    context: &Context,
) -> Step {
    let of_look;
    let context = match event.look() {
        Some(look) if !look.early.is_zero() => {
            of_look = Context { early: look.early, ..context.clone() };
            &of_look
        }
        _ => context,
    };
    let open = record.filter(|record| record.is_open());
    let namespace = record.map(|record| &record.namespace_id);
    let requests: Vec<&RequestRecord> = requests
        .iter()
        .filter(|known| namespace.is_none_or(|namespace| known.request.namespace_id == *namespace))
        .collect();
    match (event, open) {
        (Event::Requested, _) => joining::requested(record, &requests, context),
        (Event::PostEnded { claim, end }, open) if !open.is_some_and(|open| claim.holds(open)) => {
            record.map_or_else(Step::nothing, |record| posting::ended_late(record, claim, end))
        }
        (Event::FollowUp { sync_id, attempt }, Some(record)) => {
            looking::follow_up(record, sync_id, *attempt, context)
        }
        (Event::TimerPassed, Some(record)) => looking::timer_passed(record, context),
        (Event::OperationTold { look, state }, Some(record)) if look.holds(record) => {
            looking::operation_told(record, look, state, context)
        }
        (Event::Observed { look, seen, operation, missing }, Some(record)) if look.holds(record) => {
            let mut record = record.clone();
            // A request that left the sync while this look was reading has its outcome.
            let requests: Vec<&RequestRecord> =
                requests.into_iter().filter(|known| record.knows(&known.request.request_id)).collect();
            record.lacks(look, missing);
            match seen {
                // An observation of another namespace says nothing about this one.
                Ok(observation) if observation.namespace.id != record.namespace_id => {
                    looking::again(record, pause::FIRST_LOOK, None, context)
                }
                Ok(observation) if record.phase == Phase::Gathering => {
                    planning::seen(record, &requests, look, observation, context)
                }
                Ok(observation) => judging::seen(record, &requests, look, observation, operation, context),
                Err(failure) => unseen::unseen(record, &requests, look, failure, context),
            }
        }
        (Event::PostEnded { claim, end }, Some(record)) => posting::ended(record, claim, end, context),
        (Event::Concluded { look, finished }, Some(record)) if look.sync_id == record.sync_id => {
            looking::concluded(record, look, finished, context)
        }
        // Another look has taken the place of this one, or the sync ended long ago.
        _ => Step::nothing(),
    }
}

#[cfg(test)]
mod tests;
