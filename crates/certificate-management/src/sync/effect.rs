//! What the driver does after a step, in the order in which it must become durable. The record of the step comes first.

use time::{Duration, OffsetDateTime};

use super::conclusion::Conclusion;
use super::{Claim, Look, SyncOperation, SyncRecord};
use crate::ArmId;
use crate::request::{Outcome, SyncRequest};

/// One thing that the driver does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the service how far an operation is; answer with [`super::Event::OperationTold`].
    AskOperation(Look, SyncOperation),
    /// Observe the namespace, then read the records of the requests that the sync knows; answer with
    /// [`super::Event::Observed`].
    Observe(Look, super::OperationState),
    /// Send the POST, if the mode still lets it; answer with [`super::Event::PostEnded`].
    Post(Claim),
    /// Put a follow-up on the queue.
    SendFollowUp(FollowUp),
    /// Record outcomes of requests.
    Conclude(Outcomes),
    /// Put requests back on the queue for later: the sync knows as many requests as it can hold.
    PutBack(Vec<SyncRequest>),
    /// Measure a sync that has ended.
    Measure {
        /// How long it took from its first claim.
        took: Duration,
        /// The worst outcome of the requests that it was for.
        worst: Outcome,
    },
}

/// Outcomes that the driver records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// One for each request.
    pub conclusions: Vec<Conclusion>,
    /// Requests whose outcome was final when they were read.
    pub already_final: Vec<String>,
    /// The look that asks for [`super::Event::Concluded`] once they are recorded, with the requests that are final.
    pub look: Option<Look>,
}

/// A follow-up that the driver sends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FollowUp {
    /// Id of the sync.
    pub sync_id: String,
    /// ARM id of its namespace.
    pub namespace_id: ArmId,
    /// Its number. With the sync's id it is the id of the message, so that a step that runs twice sends one message.
    pub attempt: u32,
    /// When it is due.
    pub due: OffsetDateTime,
    /// W3C trace context of the request that opened the sync.
    pub traceparent: Option<String>,
}

impl FollowUp {
    /// The follow-up that a record waits for.
    #[must_use]
    pub fn of(record: &SyncRecord) -> Self {
        Self {
            sync_id: record.sync_id.clone(),
            namespace_id: record.namespace_id.clone(),
            attempt: record.attempt,
            due: record.next_look_at,
            traceparent: record.traceparent.clone(),
        }
    }
}
