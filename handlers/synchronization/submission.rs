//! Putting requests and follow-ups on the queue.

use azure::service_bus::OutgoingMessage;
use certificate_management::ArmId;
use certificate_management::request::{
    LOOK_PREFIX, LOOK_SCHEMA, NamespaceLook, RequestRecord, Requester, SyncRequest, SyncVerification,
    VERIFICATION_SCHEMA,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::records::{self, SyncRecord};
use crate::application::Application;

/// Events about one namespace within such a slot lead to one look.
const LOOK_SLOT: Duration = Duration::seconds(10);

/// Why a request could not be submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Another request has the same id.
    #[error("request {0} exists and asks for something else; use another id")]
    DifferentRequest(String),
    /// Nobody looks after the namespace.
    #[error("policysync.toml has no namespace {0}")]
    NotConfigured(ArmId),
    /// The queue did not take it.
    #[error("the queue did not take the request: {0}")]
    Queue(#[from] azure::Error),
    /// The records could not be written.
    #[error("the request could not be recorded: {0}")]
    State(#[from] state::WriteError),
}

/// Records a request as queued and puts it on the queue. The same request again is one request: its message has
/// its id, which the queue's duplicate detection and the record both know.
///
/// # Errors
/// When the namespace is not configured, the record or the queue cannot be written, or the id belongs to another request.
pub async fn submit(application: &Application, request: &SyncRequest) -> Result<RequestRecord, SubmitError> {
    if application.configuration.namespace(&request.namespace_id).is_none() {
        return Err(SubmitError::NotConfigured(request.namespace_id.clone()));
    }
    let record = records::admit(&application.store, request, application.now()).await?;
    if !same_wish(&record.request, request) {
        return Err(SubmitError::DifferentRequest(request.request_id.clone()));
    }
    if !record.outcome.is_final() {
        application.queue.send(&message(request)).await?;
    }
    Ok(record)
}

/// Whether two requests ask for the same; who asks, and in which trace, does not matter.
fn same_wish(a: &SyncRequest, b: &SyncRequest) -> bool {
    let wish = |request: &SyncRequest| SyncRequest {
        traceparent: None,
        requested_by: None,
        requester: Requester::default(),
        ..request.clone()
    };
    wish(a) == wish(b)
}

/// Sends the follow-up for the next look of a sync.
///
/// # Errors
/// When the queue does not take it.
pub async fn follow_up(application: &Application, record: &SyncRecord) -> Result<(), azure::Error> {
    let message_id = format!("{}:{}", record.sync_id, record.attempt);
    send_follow_up(application, record, message_id, record.next_look_at).await
}

/// Sends the follow-up of a look that another run has taken once more, for when its lease has run out. It needs an id
/// of its own, since the queue has seen the look's.
///
/// # Errors
/// When the queue does not take it.
pub async fn follow_up_after(
    application: &Application,
    record: &SyncRecord,
    lease: OffsetDateTime,
) -> Result<(), azure::Error> {
    let message_id = format!("{}:{}:{}", record.sync_id, record.attempt, lease.unix_timestamp());
    send_follow_up(application, record, message_id, lease).await
}

async fn send_follow_up(
    application: &Application,
    record: &SyncRecord,
    message_id: String,
    at: OffsetDateTime,
) -> Result<(), azure::Error> {
    let verification = SyncVerification {
        schema: VERIFICATION_SCHEMA.to_owned(),
        sync_id: record.sync_id.clone(),
        namespace_id: record.namespace_id.clone(),
        attempt: record.attempt,
        traceparent: record.traceparent.clone(),
    };
    let message = OutgoingMessage {
        body: json!(verification).to_string(),
        message_id: Some(message_id),
        scheduled_for: Some(at),
        correlation_id: Some(record.sync_id.clone()),
        subject: Some("sync-verification".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    application.queue.send(&message).await
}

/// Schedules a look at a namespace. Events come in swarms (a sync alone makes several), so all of one time slot lead
/// to one look at its end: its message has the slot in its id, and duplicate detection drops the others.
///
/// # Errors
/// When the queue does not take it.
pub async fn schedule_look(
    application: &Application,
    namespace_id: &ArmId,
    because: &str,
    traceparent: Option<String>,
) -> Result<(), azure::Error> {
    let slot = application.now().unix_timestamp() / LOOK_SLOT.whole_seconds() + 1;
    let end = OffsetDateTime::from_unix_timestamp(slot * LOOK_SLOT.whole_seconds());
    let look = NamespaceLook {
        schema: LOOK_SCHEMA.to_owned(),
        namespace_id: namespace_id.clone(),
        because: because.to_owned(),
        traceparent,
    };
    let digest = Sha256::digest(namespace_id.key());
    let namespace: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let message = OutgoingMessage {
        body: json!(look).to_string(),
        message_id: Some(format!("{LOOK_PREFIX}{namespace}-{slot}")),
        scheduled_for: end.ok(),
        subject: Some("namespace-look".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    application.queue.send(&message).await
}

fn message(request: &SyncRequest) -> OutgoingMessage {
    OutgoingMessage {
        body: json!(request).to_string(),
        message_id: Some(request.request_id.clone()),
        correlation_id: Some(request.request_id.clone()),
        subject: Some("sync-request".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    }
}
