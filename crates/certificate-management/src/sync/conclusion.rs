//! What is to be recorded of one request, and whether that says anything new.

use time::OffsetDateTime;

use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};

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

/// Hubs of which those without a final outcome get one.
pub(super) fn with(mut hubs: Vec<HubOutcome>, outcome: Outcome, reason: Reason) -> Vec<HubOutcome> {
    for hub in hubs.iter_mut().filter(|hub| !hub.outcome.is_final()) {
        (hub.outcome, hub.reason) = (outcome, Some(reason));
    }
    hubs
}
