//! Putting requests and follow-ups on the queue.

use azure::service_bus::OutgoingMessage;
use certificate_management::request::{RequestRecord, SyncRequest, SyncVerification, VERIFICATION_SCHEMA};
use serde_json::json;

use super::records::{self, SyncRecord};
use crate::application::Application;

/// Why a request could not be submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Another request has the same id.
    #[error("request {0} exists and asks for something else; use another id")]
    DifferentRequest(String),
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
/// When the record or the queue cannot be written, or the id belongs to another request.
pub async fn submit(application: &Application, request: &SyncRequest) -> Result<RequestRecord, SubmitError> {
    let record = records::admit(&application.store, request, application.now()).await?;
    if !same_wish(&record.request, request) {
        return Err(SubmitError::DifferentRequest(request.request_id.clone()));
    }
    if !record.outcome.is_final() {
        application.queue.send(&message(request)).await?;
    }
    Ok(record)
}

/// Whether two requests ask for the same; who carries the trace does not matter.
fn same_wish(a: &SyncRequest, b: &SyncRequest) -> bool {
    SyncRequest { traceparent: None, ..a.clone() } == SyncRequest { traceparent: None, ..b.clone() }
}

/// Sends the follow-up for the next look of a sync.
///
/// # Errors
/// When the queue does not take it.
pub async fn follow_up(application: &Application, record: &SyncRecord) -> Result<(), azure::Error> {
    let verification = SyncVerification {
        schema: VERIFICATION_SCHEMA.to_owned(),
        sync_id: record.sync_id.clone(),
        namespace_id: record.namespace_id.clone(),
        attempt: record.attempt,
        traceparent: record.traceparent.clone(),
    };
    let message = OutgoingMessage {
        body: json!(verification).to_string(),
        message_id: Some(format!("{}:{}", record.sync_id, record.attempt)),
        scheduled_for: Some(record.next_look_at),
        correlation_id: Some(record.sync_id.clone()),
        subject: Some("sync-verification".to_owned()),
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
