//! The outcome that the driver records of one request, and whether it says anything new.

use time::OffsetDateTime;

use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};

/// The outcome that the driver records of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The request. It names its namespace, too.
    pub request: SyncRequest,
    /// The sync that it is part of.
    pub sync_id: Option<String>,
    /// The hash of what the POST is for that it is part of.
    pub plan: Option<String>,
    /// Its outcome as a whole.
    pub outcome: Outcome,
    /// The reason code.
    pub reason: Option<Reason>,
    /// The particulars, as a sentence.
    pub detail: Option<String>,
    /// The outcome per hub and policy.
    pub hubs: Vec<HubOutcome>,
}

impl Conclusion {
    /// Gives this outcome to the request and to all of its hubs that have no final one.
    pub(super) fn ended(mut self, outcome: Outcome, reason: Reason, detail: &str) -> Self {
        (self.outcome, self.reason, self.detail) = (outcome, Some(reason), Some(detail.to_owned()));
        self.hubs = with(self.hubs, outcome, reason);
        self
    }

    /// Changes the record of the request, and tells whether that changed anything. It leaves a final outcome alone, and
    /// the record of another request or another namespace.
    pub fn apply(&self, record: &mut RequestRecord, now: OffsetDateTime) -> bool {
        if record.outcome.is_final() || !record.request.is_same_wish(&self.request) || !self.changes(record) {
            return false;
        }
        record.sync_id = self.sync_id.clone().or(record.sync_id.take());
        record.plan = self.plan.clone().or(record.plan.take());
        record.hubs.clone_from(&self.hubs);
        record.conclude(self.outcome, self.reason, self.detail.clone(), now);
        true
    }

    /// Whether a record says something else. Another text of the detail alone is no news as long as the outcome is
    /// open.
    pub(super) fn changes(&self, record: &RequestRecord) -> bool {
        self.outcome.is_final()
            || self.outcome != record.outcome
            || self.reason != record.reason
            || (self.sync_id.is_some() && self.sync_id != record.sync_id)
            || (self.plan.is_some() && self.plan != record.plan)
            || !same_hubs(&self.hubs, &record.hubs)
    }
}

/// Whether two lists say the same of the same hubs. Another time of the evidence is no news.
fn same_hubs(a: &[HubOutcome], b: &[HubOutcome]) -> bool {
    let told = |hub: &HubOutcome| (hub.hub.clone(), hub.policy.clone(), hub.outcome, hub.reason);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| told(a) == told(b))
}

/// Gives this outcome to every hub that has no final one.
pub(super) fn with(mut hubs: Vec<HubOutcome>, outcome: Outcome, reason: Reason) -> Vec<HubOutcome> {
    for hub in hubs.iter_mut().filter(|hub| !hub.outcome.is_final()) {
        (hub.outcome, hub.reason) = (outcome, Some(reason));
    }
    hubs
}
