//! Makes a message that cannot be parsed wait for a person, with its reason: on the parked queue, or where that
//! refuses, in the records.

use azure::service_bus::OutgoingMessage;
use certificate_management::parked::{self, Envelope};
use certificate_management::request::Unreadable;
use tokio::time::{Instant, timeout_at};

use super::received::Received;
use crate::application::Application;
use crate::deadlines::halfway;
use crate::waiting;

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

/// Parks a message with the reason. Each place that hangs leaves half of the time until `until` to the next one.
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
    let (reason, detail) = (unreadable.reason, &unreadable.detail);
    let mut envelope = Envelope::new(id, &message.text, reason, detail, application.fleet.now());
    tracing::warn!(
        message.id = id.unwrap_or("unknown"),
        reason = reason.code(),
        "parked a message: {}",
        envelope.detail.as_deref().unwrap_or_default()
    );
    // This id is made of the whole body, so the same message has it whenever it is parked again.
    let queue_id = envelope.queue_id(&message.text);
    if !envelope.fits() {
        // As JSON the body does not fit into a message, so the whole of it goes to the records.
        let key = format!("{}/{}", parked::WHOLE_BODIES, application.fleet.ambient.ulid());
        put(application, &key, &message.text, until).await.map_err(ParkError::Large)?;
        envelope = envelope.quoting(&key);
    }
    let body = envelope.to_json();
    let outgoing = OutgoingMessage {
        body: body.clone(),
        message_id: Some(queue_id),
        subject: Some(reason.code().to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    let sending = timeout_at(halfway(until), application.queues.parked.send(&outgoing)).await;
    let Err(queue) = sending.unwrap_or_else(|_| Err(azure::Error::timed_out("parking a message"))) else {
        remember(application, &envelope, false, until).await;
        return Ok(());
    };
    tracing::warn!("the parked queue refused a message, so the records keep it: {queue}");
    let key = format!("{}/{}", parked::KEPT, application.fleet.ambient.ulid());
    let kept = put(application, &key, &body, until).await;
    kept.map_err(|records| ParkError::Nowhere { queue, records })?;
    remember(application, &envelope, true, until).await;
    Ok(())
}

/// The message is safe already, so a note that cannot be written is no failure: the report lacks it.
async fn remember(application: &Application, envelope: &Envelope, is_kept: bool, until: Instant) {
    let noting = waiting::remember(&application.store, envelope, application.fleet.now(), is_kept);
    let problem = match timeout_at(halfway(until), noting).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!("the report will not tell of a message that was parked: {problem}");
}

async fn put(application: &Application, key: &str, text: &str, until: Instant) -> Result<(), String> {
    match timeout_at(halfway(until), application.store.put(key, &text)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}
