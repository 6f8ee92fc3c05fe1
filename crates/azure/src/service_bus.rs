//! Sends messages to a Service Bus queue over REST, and for the commands of an operator receives them.
//!
//! It uses `azure_messaging_servicebus` 0.21, the newest published crate (`messaging-and-state.md` §1); Microsoft calls
//! its line unsupported. The crate makes the request and its signature; our own transport adds what it lacks: retries,
//! deadlines, Entra ID, error detail, and hosts other than the one it has built in. The Functions host receives
//! messages for the app; [`QueueReceiver`] is for people who look at a queue.

mod connection;
mod receiver;
mod transport;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use azure_messaging_servicebus::service_bus::{QueueClient, SendMessageOptions, SettableBrokerProperties};
use reqwest::header::HeaderName;
use time::{Duration, OffsetDateTime, UtcOffset};
use tracing::Instrument;

pub use self::connection::ServiceBusConnection;
use self::connection::{Authorization, PUBLIC_SUFFIX};
pub use self::receiver::{LockedMessage, QueueReceiver};
use self::transport::BusTransport;
use crate::cloud::Cloud;
use crate::credential::TokenSource;
use crate::error::{Error, ErrorKind, Sent};
use crate::http::Http;
use crate::trace::{self, DIAGNOSTIC_ID, TRACEPARENT};

/// Largest message, in bytes of body and properties: what the Standard tier takes (`messaging-and-state.md` §2).
pub const MESSAGE_LIMIT: usize = 256 * 1024;
/// Longest message id, in characters.
const MESSAGE_ID_LIMIT: usize = 128;

/// A message to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The body, UTF-8.
    pub body: String,
    /// Its id, by which a queue drops duplicates. A message with an id is sent again when an answer is lost.
    pub message_id: Option<String>,
    /// When it becomes visible; at once when `None`. Rounded up to a whole second, which is what the wire holds.
    pub scheduled_for: Option<OffsetDateTime>,
    /// Its correlation id.
    pub correlation_id: Option<String>,
    /// Its subject, called `Label` on the wire.
    pub subject: Option<String>,
    /// Type of the body; `application/json` when `None`.
    pub content_type: Option<String>,
    /// Custom properties. The wire makes names lower case.
    pub properties: BTreeMap<String, String>,
}

/// Sends to one queue. Cheap to clone.
#[derive(Clone)]
pub struct QueueSender {
    client: QueueClient,
    queue: String,
}

impl QueueSender {
    /// A sender to `queue` of the namespace that `connection` names.
    ///
    /// # Errors `Invalid` when the queue has no usable name, or the crate's signature does not fit the connection's
    /// host. Each send checks whether a token may go there.
    pub fn new(
        http: Http,
        cloud: Arc<Cloud>,
        tokens: Arc<dyn TokenSource>,
        connection: &ServiceBusConnection,
        queue: &str,
    ) -> Result<Self, Error> {
        let attempted = format!("a sender to queue `{queue}`");
        let client = queue_client(http, cloud, tokens, connection, queue, "", attempted)?;
        Ok(Self { client, queue: queue.to_owned() })
    }

    /// The queue's name.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// Sends one message. Inside [`crate::trace::with_traceparent`] the message carries that trace as its properties
    /// `traceparent` and `diagnostic-id`, unless it has its own.
    ///
    /// # Errors
    /// `TooLarge` or `Invalid` before anything is sent; any other [`ErrorKind`] from the service, `NotFound` when the queue
    /// does not exist. After [`Error::may_have_taken_effect`] a message with the same id can be sent again.
    pub async fn send(&self, message: &OutgoingMessage) -> Result<(), Error> {
        let span = tracing::info_span!(
            "send",
            otel.kind = "producer",
            otel.name = %format_args!("send {}", self.queue),
            messaging.system = "servicebus",
            messaging.operation.name = "send",
            messaging.operation.type = "send",
            messaging.destination.name = self.queue.as_str(),
            messaging.message.id = message.message_id.as_deref(),
            error.type = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        let sent = self.send_traced(message).instrument(span.clone()).await;
        if let Err(error) = &sent {
            span.record("error.type", error.metric_label());
            span.record("otel.status_code", "ERROR");
        }
        sent
    }

    async fn send_traced(&self, message: &OutgoingMessage) -> Result<(), Error> {
        let properties = traced(&message.properties);
        self.check(message, &properties)?;
        let broker_properties = SettableBrokerProperties {
            message_id: message.message_id.clone(),
            correlation_id: message.correlation_id.clone(),
            label: message.subject.clone(),
            scheduled_enqueue_time_utc: message.scheduled_for.map(whole_second),
            ..Default::default()
        };
        // A property travels as a header whose value is JSON.
        let properties: HashMap<String, String> = properties
            .iter()
            .map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str()).to_string()))
            .collect();
        let options = SendMessageOptions {
            content_type: Some(message.content_type.clone().unwrap_or_else(|| "application/json".to_owned())),
            broker_properties: Some(broker_properties),
            custom_properties: (!properties.is_empty()).then_some(properties),
        };
        self.client
            .send_message(&message.body, Some(options))
            .await
            .map_err(|error| failure(error, || self.attempted()))
    }

    fn check(&self, message: &OutgoingMessage, properties: &BTreeMap<String, String>) -> Result<(), Error> {
        let size = properties.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let size = message.body.len() + size;
        if size > MESSAGE_LIMIT {
            let text = format!("the message has {size} bytes; the queue takes {MESSAGE_LIMIT}");
            return Err(Error::new(ErrorKind::TooLarge, Sent::No, self.attempted(), text));
        }
        let id = message.message_id.as_deref().unwrap_or("-");
        if id.is_empty() || id.chars().count() > MESSAGE_ID_LIMIT {
            let text = format!("a message id has 1 to {MESSAGE_ID_LIMIT} characters");
            return Err(Error::invalid(self.attempted(), text));
        }
        // The crate does not check header values, and the transport could not say which one is wrong.
        if message
            .content_type
            .as_deref()
            .is_some_and(|t| t.is_empty() || !t.bytes().all(|b| (32..127).contains(&b)))
        {
            return Err(Error::invalid(self.attempted(), "the content type cannot be sent"));
        }
        for name in properties.keys() {
            let reserved = ["authorization", "brokerproperties", "content-length", "content-type", "host"];
            if HeaderName::from_bytes(name.as_bytes()).is_err()
                || reserved.iter().any(|r| name.eq_ignore_ascii_case(r))
            {
                return Err(Error::invalid(self.attempted(), format!("a property cannot be named `{name}`")));
            }
        }
        Ok(())
    }

    fn attempted(&self) -> String {
        format!("sending to queue `{}`", self.queue)
    }
}

/// The crate's client of one queue, or of a path `below` it, over our transport.
fn queue_client(
    http: Http,
    cloud: Arc<Cloud>,
    tokens: Arc<dyn TokenSource>,
    connection: &ServiceBusConnection,
    queue: &str,
    below: &str,
    attempted: String,
) -> Result<QueueClient, Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '~');
    if queue.is_empty()
        || !queue.chars().all(fits)
        || queue.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        return Err(Error::invalid(attempted, "this is not the name of a queue"));
    }
    let base = connection.base(&cloud)?;
    // The crate signs `https://{namespace}.servicebus.windows.net/{queue}/messages`, which is what the service expects.
    let namespace =
        base.host_str().unwrap_or_default().strip_suffix(PUBLIC_SUFFIX).unwrap_or("emulator").to_owned();
    let (policy, key) = match &connection.authorization {
        Authorization::Key { policy, key } => (policy.clone(), key.expose().to_owned()),
        // Never sent: the transport replaces the signature by a token.
        Authorization::Identity => ("none".to_owned(), "none".to_owned()),
    };
    let tokens = matches!(connection.authorization, Authorization::Identity).then_some(tokens);
    let transport = BusTransport::new(http, cloud, base, tokens);
    QueueClient::new(Arc::new(transport), namespace, format!("{queue}{below}"), policy, key)
        .map_err(|_| Error::invalid(attempted, "the key cannot be used"))
}

/// The transport's own error, which travels inside the crate's.
fn failure(error: azure_core_021::Error, attempted: impl FnOnce() -> String) -> Error {
    error.into_downcast::<Error>().unwrap_or_else(|error| {
        Error::new(ErrorKind::Invalid, Sent::No, attempted(), error.kind().to_string())
    })
}

/// The properties, with the trace of the caller where they name none themselves.
fn traced(properties: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut traced = properties.clone();
    if let Some(traceparent) = trace::current() {
        for name in [TRACEPARENT, DIAGNOSTIC_ID] {
            if !properties.keys().any(|key| key.eq_ignore_ascii_case(name)) {
                traced.insert(name.to_ascii_lowercase(), traceparent.to_string());
            }
        }
    }
    traced
}

/// Service Bus holds whole seconds in UTC. Rounding down would make a message appear before its time. A time that has no date in
/// UTC stays as it is: the last hours of the year 9999 at an offset west of UTC.
fn whole_second(moment: OffsetDateTime) -> OffsetDateTime {
    let moment = moment.checked_to_offset(UtcOffset::UTC).unwrap_or(moment);
    if moment.nanosecond() == 0 {
        return moment;
    }
    moment.replace_nanosecond(0).unwrap_or(moment).checked_add(Duration::SECOND).unwrap_or(moment)
}

impl fmt::Debug for QueueSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueSender").field("queue", &self.queue).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
