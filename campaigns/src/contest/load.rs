//! What the contestants are called with: batches of follow-ups of syncs that ended long ago. Each message is read, sorted by
//! its namespace and looked up in the records, and none leads to a call: what is measured is the handler and nothing else.

use serde_json::{Map, json};
use time::OffsetDateTime;
use trigger_sources::LockedMessage;
use uuid::Uuid;

use super::wire::Answer;
use crate::envelope;

/// The function.
pub const FUNCTION: &str = "sync-policies";
const BINDING: &str = "requests";
/// Namespaces that the messages are of, in turn.
pub const NAMESPACES: usize = 10;
/// Most messages of a batch in `host.json`.
pub const ORDINARY_BATCH: usize = 16;
/// A large batch.
pub const LARGE_BATCH: usize = 100;
const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";

/// The ARM id of a namespace.
pub fn namespace_id(index: usize) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-contoso/providers/Microsoft.DeviceRegistry/namespaces/contoso-{index:03}"
    )
}

/// The body that the host posts for so many messages.
pub fn envelope(messages: usize) -> String {
    let now = OffsetDateTime::now_utc();
    let messages: Vec<LockedMessage> = (0..messages).map(|index| message(index, now)).collect();
    envelope::batch(FUNCTION, BINDING, &messages)
}

/// As `handlers/synchronization/messages.rs` sends it.
fn message(index: usize, now: OffsetDateTime) -> LockedMessage {
    let sync_id = format!("01M85A71M08CPV9XGR0PSF{index:04}");
    let body = json!({"schema": "sync-verification/v1", "syncId": sync_id,
        "namespaceId": namespace_id(index % NAMESPACES), "attempt": 3});
    LockedMessage {
        body: body.to_string().into_bytes(),
        message_id: format!("{sync_id}:3"),
        lock_token: Uuid::new_v4().to_string(),
        delivery_count: 1,
        sequence_number: i64::try_from(index).unwrap_or_default() + 42,
        enqueued_time: now,
        expires_at: now + time::Duration::days(14),
        content_type: Some("application/json".to_owned()),
        correlation_id: Some(sync_id),
        subject: Some("sync-verification".to_owned()),
        session_id: None,
        partition_key: None,
        application_properties: Map::new(),
    }
}

/// Whether a contestant that does the job did it: it says what it did with each message.
///
/// # Errors
/// What it answered instead.
pub fn judge(answer: &Answer, messages: usize) -> Result<(), String> {
    let said = &answer.envelope()?["Logs"];
    let expected = format!("0 requests, {messages} follow-ups, 0 looks, 0 held, 0 parked");
    if *said == json!([expected]) { Ok(()) } else { Err(format!("it says {said}, not {expected}")) }
}
