//! Compares a request with the record of its id.

use time::OffsetDateTime;

use super::{Effect, SyncRecord};
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

/// The requests that came and lose the mark which lets the report find a request that no sync knows. `before` is the sync record
/// that they came to, and `effects` are those of the step.
///
/// A request that the sync knew before it came keeps its mark. Its record may have been lost and made anew while a run was
/// recording its outcome; the step after that removes it from the sync, and only the mark then leads to the record without an
/// outcome. A mark that is needless costs the report one read, five minutes later.
pub fn without_marks<'r>(
    before: Option<&SyncRecord>,
    requests: impl IntoIterator<Item = &'r RequestRecord>,
    effects: &[Effect],
) -> Vec<&'r str> {
    let is_known = |id: &str| before.is_some_and(|before| before.is_open() && before.knows(id));
    let is_put_back = |id: &str| {
        effects.iter().any(|effect| match effect {
            Effect::PutBack(requests) => requests.iter().any(|request| request.request_id == id),
            _ => false,
        })
    };
    let open = requests.into_iter().filter(|record| !record.outcome.is_final());
    let ids = open.map(|record| record.request.request_id.as_str());
    ids.filter(|id| !is_known(id) && !is_put_back(id)).collect()
}

/// Whether the record of a request may be removed because it is old. The record of a request without a final outcome
/// may not.
#[must_use]
pub fn purges(record: &RequestRecord) -> bool {
    record.outcome.is_final()
}
