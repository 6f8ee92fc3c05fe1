//! What is to be done after a step, in the order in which it must become durable. The record of the step comes first.

use time::{Duration, OffsetDateTime};

use super::conclusions::with;
use super::{Claim, Look, SyncOperation, SyncRecord};
use crate::ArmId;
use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};

/// Something to do.
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
    /// Put requests back on the queue for later: the sync knows as many as it can.
    PutBack(Vec<SyncRequest>),
    /// Measure a sync that has ended.
    Measure {
        /// How long it took from its first claim.
        took: Duration,
        /// The worst outcome of what it was for.
        worst: Outcome,
    },
}

/// Outcomes to be recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// What is to be recorded of requests.
    pub conclusions: Vec<Conclusion>,
    /// Requests whose outcome was final when they were read.
    pub already_final: Vec<String>,
    /// The look that asks for [`super::Event::Concluded`] once they are recorded, with the requests that are final.
    pub look: Option<Look>,
}

/// A follow-up to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FollowUp {
    /// The sync.
    pub sync_id: String,
    /// Its namespace.
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

/// What is to be recorded of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The request, which also names its namespace.
    pub request: SyncRequest,
    /// The sync that it is part of.
    pub sync_id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<Reason>,
    /// With the particulars.
    pub detail: Option<String>,
    /// The outcome per hub and policy.
    pub hubs: Vec<HubOutcome>,
}

impl Conclusion {
    /// The same with one outcome for the request and for all of its hubs that have none yet.
    pub(super) fn ended(mut self, outcome: Outcome, reason: Reason, detail: &str) -> Self {
        (self.outcome, self.reason, self.detail) = (outcome, Some(reason), Some(detail.to_owned()));
        self.hubs = with(self.hubs, outcome, reason);
        self
    }

    /// Changes the record of the request, and tells whether that changed anything. An outcome that is final stays, and so
    /// does a record of another request or of another namespace.
    pub fn apply(&self, record: &mut RequestRecord, now: OffsetDateTime) -> bool {
        if record.outcome.is_final() || !record.request.is_same_wish(&self.request) || !self.changes(record) {
            return false;
        }
        record.sync_id = self.sync_id.clone().or(record.sync_id.take());
        record.hubs.clone_from(&self.hubs);
        record.conclude(self.outcome, self.reason, self.detail.clone(), now);
        true
    }

    /// Whether a record says something else. The text of a detail alone is no news as long as the outcome is open.
    pub(super) fn changes(&self, record: &RequestRecord) -> bool {
        self.outcome.is_final()
            || self.outcome != record.outcome
            || self.reason != record.reason
            || (self.sync_id.is_some() && self.sync_id != record.sync_id)
            || !same_hubs(&self.hubs, &record.hubs)
    }
}

/// Whether two lists say the same of the same hubs. When something was seen is no news.
fn same_hubs(a: &[HubOutcome], b: &[HubOutcome]) -> bool {
    let told = |hub: &HubOutcome| (hub.hub.clone(), hub.policy.clone(), hub.outcome, hub.reason);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| told(a) == told(b))
}
