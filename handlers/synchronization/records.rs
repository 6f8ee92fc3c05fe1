//! The stored records: one per request, one per namespace for its sync, and a marker for each request that no sync
//! knows yet.

use certificate_management::ArmId;
use certificate_management::request::{RequestRecord, SyncRequest};
use certificate_management::sync::{Admission, Conclusion, SyncRecord, admit as compare};
use serde::{Deserialize, Serialize};
use state::{Change, Modified, Store, Stored, WriteError, key};
use time::OffsetDateTime;

use crate::telemetry::metrics;

/// Prefix of the records of syncs.
pub const SYNCS: &str = "syncs";
/// Prefix of the records of requests.
pub const REQUESTS: &str = "requests";
/// Prefix of the markers of requests that the app has taken and that no sync knows yet.
pub const TAKEN: &str = "taken";

fn request_key(request_id: &str) -> String {
    format!("{REQUESTS}/{}", key::segment(request_id))
}

fn marker_key(request_id: &str) -> String {
    format!("{TAKEN}/{}", key::segment(request_id))
}

/// The key of a namespace's sync.
#[must_use]
pub fn sync_key(namespace_id: &ArmId) -> String {
    format!("{SYNCS}/{}", key::segment(&namespace_id.key()))
}

/// Marks a request that the app has taken, until a sync knows it. Without the marker a request whose message is lost
/// would stay `queued` for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// Id of the request.
    pub request_id: String,
    /// When it was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The record of a request.
///
/// # Errors
/// When the store cannot be read.
pub async fn request(store: &Store, request_id: &str) -> Result<Option<RequestRecord>, WriteError> {
    Ok(stored_request(store, request_id).await?.map(|stored| stored.value))
}

/// The record of a request with its version.
///
/// # Errors
/// When the store cannot be read.
pub async fn stored_request(
    store: &Store,
    request_id: &str,
) -> Result<Option<Stored<RequestRecord>>, state::Error> {
    store.get(&request_key(request_id)).await
}

/// Turns a broken record of a request into `None`, since another read would find it broken too.
///
/// # Errors Every other error of the store.
pub fn unless_broken<T>(id: &str, read: Result<Option<T>, state::Error>) -> Result<Option<T>, state::Error> {
    match read {
        Err(error) if matches!(error.kind(), state::ErrorKind::Corrupt | state::ErrorKind::TooLarge) => {
            tracing::error!(
                request.id = id,
                "a request gets no outcome, because its record is broken: {error}"
            );
            Ok(None)
        }
        read => read,
    }
}

/// Compares a request with the record of its id. Where there is none, it writes the marker and then the record.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn admit(
    store: &Store,
    request: &SyncRequest,
    now: OffsetDateTime,
) -> Result<Admission, WriteError> {
    let known = self::request(store, &request.request_id).await?;
    let admission = compare(known, request, now);
    let Admission::New(record) = &admission else { return Ok(admission) };
    mark(store, &request.request_id, now).await?;
    match store.create(&request_key(&request.request_id), record).await {
        Ok(_) => Ok(admission),
        Err(WriteError::Conflict) => denied(self::request(store, &request.request_id).await?, request, now),
        Err(error) => Err(error),
    }
}

/// What a request is whose record could not be made because there is one already: another run has made it in the meantime. Where none is
/// found after all, the request is not on record, and its message must come again.
fn denied(
    found: Option<RequestRecord>,
    request: &SyncRequest,
    now: OffsetDateTime,
) -> Result<Admission, WriteError> {
    found.map_or(Err(WriteError::Conflict), |known| Ok(compare(Some(known), request, now)))
}

/// Marks a request as taken and known to no sync.
///
/// # Errors
/// When the store cannot be written.
pub async fn mark(store: &Store, request_id: &str, now: OffsetDateTime) -> Result<(), state::Error> {
    let marker = Marker { request_id: request_id.to_owned(), at: now };
    store.put(&marker_key(request_id), &marker).await?;
    Ok(())
}

/// Takes the mark away: a sync knows the request, or it has its outcome.
///
/// # Errors
/// When the store cannot be written.
pub async fn unmark(store: &Store, request_id: &str) -> Result<(), state::Error> {
    store.delete(&marker_key(request_id)).await
}

/// Records a conclusion on the newest version of the request's record; answers that record, or `None` when there is none, or
/// one that is broken.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn conclude(
    store: &Store,
    conclusion: &Conclusion,
    known: Option<Stored<RequestRecord>>,
    now: OffsetDateTime,
) -> Result<Option<RequestRecord>, WriteError> {
    match write_conclusion(store, conclusion, known, now).await {
        Err(WriteError::Failed(error)) => Ok(unless_broken(&conclusion.request.request_id, Err(error))?),
        concluded => concluded,
    }
}

async fn write_conclusion(
    store: &Store,
    conclusion: &Conclusion,
    known: Option<Stored<RequestRecord>>,
    now: OffsetDateTime,
) -> Result<Option<RequestRecord>, WriteError> {
    let key = request_key(&conclusion.request.request_id);
    if let Some(Stored { value: mut record, version }) = known {
        let was_final = record.outcome.is_final();
        if !conclusion.apply(&mut record, now) {
            return Ok(Some(record));
        }
        match store.update(&key, &record, &version).await {
            Ok(_) => {
                measure(was_final, &record);
                return Ok(Some(record));
            }
            // Another run has changed it since it was read.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    let (mut found, mut was_final) = (None, false);
    let decide = |existing: Option<RequestRecord>| {
        found.clone_from(&existing);
        let Some(mut record) = existing else { return Change::Keep };
        was_final = record.outcome.is_final();
        if conclusion.apply(&mut record, now) { Change::Write(record) } else { Change::Keep }
    };
    match store.modify(&key, decide).await? {
        Modified::Written(stored) => {
            measure(was_final, &stored.value);
            Ok(Some(stored.value))
        }
        Modified::Kept => Ok(found),
    }
}

fn measure(was_final: bool, record: &RequestRecord) {
    if !was_final && record.outcome.is_final() {
        metrics::sync_request_ended(&record.request.namespace_id, record.outcome, record.reason);
    }
}

/// The record of a namespace's sync.
///
/// # Errors
/// When the store cannot be read.
pub async fn sync(store: &Store, namespace_id: &ArmId) -> Result<Option<Stored<SyncRecord>>, state::Error> {
    store.get(&sync_key(namespace_id)).await
}

/// Writes the record of a namespace's sync, if no other run has written it since it was read.
///
/// # Errors [`WriteError::Conflict`] when another run has; otherwise the error of the store.
pub async fn write_sync(
    store: &Store,
    read: Option<&Stored<SyncRecord>>,
    record: SyncRecord,
) -> Result<Stored<SyncRecord>, WriteError> {
    let key = sync_key(&record.namespace_id);
    let version = match read {
        Some(read) => store.update(&key, &record, &read.version).await?,
        None => store.create(&key, &record).await?,
    };
    Ok(Stored { value: record, version })
}

#[cfg(test)]
mod tests {
    use certificate_management::reason::Reason;

    use super::*;

    #[test]
    fn a_request_is_not_taken_when_its_record_is_denied_and_nowhere() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n";
        let request = serde_json::json!({"schema": "sync-request/v1", "requestId": "a", "namespaceId": id});
        let request: SyncRequest = serde_json::from_value(request).unwrap();
        assert_eq!(denied(None, &request, now).unwrap_err().to_string(), WriteError::Conflict.to_string());
        let made = RequestRecord::queued(request.clone(), now);
        assert!(matches!(denied(Some(made), &request, now), Ok(Admission::Known(_))));
    }

    #[tokio::test]
    async fn the_next_step_quotes_what_is_said_of_a_sync_whose_record_is_broken() {
        let store = Store::memory();
        let id =
            ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n");
        let id = id.unwrap();
        store.put(&sync_key(&id), &"no sync").await.unwrap();
        let error = sync(&store, &id).await.unwrap_err();
        assert_eq!(error.kind(), state::ErrorKind::Corrupt);
        let said = error.to_string();
        assert!(said.contains("what is stored is a record of another type"), "{said}");
        let next_step = Reason::RecordsUnreadable.next_step();
        assert!(next_step.contains("what is stored is not JSON, or a record of another type"), "{next_step}");
    }
}
