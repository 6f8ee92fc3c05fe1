//! A message that cannot be understood waits for a person, with its reason: on the parked queue, or where that refuses, in
//! the records.

use azure::service_bus::OutgoingMessage;
use certificate_management::request::Unreadable;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, timeout_at};
use ulid::Ulid;

use super::batch::Received;
use super::deadlines::halfway;
use crate::application::Application;

/// Prefix of the records of envelopes that the parked queue did not take.
pub const ENVELOPES: &str = "parked-envelopes";
/// Largest envelope of a parked message, in bytes: the queue takes 256 KB with properties.
const LARGEST: usize = 240 * 1024;
/// How much of a larger body its envelope shows, in characters.
const SHOWN_OF_BODY: usize = 1000;
/// How much of the detail an envelope shows, in characters. A detail may quote what a message holds.
const SHOWN_OF_DETAIL: usize = 500;

/// Why a message could not be parked.
#[derive(Debug, thiserror::Error)]
pub enum ParkError {
    /// Neither the queue nor the records took it.
    #[error("the parked queue refused it ({queue}), and so did the records ({records})")]
    Nowhere {
        /// What the queue said.
        queue: azure::Error,
        /// What the records said.
        records: String,
    },
    /// It is too large for a message, and the records did not take it.
    #[error("it is too large for the parked queue, and the records refused it: {0}")]
    Large(String),
}

/// Keeps a message that could not be understood, with the reason. Each place that hangs leaves half of the time until `until`
/// to the next one.
///
/// # Errors
/// When neither the parked queue nor the records take it.
pub async fn park(
    application: &Application,
    message: &Received,
    unreadable: &Unreadable,
    until: Instant,
) -> Result<(), ParkError> {
    let id = message.message_id.as_deref().filter(|id| !id.is_empty());
    tracing::warn!(
        message.id = id.unwrap_or("unknown"),
        reason = unreadable.reason.code(),
        "parked a message: {}",
        start_of(&unreadable.detail, SHOWN_OF_DETAIL)
    );
    let now = application.now();
    let mut envelope = envelope(message, unreadable, &message.text, None, now);
    if envelope.len() > LARGEST {
        // Written as JSON it does not fit into a message, so the whole of it goes to the records.
        let key = format!("parked/{}", Ulid::generate());
        put(application, &key, &message.text, until).await.map_err(ParkError::Large)?;
        let shown = start_of(&message.text, SHOWN_OF_BODY);
        envelope = self::envelope(message, unreadable, &shown, Some(&key), now);
    }
    let outgoing = OutgoingMessage {
        body: envelope.clone(),
        message_id: id.map(|id| start_of(id, 128)),
        subject: Some(unreadable.reason.code().to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    let sending = timeout_at(halfway(until), application.parked.send(&outgoing)).await;
    let Err(queue) = sending.unwrap_or_else(|_| Err(azure::Error::timed_out("parking a message"))) else {
        return Ok(());
    };
    tracing::warn!("the parked queue refused a message, so the records keep it: {queue}");
    let key = format!("{ENVELOPES}/{}", Ulid::generate());
    put(application, &key, &envelope, until).await.map_err(|records| ParkError::Nowhere { queue, records })
}

async fn put(application: &Application, key: &str, text: &str, until: Instant) -> Result<(), String> {
    match timeout_at(halfway(until), application.store.put(key, &text)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

fn envelope(
    message: &Received,
    unreadable: &Unreadable,
    body: &str,
    kept_at: Option<&str>,
    now: OffsetDateTime,
) -> String {
    json!({
        "schema": "parked-message/v1",
        "messageId": message.message_id.as_deref().map(|id| start_of(id, 256)),
        "reason": unreadable.reason,
        "detail": start_of(&unreadable.detail, SHOWN_OF_DETAIL),
        "parkedAt": now.format(&Rfc3339).unwrap_or_default(),
        "body": body,
        "wholeBody": kept_at,
    })
    .to_string()
}

fn start_of(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
