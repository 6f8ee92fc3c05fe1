//! Whether a request is the one that its id is known for.

use time::OffsetDateTime;

use crate::request::{RequestRecord, Requester, SyncRequest, is_reserved_id};

/// What a request is, compared with the record of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The id is new: this is the record to create.
    New(RequestRecord),
    /// It is known, with this record.
    Known(RequestRecord),
    /// The id belongs to a request that asks for something else, or for another namespace. Nothing of it may be changed.
    Different,
    /// The id has a form that only the app gives, and the app has not recorded it: a sender has made it up.
    Reserved,
}

/// Compares a request with the record that its id has.
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

/// Whether the record of a request may be removed because it is old. One that is not final never is.
#[must_use]
pub fn purges(record: &RequestRecord) -> bool {
    record.outcome.is_final()
}
