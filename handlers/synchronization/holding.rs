//! Messages that could not be done now come again later, so that an outage does not use up their deliveries: a queue gives a
//! message that failed back at once, and after ten times it is dead-lettered (`messaging-and-state.md` §2).

use std::time::Duration;

use azure::service_bus::OutgoingMessage;
use certificate_management::sync::pause;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::batch::Received;
use crate::application::Application;

/// What separates the id of a message from how often it was held.
const HELD: &str = "~held-";
/// How often a message is held before a person has to look: over three hours with pauses of up to two minutes.
pub const MOST_HOLDS: u32 = 100;
/// Pause before the queue is asked again to take a message.
const QUEUE_AGAIN: Duration = Duration::from_secs(3);

/// How often a message was held before this delivery, and the id that it had at first.
#[must_use]
pub fn held(message: &Received) -> (String, u32) {
    let id = message.message_id.as_deref().filter(|id| !id.is_empty());
    let split = id.and_then(|id| id.rsplit_once(HELD));
    match (split.and_then(|(first, count)| Some((first, count.parse().ok()?))), id) {
        (Some((first, count)), _) => (first.to_owned(), count),
        (None, Some(id)) => (id.to_owned(), 0),
        (None, None) => {
            let digest = Sha256::digest(&message.text);
            (digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(), 0)
        }
    }
}

/// Puts a message back on the queue for later. A queue that refuses is asked again until `until`.
///
/// # Errors
/// When the queue has not taken it by then. The message must be given back then, undone.
pub async fn hold(application: &Application, message: &Received, until: Instant) -> Result<(), azure::Error> {
    let (first, count) = held(message);
    let count = count.saturating_add(1);
    // With the mark an id has 128 characters at the most.
    let first: String = first.chars().take(110).collect();
    let pause = pause::growing(count.saturating_add(2), &first);
    let later = OutgoingMessage {
        body: message.text.clone(),
        message_id: Some(format!("{first}{HELD}{count}")),
        scheduled_for: Some(application.now() + pause),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    loop {
        let error = match timeout_at(until, application.queue.send(&later)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(azure::Error::timed_out("putting a message back on the queue")),
        };
        let again = Instant::now() + QUEUE_AGAIN;
        if !error.is_retryable() || again >= until {
            return Err(error);
        }
        sleep_until(again).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: Option<&str>) -> Received {
        Received { message_id: id.map(str::to_owned), text: "{}".to_owned() }
    }

    #[test]
    fn a_message_knows_how_often_it_was_held() {
        assert_eq!(held(&message(Some("r-1"))), ("r-1".to_owned(), 0));
        assert_eq!(held(&message(Some("r-1~held-7"))), ("r-1".to_owned(), 7));
        assert_eq!(held(&message(Some("r-1~held-x"))), ("r-1~held-x".to_owned(), 0));
        assert_eq!(held(&message(Some("r~held-99999999999"))).1, 0);
    }

    #[test]
    fn a_message_without_an_id_gets_one_of_its_text() {
        let (none, empty) = (held(&message(None)), held(&message(Some(""))));
        assert_eq!(none, empty);
        assert_eq!((none.0.len(), none.1), (32, 0));
    }
}
