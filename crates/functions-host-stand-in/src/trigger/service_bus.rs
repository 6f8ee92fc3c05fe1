//! Service Bus messages, alone or as a batch (`functions-host-protocol.md` §1.4).

use time::OffsetDateTime;

use crate::app::Function;
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Kind, Members, NetDate, Token};
use crate::zone::Zone;
use trigger_sources::LockedMessage;

/// The link over which messages came.
#[derive(Debug, Clone)]
pub struct Link {
    /// Host name of the Service Bus namespace.
    pub namespace: String,
    /// Distinguishes this client from others.
    pub identifier: String,
    /// Whether AMQP goes over web sockets.
    pub web_sockets: bool,
    /// Until when the session is locked, for a queue with sessions.
    pub session_locked_until: Option<OffsetDateTime>,
}

/// Many messages in one invocation.
///
/// # Errors
/// A body that does not fit the binding's `dataType`; then no request is sent.
pub fn batch(
    function: &Function,
    messages: &[LockedMessage],
    link: &Link,
    zone: &Zone,
) -> Result<Payload, String> {
    let value = super::batch(function, messages.iter().map(|message| message.body.as_slice()), zone)?;
    let mut metadata = common(link);
    let mut names: Vec<&'static str> = Vec::new();
    let mut columns: Vec<Vec<Token>> = Vec::new();
    for message in messages {
        for (index, (name, value)) in properties(message).into_iter().enumerate() {
            if columns.len() == index {
                columns.push(Vec::new());
                names.push(name);
            }
            columns[index].push(value);
        }
    }
    for (name, column) in names.into_iter().zip(columns) {
        metadata.set(&format!("{name}Array"), NetValue::Other(Token::Array(column)));
    }
    Ok(super::payload(function, value, metadata))
}

/// One message in an invocation.
///
/// # Errors
/// A body that is not UTF-8 where a text is wanted; then no request is sent.
pub fn single(function: &Function, message: &LockedMessage, link: &Link) -> Result<Payload, String> {
    let (value, shadowing_text) = super::single(function, &message.body)?;
    let mut metadata = common(link);
    for (name, value) in properties(message) {
        let value = match value {
            Token::Null => NetValue::Null,
            // A source of one message carries no partition key of a transaction; only the batch repeats the other one.
            _ if name == "TransactionPartitionKey" => NetValue::Null,
            Token::Date(date) => NetValue::Date(date),
            other => NetValue::from_token(other),
        };
        metadata.set(name, value);
    }
    Ok(Payload { shadowing_text, ..super::payload(function, value, metadata) })
}

/// The objects that .NET code would act on; a handler sees only what they show.
fn common(link: &Link) -> Metadata {
    let mut metadata = Metadata::default();
    let mut session = Members::new();
    if let Some(until) = link.session_locked_until {
        session.insert("SessionLockedUntil".to_owned(), Token::Date(NetDate::new(until, Kind::Offset(0))));
    }
    for name in ["MessageReceiver", "MessageSession", "MessageActions", "SessionActions"] {
        metadata.set(name, NetValue::Object(session.clone()));
    }
    metadata.set("ReceiveActions", NetValue::Object(Members::new()));
    let client = Members::from([
        ("FullyQualifiedNamespace".to_owned(), Token::from(link.namespace.as_str())),
        ("IsClosed".to_owned(), Token::from(false)),
        ("TransportType".to_owned(), Token::from(i64::from(link.web_sockets))),
        ("Identifier".to_owned(), Token::from(link.identifier.as_str())),
    ]);
    metadata.set("Client", NetValue::Object(client));
    metadata
}

fn properties(message: &LockedMessage) -> [(&'static str, Token); 21] {
    let text = |value: &Option<String>| Token::from(value.clone());
    let utc = |instant| Token::Date(NetDate::new(instant, Kind::Unspecified));
    let offset = |instant| Token::Date(NetDate::new(instant, Kind::Offset(0)));
    let custom = || {
        let entries = message.application_properties.iter();
        Token::Object(entries.map(|(name, value)| (name.clone(), Token::from_json(value))).collect())
    };
    // Service Bus keeps the two equal in a queue with sessions.
    let partition_key = message.partition_key.clone().or_else(|| message.session_id.clone());
    [
        ("DeliveryCount", Token::from(i64::from(message.delivery_count))),
        ("DeadLetterSource", Token::Null),
        ("LockToken", Token::from(message.lock_token.as_str())),
        ("ExpiresAtUtc", utc(message.expires_at)),
        ("ExpiresAt", offset(message.expires_at)),
        ("EnqueuedTimeUtc", utc(message.enqueued_time)),
        ("EnqueuedTime", offset(message.enqueued_time)),
        ("MessageId", Token::from(message.message_id.as_str())),
        ("ContentType", text(&message.content_type)),
        ("ReplyTo", Token::Null),
        ("SequenceNumber", Token::from(message.sequence_number)),
        ("To", Token::Null),
        ("Subject", text(&message.subject)),
        ("Label", text(&message.subject)),
        ("CorrelationId", text(&message.correlation_id)),
        ("ApplicationProperties", custom()),
        ("UserProperties", custom()),
        ("SessionId", text(&message.session_id)),
        ("ReplyToSessionId", Token::Null),
        ("PartitionKey", Token::from(partition_key.clone())),
        ("TransactionPartitionKey", Token::from(partition_key)),
    ]
}
