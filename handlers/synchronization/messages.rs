//! Sends the messages of the queue of sync requests: requests, follow-ups, looks after events.

use azure::service_bus::OutgoingMessage;
use certificate_management::ArmId;
use certificate_management::digest;
use certificate_management::request::{
    LOOK_PREFIX, LOOK_SCHEMA, NamespaceLook, SyncRequest, SyncVerification, VERIFICATION_SCHEMA,
};
use certificate_management::sync::FollowUp;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::application::Application;

/// Events about one namespace within such a slot lead to one look.
const LOOK_SLOT: Duration = Duration::seconds(10);
/// The pause before a request comes again for which its sync had no room.
const PUT_BACK_FOR: Duration = Duration::seconds(30);

/// Sends a request. Its message has its id, so the same request sent twice is one message.
///
/// # Errors
/// When the queue does not take it.
pub async fn send_request(application: &Application, request: &SyncRequest) -> Result<(), azure::Error> {
    application.queues.requests.send(&of_request(request, request.request_id.clone())).await
}

/// Sends a request that was sent before and may have been lost. The queue knows the id of its first message, so this
/// message has an id of its own. A request that joins twice changes nothing.
///
/// # Errors
/// When the queue does not take it.
pub async fn send_request_again(
    application: &Application,
    request: &SyncRequest,
) -> Result<(), azure::Error> {
    let id = format!("again-{}", application.fleet.ambient.ulid());
    application.queues.requests.send(&of_request(request, id)).await
}

/// Sends a request for later for which its sync had no room.
///
/// # Errors
/// When the queue does not take it.
pub async fn put_back(application: &Application, request: &SyncRequest) -> Result<(), azure::Error> {
    let later = OutgoingMessage {
        scheduled_for: Some(application.fleet.now() + PUT_BACK_FOR),
        ..of_request(request, format!("later-{}", application.fleet.ambient.ulid()))
    };
    application.queues.requests.send(&later).await
}

fn of_request(request: &SyncRequest, message_id: String) -> OutgoingMessage {
    OutgoingMessage {
        body: json!(request).to_string(),
        message_id: Some(message_id),
        correlation_id: Some(request.request_id.clone()),
        subject: Some("sync-request".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    }
}

/// Sends a follow-up. Its id names the sync and the number, so a step that runs twice sends one message.
///
/// # Errors
/// When the queue does not take it.
pub async fn send_follow_up(application: &Application, follow_up: &FollowUp) -> Result<(), azure::Error> {
    let verification = SyncVerification {
        schema: VERIFICATION_SCHEMA.to_owned(),
        sync_id: follow_up.sync_id.clone(),
        namespace_id: follow_up.namespace_id.clone(),
        attempt: follow_up.attempt,
        traceparent: follow_up.traceparent.clone(),
    };
    let message = OutgoingMessage {
        body: json!(verification).to_string(),
        message_id: Some(format!("{}:{}", follow_up.sync_id, follow_up.attempt)),
        scheduled_for: Some(follow_up.due),
        correlation_id: Some(follow_up.sync_id.clone()),
        subject: Some("sync-verification".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    application.queues.requests.send(&message).await
}

/// Schedules a look at a namespace after an event. Events come in swarms (a sync alone makes several), so all events of
/// one time slot lead to one look at its end: the message has the slot in its id, and duplicate detection drops the
/// others.
///
/// # Errors
/// When the queue does not take it.
pub async fn schedule_look(
    application: &Application,
    namespace_id: &ArmId,
    because: &str,
    traceparent: Option<String>,
) -> Result<(), azure::Error> {
    let look = NamespaceLook {
        schema: LOOK_SCHEMA.to_owned(),
        namespace_id: namespace_id.clone(),
        because: because.to_owned(),
        attempt: 0,
        traceparent,
    };
    send_look(application, &look, Duration::ZERO).await
}

/// Sends a look for later, after as long a pause.
///
/// # Errors
/// When the queue does not take it.
pub async fn send_look(
    application: &Application,
    look: &NamespaceLook,
    pause: Duration,
) -> Result<(), azure::Error> {
    let slot_seconds = LOOK_SLOT.whole_seconds();
    let slot = (application.fleet.now() + pause).unix_timestamp() / slot_seconds + 1;
    let namespace = digest::of::<16>(look.namespace_id.key());
    let message = OutgoingMessage {
        body: json!(look).to_string(),
        message_id: Some(format!("{LOOK_PREFIX}{namespace}-{slot}")),
        scheduled_for: OffsetDateTime::from_unix_timestamp(slot * slot_seconds).ok(),
        subject: Some("namespace-look".to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    application.queues.requests.send(&message).await
}
