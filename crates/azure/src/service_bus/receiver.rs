//! Takes messages from a queue one by one, each under a lock, for a person who looks at it.
//!
//! The Functions host brings the messages that the app processes. This receiver renews no lock and repeats no call:
//! when a lock or an answer is lost, the queue gives the message back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core_021::StatusCode;
use azure_core_021::headers::{HeaderName, Headers, LOCATION};
use azure_messaging_servicebus::service_bus::{PeekLockResponse, QueueClient};
use serde::Deserialize;
use time::OffsetDateTime;

use super::transport::{RECEIVED_ODD_BYTES, RECEIVED_PROPERTIES};
use super::{ServiceBusConnection, failure, queue_client};
use crate::cloud::Cloud;
use crate::credential::TokenSource;
use crate::dates;
use crate::error::Error;
use crate::http::Http;

/// Longest wait for a message: it must end before the deadline of the call that waits.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The path of a queue's dead letters, below its name.
const DEAD_LETTERS: &str = "/$deadletterqueue";
/// How much the receiver keeps of a text that others put on a message, in characters.
const LONGEST_TEXT: usize = 500;

/// Receives from one queue. Cheap to clone.
#[derive(Clone)]
pub struct QueueReceiver {
    client: QueueClient,
    queue: String,
}

impl QueueReceiver {
    /// A receiver from `queue` of the namespace that `connection` names.
    ///
    /// # Errors
    /// As [`super::QueueSender::new`].
    pub fn new(
        http: Http,
        cloud: Arc<Cloud>,
        tokens: Arc<dyn TokenSource>,
        connection: &ServiceBusConnection,
        queue: &str,
    ) -> Result<Self, Error> {
        let attempted = format!("a receiver from queue `{queue}`");
        let client = queue_client(http, cloud, tokens, connection, queue, "", attempted)?;
        Ok(Self { client, queue: queue.to_owned() })
    }

    /// A receiver from the dead letters of `queue`: messages that were delivered too often, or lived too long. Only
    /// [`LockedMessage::complete`] removes a message from there (`messaging-and-state.md` §2).
    ///
    /// # Errors
    /// As [`super::QueueSender::new`].
    pub fn dead_letters(
        http: Http,
        cloud: Arc<Cloud>,
        tokens: Arc<dyn TokenSource>,
        connection: &ServiceBusConnection,
        queue: &str,
    ) -> Result<Self, Error> {
        let attempted = format!("a receiver from the dead letters of queue `{queue}`");
        let client = queue_client(http, cloud, tokens, connection, queue, DEAD_LETTERS, attempted)?;
        Ok(Self { client, queue: format!("{queue}{DEAD_LETTERS}") })
    }

    /// Locks the oldest message that no receiver holds; `None` when none came within `wait`, which is cut to whole
    /// seconds and to [`LONGEST_WAIT`]. The lock counts as a delivery, and lasts as long as the queue says.
    ///
    /// # Errors
    /// Any [`crate::ErrorKind`]; `NotFound` when the queue does not exist. Where the answer was lost a message may be
    /// locked until its lock runs out.
    pub async fn lock_next(&self, wait: Duration) -> Result<Option<LockedMessage>, Error> {
        let answer = self.client.peek_lock_message2(Some(wait.min(LONGEST_WAIT))).await;
        let lock = answer.map_err(|error| failure(error, || self.attempted()))?;
        if *lock.status() == StatusCode::NoContent {
            return Ok(None);
        }
        let unreadable = |problem: &str| Error::unreadable(self.attempted(), problem);
        let headers: Headers = lock.custom_properties().unwrap_or_default();
        if headers.get_optional_str(&LOCATION).is_none_or(str::is_empty) {
            return Err(unreadable("the lock has no address"));
        }
        let properties = headers.get_optional_str(&RECEIVED_PROPERTIES.into()).unwrap_or_default();
        let properties: Properties = serde_json::from_str(properties)
            .map_err(|_| unreadable("the broker properties are not as specified"))?;
        // A custom property travels as a header of its own whose value is JSON.
        let property = |name: &'static str| {
            let value = headers.get_optional_str(&HeaderName::from_static(name))?;
            let text = serde_json::from_str(value).unwrap_or_else(|_| value.to_owned());
            Some(text.chars().take(LONGEST_TEXT).collect::<String>()).filter(|text| !text.is_empty())
        };
        Ok(Some(LockedMessage {
            body: lock.body(),
            is_text: headers.get_optional_str(&RECEIVED_ODD_BYTES.into()).is_none(),
            dead_letter_reason: property("deadletterreason"),
            dead_letter_description: property("deadlettererrordescription"),
            message_id: properties.message_id.filter(|id| !id.is_empty()),
            subject: properties.label,
            correlation_id: properties.correlation_id,
            content_type: headers.get_optional_string(&azure_core_021::headers::CONTENT_TYPE),
            sequence_number: properties.sequence_number,
            delivery_count: properties.delivery_count,
            enqueued_time: properties.enqueued_time_utc.as_deref().and_then(dates::parse),
            queue: self.queue.clone(),
            lock,
        }))
    }

    fn attempted(&self) -> String {
        format!("receiving from queue `{}`", self.queue)
    }
}

/// The members of the header `BrokerProperties` of a received message that this receiver uses.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    sequence_number: i64,
    #[serde(default)]
    delivery_count: u32,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    correlation_id: Option<String>,
    #[serde(default)]
    enqueued_time_utc: Option<String>,
}

/// A message that no other receiver gets while it is locked. Dropping it leaves it locked until the lock runs out.
pub struct LockedMessage {
    /// The body. Where it is not UTF-8, the odd bytes are replaced, and `is_text` is false.
    pub body: String,
    /// Whether the body is UTF-8. If not, sending `body` again sends something else.
    pub is_text: bool,
    /// Why it is a dead letter: the property `DeadLetterReason`, such as `MaxDeliveryCountExceeded`. At most 500 characters.
    pub dead_letter_reason: Option<String>,
    /// The same in words: the property `DeadLetterErrorDescription`. At most 500 characters.
    pub dead_letter_description: Option<String>,
    /// Its id, by which the queue drops duplicates.
    pub message_id: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its correlation id.
    pub correlation_id: Option<String>,
    /// Type of the body.
    pub content_type: Option<String>,
    /// Its number within the queue.
    pub sequence_number: i64,
    /// How often it was delivered, this time included.
    pub delivery_count: u32,
    /// When the queue got it.
    pub enqueued_time: Option<OffsetDateTime>,
    queue: String,
    lock: PeekLockResponse,
}

impl LockedMessage {
    /// Takes the message from the queue for good.
    ///
    /// # Errors
    /// `NotFound` when the lock was lost: then the message is in the queue again. Any other [`crate::ErrorKind`] from
    /// the service.
    pub async fn complete(self) -> Result<(), Error> {
        let done = self.lock.delete_message().await.map(drop);
        done.map_err(|error| failure(error, || format!("completing a message of queue `{}`", self.queue)))
    }

    /// Gives the message back at once.
    ///
    /// # Errors
    /// As [`LockedMessage::complete`]. The message comes back all the same when its lock runs out.
    pub async fn unlock(self) -> Result<(), Error> {
        let done = self.lock.unlock_message().await;
        done.map_err(|error| failure(error, || format!("unlocking a message of queue `{}`", self.queue)))
    }
}

// The lock holds the key.
impl fmt::Debug for LockedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedMessage")
            .field("queue", &self.queue)
            .field("sequence_number", &self.sequence_number)
            .field("delivery_count", &self.delivery_count)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for QueueReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueReceiver").field("queue", &self.queue).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply, TOKEN};

    const SECOND: Duration = Duration::from_secs(1);

    fn receiver(fake: &Fake) -> QueueReceiver {
        let place = fake.origin.trim_start_matches("http://");
        let connection = ServiceBusConnection::parse(&format!(
            "Endpoint=sb://{place}/servicebus;SharedAccessKeyName=listen;SharedAccessKey=a2V5a2V5;UseDevelopmentEmulator=true"
        ));
        fake.azure().queue_receiver(&connection.unwrap(), "parked").unwrap()
    }

    fn message(origin: &str) -> Reply {
        // A number beyond 32 bits, and no time: the published client would lose such a message.
        let properties = json!({"SequenceNumber": 1_i64 << 40, "EnqueuedSequenceNumber": 1_i64 << 40, "DeliveryCount": 3,
            "MessageId": "a/ö", "Label": "message-not-json", "LockToken": "t", "TimeToLive": 1.0,
            "EnqueuedTimeUtc": "Mon, 23 Nov 2026 10:00:00 GMT"});
        Reply::text(201, "{\"schema\":\"parked-message/v1\"}")
            .header("BrokerProperties", properties.to_string().replace('ö', "\\u00f6"))
            .header("Content-Type", "application/json")
            .header("Location", format!("{origin}/servicebus/parked/messages/a%2F%C3%B6/t"))
    }

    #[tokio::test]
    async fn a_message_is_locked_read_and_settled_at_the_address_of_its_lock() {
        let fake = Fake::start(|seen, origin| match seen.method.as_str() {
            "POST" => message(origin),
            _ => Reply::status(200),
        })
        .await;
        let receiver = receiver(&fake);
        let first = receiver.lock_next(SECOND).await.unwrap().unwrap();
        assert_eq!(first.body, "{\"schema\":\"parked-message/v1\"}");
        assert_eq!(
            (first.message_id.as_deref(), first.subject.as_deref()),
            (Some("a/ö"), Some("message-not-json"))
        );
        assert_eq!((first.sequence_number, first.delivery_count), (1 << 40, 3));
        assert_eq!(first.enqueued_time, Some(datetime!(2026-11-23 10:00 UTC)));
        assert_eq!(first.content_type.as_deref(), Some("application/json"));
        assert!(!format!("{first:?} {receiver:?}").contains("a2V5"));
        first.unlock().await.unwrap();
        receiver.lock_next(Duration::from_secs(3600)).await.unwrap().unwrap().complete().await.unwrap();
        assert_eq!(
            fake.calls(),
            [
                "POST /servicebus/parked/messages/head",
                "PUT /servicebus/parked/messages/a%2F%C3%B6/t",
                "POST /servicebus/parked/messages/head",
                "DELETE /servicebus/parked/messages/a%2F%C3%B6/t",
            ]
        );
        let seen = fake.seen();
        assert_eq!([seen[0].query.as_str(), seen[2].query.as_str()], ["timeout=1", "timeout=20"]);
        for call in seen {
            let authorization = call.header("authorization").unwrap();
            assert!(
                authorization.starts_with(
                    "SharedAccessSignature sr=https%3A%2F%2Femulator.servicebus.windows.net%2Fparked"
                ),
                "{authorization}"
            );
        }
    }

    #[tokio::test]
    async fn a_dead_letter_says_why_and_is_settled_below_its_queue() {
        let fake = Fake::start(|seen, origin| match (seen.method.as_str(), seen.number) {
            ("POST", 0) => message(origin)
                .header("DeadLetterReason", "\"MaxDeliveryCountExceeded\"")
                .header("DeadLetterErrorDescription", format!("\"{}\"", "\\u00f6".repeat(600)))
                .header("Location", format!("{origin}/servicebus/q/$deadletterqueue/messages/a/t")),
            ("POST", _) => message(origin).header("DeadLetterReason", "bare text"),
            _ => Reply::status(200),
        })
        .await;
        let place = fake.origin.trim_start_matches("http://");
        let connection = ServiceBusConnection::from_namespace(&format!("{place}/servicebus")).unwrap();
        let receiver = fake.azure().dead_letter_receiver(&connection, "q").unwrap();
        let first = receiver.lock_next(SECOND).await.unwrap().unwrap();
        assert_eq!(first.dead_letter_reason.as_deref(), Some("MaxDeliveryCountExceeded"));
        assert_eq!(first.dead_letter_description, Some("ö".repeat(500)));
        assert!(first.is_text);
        first.complete().await.unwrap();
        let second = receiver.lock_next(SECOND).await.unwrap().unwrap();
        assert_eq!(second.dead_letter_reason.as_deref(), Some("bare text"));
        assert_eq!(second.dead_letter_description, None);
        assert_eq!(
            fake.calls()[..2],
            [
                "POST /servicebus/q/$deadletterqueue/messages/head",
                "DELETE /servicebus/q/$deadletterqueue/messages/a/t",
            ]
        );
        for queue in ["", "q/$deadletterqueue", "../q"] {
            let refused = fake.azure().dead_letter_receiver(&connection, queue);
            assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::Invalid), "{queue}");
        }
    }

    #[tokio::test]
    async fn a_message_that_is_not_text_or_plays_with_our_names_is_told() {
        let fake = Fake::start(|seen, origin| match seen.number {
            0 => Reply::bytes(201, b"\xff\xfe".to_vec())
                .header("BrokerProperties", r#"{"SequenceNumber":7}"#)
                .header("Location", format!("{origin}/servicebus/parked/messages/a/t")),
            _ => message(origin)
                .header("Received-Broker-Properties", r#"{"SequenceNumber":1,"MessageId":"other"}"#)
                .header("Received-Odd-Bytes", "true"),
        })
        .await;
        let receiver = receiver(&fake);
        assert!(!receiver.lock_next(SECOND).await.unwrap().unwrap().is_text);
        let second = receiver.lock_next(SECOND).await.unwrap().unwrap();
        assert_eq!((second.is_text, second.sequence_number), (true, 1 << 40));
        assert_eq!(second.message_id.as_deref(), Some("a/ö"));
    }

    #[tokio::test]
    async fn a_message_whose_id_is_no_segment_of_a_path_is_settled_by_its_number() {
        for id in ["", ".", ".."] {
            let fake = Fake::start(move |seen, origin| match seen.method.as_str() {
                "POST" => Reply::text(201, "x")
                    .header(
                        "BrokerProperties",
                        json!({"SequenceNumber": 7, "MessageId": id, "LockToken": "t"}).to_string(),
                    )
                    .header("Location", format!("{origin}/servicebus/parked/messages/{id}/t")),
                _ => Reply::status(200),
            })
            .await;
            receiver(&fake).lock_next(SECOND).await.unwrap().unwrap().complete().await.unwrap();
            assert_eq!(fake.calls()[1], "DELETE /servicebus/parked/messages/7/t", "{id:?}");
        }
    }

    #[tokio::test]
    async fn an_identity_is_sent_to_the_configured_host_whatever_the_lock_says() {
        let fake = Fake::start(|seen, _| match seen.method.as_str() {
            "POST" => message("https://elsewhere.example.org"),
            _ => Reply::status(200),
        })
        .await;
        let place = format!("{}/servicebus", fake.origin.trim_start_matches("http://"));
        let connection = ServiceBusConnection::from_namespace(&place).unwrap();
        let receiver = fake.azure().queue_receiver(&connection, "parked").unwrap();
        receiver.lock_next(SECOND).await.unwrap().unwrap().complete().await.unwrap();
        assert_eq!(fake.seen()[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    }

    #[tokio::test]
    async fn an_empty_queue_a_missing_one_and_a_lost_lock_are_told_apart() {
        let fake = Fake::start(|seen, origin| match seen.number {
            0 => Reply::status(204),
            1 => Reply::text(410, "<Error><Code>410</Code><Detail>No such queue.</Detail></Error>"),
            2 => message(origin),
            3 => Reply::text(404, "<Error><Code>404</Code><Detail>The lock is lost.</Detail></Error>"),
            4 => message(origin).header("BrokerProperties", "{}"),
            _ => Reply::text(201, "{}").header("BrokerProperties", r#"{"SequenceNumber":1}"#),
        })
        .await;
        let receiver = receiver(&fake);
        assert!(receiver.lock_next(SECOND).await.unwrap().is_none());
        let missing = receiver.lock_next(SECOND).await.unwrap_err();
        assert_eq!((missing.kind(), missing.message()), (ErrorKind::NotFound, "No such queue."));
        let lost = receiver.lock_next(SECOND).await.unwrap().unwrap().complete().await.unwrap_err();
        assert_eq!((lost.kind(), lost.message()), (ErrorKind::NotFound, "The lock is lost."));
        let odd = receiver.lock_next(SECOND).await;
        assert_eq!(odd.err().map(|error| error.kind()), Some(ErrorKind::Unreadable));
        let odd = receiver.lock_next(SECOND).await.unwrap_err();
        assert!(odd.to_string().contains("no address"), "{odd}");
    }
}
