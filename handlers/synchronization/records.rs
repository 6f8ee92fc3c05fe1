//! What is remembered: a record per request, and one per namespace for the sync in flight.

use azure::arm::Operation;
use certificate_management::ArmId;
use certificate_management::request::{RequestRecord, SyncRequest};
use serde::{Deserialize, Serialize};
use state::{Change, Modified, Store, WriteError, key};
use time::{Duration, OffsetDateTime};
use ulid::Ulid;

use super::FIRST_LOOK;
use crate::telemetry::metrics;

/// The one sync in flight of a namespace, or the last one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncRecord {
    /// Its id.
    pub sync_id: String,
    /// Its namespace.
    pub namespace_id: ArmId,
    /// How far it is.
    pub phase: Phase,
    /// When it got into this phase, or its POST was claimed once more.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// When evidence that is still absent becomes `unverified`; set with the POST.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
    /// When the next look is due. A look that is long overdue has lost its message.
    #[serde(with = "time::serde::rfc3339")]
    pub next_look_at: OffsetDateTime,
    /// Number of the next look.
    pub attempt: u32,
    /// Until when that look is somebody's.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub looking_until: Option<OffsetDateTime>,
    /// When it was claimed, from which on its duration counts.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// How often its POST was sent.
    pub posts: u32,
    /// What the service calls the operation, from the moment its answer was recorded.
    pub operation: Option<Operation>,
    /// The requests that it is for.
    pub requests: Vec<String>,
    /// The requests that came after its POST. It may satisfy them, but it was not made for them: those that it does
    /// not satisfy get the next sync.
    pub waiting: Vec<String>,
    /// Trace context of the request that started it.
    pub traceparent: Option<String>,
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Requests join it; its first look plans them all against one observation.
    Gathering,
    /// Its POST is about to be sent, is being sent, or its answer was lost.
    Claimed,
    /// The service accepted it.
    Started,
    /// Nothing was sent, because the service pushes certificate authorities by itself: their evidence is looked for.
    Watching,
    /// Every request that joined it has its outcome.
    Ended,
}

impl SyncRecord {
    /// A sync that requests can join, with its first look a moment later.
    #[must_use]
    pub fn gathering(
        namespace_id: &ArmId,
        requests: Vec<String>,
        traceparent: Option<String>,
        now: OffsetDateTime,
        patience: Duration,
    ) -> Self {
        Self {
            sync_id: Ulid::generate().to_string(),
            namespace_id: namespace_id.clone(),
            phase: Phase::Gathering,
            since: now,
            deadline: now + patience,
            next_look_at: now + FIRST_LOOK,
            attempt: 1,
            looking_until: None,
            claimed_at: None,
            posts: 0,
            operation: None,
            requests,
            waiting: Vec::new(),
            traceparent,
        }
    }

    /// Whether a request has joined it.
    #[must_use]
    pub fn knows(&self, request_id: &str) -> bool {
        self.requests.iter().chain(&self.waiting).any(|known| known == request_id)
    }
}

/// Prefix of the records of syncs.
pub const SYNCS: &str = "syncs";

fn request_key(request_id: &str) -> String {
    format!("requests/{}", key::segment(request_id))
}

fn sync_key(namespace_id: &ArmId) -> String {
    format!("{SYNCS}/{}", key::segment(&namespace_id.key()))
}

/// The record of a request.
///
/// # Errors
/// When the store cannot be read.
pub async fn request(store: &Store, request_id: &str) -> Result<Option<RequestRecord>, WriteError> {
    Ok(store.get(&request_key(request_id)).await?.map(|stored| stored.value))
}

/// The record of a request, made when it is the first time that the request is seen.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn admit(
    store: &Store,
    request: &SyncRequest,
    now: OffsetDateTime,
) -> Result<RequestRecord, WriteError> {
    change_request(store, request, now, |_| {}).await
}

/// Changes the record of a request; one that has its final outcome stays as it is.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn change_request(
    store: &Store,
    request: &SyncRequest,
    now: OffsetDateTime,
    change: impl Fn(&mut RequestRecord),
) -> Result<RequestRecord, WriteError> {
    let (mut kept, mut was_final) = (None, false);
    let decide = |existing: Option<RequestRecord>| {
        let mut record = existing.clone().unwrap_or_else(|| RequestRecord::queued(request.clone(), now));
        was_final = record.outcome.is_final();
        if !record.outcome.is_final() {
            change(&mut record);
        }
        if existing.as_ref() == Some(&record) {
            kept = existing;
            return Change::Keep;
        }
        Change::Write(record)
    };
    match store.modify(&request_key(&request.request_id), decide).await? {
        Modified::Written(stored) => {
            let record = stored.value;
            if record.outcome.is_final() && !was_final {
                metrics::sync_request_ended(&record.request.namespace_id, record.outcome, record.reason);
            }
            Ok(record)
        }
        Modified::Kept => Ok(kept.unwrap_or_else(|| RequestRecord::queued(request.clone(), now))),
    }
}

/// The record of a namespace's sync.
///
/// # Errors
/// When the store cannot be read.
pub async fn sync(store: &Store, namespace_id: &ArmId) -> Result<Option<SyncRecord>, WriteError> {
    Ok(store.get(&sync_key(namespace_id)).await?.map(|stored| stored.value))
}

/// The record under a key that [`Store::list`] gave for [`SYNCS`].
///
/// # Errors
/// When the store cannot be read.
pub async fn sync_at(store: &Store, key: &str) -> Result<Option<SyncRecord>, WriteError> {
    Ok(store.get(key).await?.map(|stored| stored.value))
}

/// Changes the record of a namespace's sync under compare-and-swap. `decide` may run several times, each time on what
/// is stored then; the answer is that of its last run.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn change_sync<R>(
    store: &Store,
    namespace_id: &ArmId,
    mut decide: impl FnMut(Option<SyncRecord>) -> (Change<SyncRecord>, R),
) -> Result<Option<R>, WriteError> {
    let mut answer = None;
    let decide = |existing| {
        let (change, told) = decide(existing);
        answer = Some(told);
        change
    };
    store.modify(&sync_key(namespace_id), decide).await?;
    Ok(answer)
}

/// Changes the record of one sync, if it is still the namespace's open one; answers whether it is.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn update_sync(
    store: &Store,
    record: &SyncRecord,
    change: impl Fn(&mut SyncRecord),
) -> Result<bool, WriteError> {
    let decide = |existing: Option<SyncRecord>| match existing {
        Some(mut current) if current.sync_id == record.sync_id && current.phase != Phase::Ended => {
            change(&mut current);
            (Change::Write(current), true)
        }
        _ => (Change::Keep, false),
    };
    Ok(change_sync(store, &record.namespace_id, decide).await?.unwrap_or_default())
}
