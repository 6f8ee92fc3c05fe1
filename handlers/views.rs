//! The documents that tell of sync requests over HTTP. `policysync submit --output json` prints the first of them too.

use certificate_management::ArmId;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::reason::Reason;
use certificate_management::report::RequestEntry;
use certificate_management::request::{HubOutcome, Outcome, RequestRecord, Requester};
use serde::Serialize;
use time::OffsetDateTime;

use crate::fleet::Fleet;

/// A request, and what became of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RequestView<'a> {
    /// Its id.
    pub request_id: &'a str,
    /// Its namespace.
    pub namespace_id: &'a ArmId,
    /// The worst outcome of its hubs, or its own where it ended before it came to hubs.
    pub outcome: Outcome,
    /// Why, where there is more to say than the outcome.
    pub reason: Option<Reason>,
    /// Who asked.
    pub requested_by: Option<&'a str>,
    /// How the app knows who asked.
    pub requester: Requester,
    /// The reason with its particulars, for a person.
    pub detail: Option<&'a str>,
    /// What a person does next, where there is a reason.
    pub next_step: Option<String>,
    /// When the app first saw it.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub submitted_at: OffsetDateTime,
    /// When its record last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub updated_at: OffsetDateTime,
    /// The outcome per hub and policy; empty until a look has found the hubs.
    pub hubs: &'a [HubOutcome],
}

impl<'a> RequestView<'a> {
    /// A record as a caller sees it.
    #[must_use]
    pub fn of(fleet: &Fleet, record: &'a RequestRecord) -> Self {
        Self {
            request_id: &record.request.request_id,
            namespace_id: &record.request.namespace_id,
            outcome: record.outcome,
            reason: record.reason,
            requested_by: record.request.requested_by.as_deref(),
            requester: record.requester,
            detail: record.detail.as_deref(),
            next_step: next_step(fleet, record),
            submitted_at: record.submitted_at,
            updated_at: record.updated_at,
            hubs: &record.hubs,
        }
    }
}

/// What a person does about the outcome of a request, where it has a reason.
#[must_use]
pub fn next_step(fleet: &Fleet, record: &RequestRecord) -> Option<String> {
    record.reason.map(|reason| next_step_of(fleet, record, reason))
}

/// What a person does about a reason that a request, or a hub of it, has.
#[must_use]
pub fn next_step_of(fleet: &Fleet, record: &RequestRecord, reason: Reason) -> String {
    let situation = match fleet.configuration.namespace(&record.request.namespace_id) {
        Some(configuration) => Situation::of(configuration, fleet.kill_switch, Caller::App).at(fleet.now()),
        None => Situation::of_fleet(fleet.kill_switch, Caller::App),
    };
    next_step::of(reason, &situation)
}

/// A page of requests, the one that changed last first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RequestList {
    /// Which page of how many.
    pub page: PageNumber,
    /// The requests.
    pub requests: Vec<RequestEntry>,
    /// How many records of this page are broken and left out; the log names them.
    pub broken: usize,
    /// Whether there are older requests than the pages have.
    pub is_cut: bool,
}

/// The place of a page.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PageNumber {
    /// From 1.
    pub number: usize,
    /// How many pages there are, at least 1.
    pub of: usize,
}
