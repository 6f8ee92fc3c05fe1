//! Compares a request with the record of its id.

use time::OffsetDateTime;

use crate::request::{RequestRecord, Requester, SyncRequest, is_reserved_id};

/// Whether a request is new, known, or uses an id that is not its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The id is new: this is the record to create.
    New(RequestRecord),
    /// The request is known, and this is its record.
    Known(RequestRecord),
    /// The id belongs to a request that asks for something else, or for another namespace. Nothing of it may be changed.
    Different,
    /// The id has a form that only the app gives, and the app has not recorded it: a sender has made it up.
    Reserved,
}

/// Decides whether a request may have its id. `existing` is the record of that id.
#[must_use]
pub fn admit(existing: Option<RequestRecord>, request: &SyncRequest, now: OffsetDateTime) -> Admission {
    match existing {
        None if is_reserved_id(&request.request_id) && request.requester != Requester::Policysync => {
            Admission::Reserved
        }
        None => Admission::New(RequestRecord::queued(request.clone(), now)),
        Some(record) if record.request.is_same_wish(request) => Admission::Known(record),
        Some(_) => Admission::Different,
    }
}

/// Whether the record of a request may be removed because it is old. The record of a request without a final outcome
/// may not.
#[must_use]
pub fn purges(record: &RequestRecord) -> bool {
    record.outcome.is_final()
}
