//! Sync requests in the report: those in flight, and what became of the last ones.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord};

/// How many requests are listed, of those in flight and of those that have ended.
pub const LISTED: usize = 50;

/// Sync requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestActivity {
    /// Those that have no outcome yet, the newest first.
    pub in_flight: Vec<RequestEntry>,
    /// Those that have, the newest first.
    pub recent: Vec<RequestEntry>,
}

/// One sync request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RequestEntry {
    /// Its id.
    pub request_id: String,
    /// Its namespace.
    pub namespace_id: ArmId,
    /// The namespace's name.
    pub namespace: String,
    /// Who asked.
    pub requested_by: Option<String>,
    /// Why, in the words of who asked.
    pub stated_reason: Option<String>,
    /// The worst outcome of its hubs.
    pub outcome: Outcome,
    /// Why, where there is more to say.
    pub reason: Option<Reason>,
    /// The particulars.
    pub detail: Option<String>,
    /// When it was first seen.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub submitted_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub updated_at: OffsetDateTime,
    /// How many pairs of a policy and a hub it is for.
    pub pairs: usize,
    /// How many of them are trusted.
    pub trusted_pairs: usize,
}

impl RequestActivity {
    /// Sorts records, the newest first, into lists.
    #[must_use]
    pub fn of(records: &[RequestRecord]) -> Self {
        let list = |is_final: bool| {
            let kept = records.iter().filter(move |record| record.outcome.is_final() == is_final);
            kept.take(LISTED).map(RequestEntry::of).collect()
        };
        Self { in_flight: list(false), recent: list(true) }
    }
}

impl RequestEntry {
    /// What a list shows of a record.
    #[must_use]
    pub fn of(record: &RequestRecord) -> Self {
        let is_trusted = |outcome| matches!(outcome, Outcome::AlreadyTrusted | Outcome::Trusted);
        Self {
            request_id: record.request.request_id.clone(),
            namespace_id: record.request.namespace_id.clone(),
            namespace: record.request.namespace_id.name().to_owned(),
            requested_by: record.request.requested_by.clone(),
            stated_reason: record.request.reason.clone(),
            outcome: record.outcome,
            reason: record.reason,
            detail: record.detail.clone(),
            submitted_at: record.submitted_at,
            updated_at: record.updated_at,
            pairs: record.hubs.len(),
            trusted_pairs: record.hubs.iter().filter(|hub| is_trusted(hub.outcome)).count(),
        }
    }
}
