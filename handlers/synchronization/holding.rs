//! Makes messages that could not be done now come again later, so that an outage does not use up their deliveries: a
//! queue delivers a message that failed again at once, and dead-letters it after ten times (`messaging-and-state.md`
//! §2).

use std::time::Duration;

use azure::service_bus::OutgoingMessage;
use certificate_management::digest;
use certificate_management::sync::pause;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::received::Received;
use crate::application::Application;

/// Separates the id of a message from the number of times that it was held.
const HELD: &str = "~held-";
/// How often a message is held before a person has to look: over three hours, on every clock.
pub const MOST_HOLDS: u32 = 100;
/// How often it is held with a short pause, before each pause gets [`pause::CLOCKS_APART`] longer: a queue whose clock
/// is ahead delivers a message too early by as much.
const SHORT_PAUSES: u32 = 5;
/// Longest first part of the id of a message that is held, in characters; what follows it fits into the 128 that Service Bus
/// allows.
const LONGEST_FIRST: usize = 110;
/// Pause before the queue is asked again to take a message.
const QUEUE_AGAIN: Duration = Duration::from_secs(3);

/// How often a message was held before this delivery, and the id that it had at first.
#[must_use]
pub fn held(message: &Received) -> (String, u32) {
    let id = message.message_id.as_deref().filter(|id| !id.is_empty());
    let split = id.and_then(|id| id.rsplit_once(HELD));
    match (split.and_then(|(first, count)| Some((first, count.parse().ok()?))), id) {
        (Some((first, count)), _) => (first.to_owned(), count),
        // If ids were cut short, two could become one, and the queue would drop the second message.
        (None, Some(id)) if id.chars().count() > LONGEST_FIRST => (digest::of::<16>(id), 0),
        (None, Some(id)) => (id.to_owned(), 0),
        (None, None) => (digest::of::<16>(&message.text), 0),
    }
}

/// The pause before the next delivery of a message that is held for the `count`-th time.
fn pause_of(count: u32, first: &str) -> time::Duration {
    let apart = if count > SHORT_PAUSES { pause::CLOCKS_APART } else { time::Duration::ZERO };
    pause::growing(count.saturating_add(2), first) + apart
}

/// Puts a message back on the queue for later. Asks a queue that refuses again until `until`.
///
/// # Errors When the queue has not taken it by then. The caller must give the message back then, undone.
pub async fn hold(application: &Application, message: &Received, until: Instant) -> Result<(), azure::Error> {
    let (first, count) = held(message);
    let count = count.saturating_add(1);
    let later = OutgoingMessage {
        body: message.text.clone(),
        message_id: Some(format!("{first}{HELD}{count}")),
        scheduled_for: Some(application.fleet.now() + pause_of(count, &first)),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    loop {
        let error = match timeout_at(until, application.queues.requests.send(&later)).await {
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
    fn long_ids_that_begin_alike_stay_apart() {
        let id = |last: &str| Some(format!("{}{last}", "x".repeat(127)));
        let (one, other) = (held(&message(id("1").as_deref())), held(&message(id("2").as_deref())));
        assert_ne!(one, other);
        let longest = format!("{}{HELD}{MOST_HOLDS}", "x".repeat(LONGEST_FIRST));
        assert!(longest.len() <= 128);
        assert_eq!(held(&message(Some(&format!("{}{HELD}3", one.0)))), (one.0, 3));
    }

    #[test]
    fn no_clock_uses_up_the_holds_within_an_hour() {
        let early = |count| (pause_of(count, "r-1") - pause::CLOCKS_APART).max(time::Duration::ZERO);
        let waited: time::Duration = (1..=MOST_HOLDS).map(early).sum();
        assert!(waited > time::Duration::hours(3), "{waited}");
        assert!(pause_of(1, "r-1") < time::Duration::seconds(12), "a short outage costs little");
    }

    #[test]
    fn a_message_without_an_id_gets_one_of_its_text() {
        let (none, empty) = (held(&message(None)), held(&message(Some(""))));
        assert_eq!(none, empty);
        assert_eq!((none.0.len(), none.1), (32, 0));
    }
}
