//! Settles messages that did not get done: they come again later, or wait for a person.

use certificate_management::reason::Reason;
use certificate_management::request::Unreadable;
use tokio::time::Instant;

use super::received::Received;
use super::{holding, parking};
use crate::application::Application;

/// A message could neither be done, nor parked where that was due, nor put back. The host delivers the whole batch
/// again; nothing is lost, since every step may run twice.
#[derive(Debug, thiserror::Error)]
#[error("{because}; and the queue did not take the message back: {queue}")]
pub struct BatchError {
    /// Why it could not be done.
    pub because: String,
    /// What the queue said.
    pub queue: azure::Error,
}

/// Messages that a batch sets aside while it works on their neighbours.
#[derive(Default)]
pub(super) struct Aside {
    /// Messages that a person has to look at.
    pub to_park: Vec<(Received, Unreadable)>,
    /// Messages that come again later.
    pub to_hold: Vec<(Received, String)>,
}

/// What became of a message that was set aside.
pub(super) enum Settled {
    Held,
    Parked,
}

/// Parks a message that is `unreadable`, or that was held for hours, which has the reason `worn_out` then, and holds any other.
/// It also holds a message that cannot be parked: an outage passes.
pub(super) async fn settle(
    application: &Application,
    message: Received,
    because: String,
    unreadable: Option<Unreadable>,
    worn_out: Reason,
    until: Instant,
) -> Result<Settled, BatchError> {
    let is_worn_out = holding::held(&message).1 >= holding::MOST_HOLDS;
    let reason = unreadable.or_else(|| {
        let detail = format!("it could not be handled for hours: {because}");
        is_worn_out.then_some(Unreadable { reason: worn_out, detail })
    });
    let because = match reason {
        None => {
            tracing::warn!(message.id = message.message_id, "a message is held: {because}");
            because
        }
        Some(reason) => match parking::park(application, &message, &reason, until).await {
            Ok(()) => return Ok(Settled::Parked),
            Err(error) => format!("{because}; and it could not be parked: {error}"),
        },
    };
    match holding::hold(application, &message, until).await {
        Ok(()) => Ok(Settled::Held),
        Err(queue) => Err(BatchError { because, queue }),
    }
}
