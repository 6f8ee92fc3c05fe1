//! Event Hubs events, alone or as a batch (`functions-host-protocol.md` §1.6).

use crate::app::{EventHubTrigger, Function};
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Kind, Members, NetDate, Token};
use crate::zone::Zone;
use trigger_sources::HubEvent;

/// Many events in one invocation.
///
/// # Errors
/// Without a `dataType`: a body that is not JSON; then no request is sent.
pub fn batch(
    function: &Function,
    trigger: &EventHubTrigger,
    namespace: &str,
    events: &[HubEvent],
    zone: &Zone,
) -> Result<Payload, String> {
    let value = super::batch(function, events.iter().map(|event| event.body.as_bytes()), zone)?;
    let mut metadata = common(trigger, namespace);
    let mut columns: Vec<(&'static str, Vec<Token>)> =
        NAMES.iter().map(|name| (*name, Vec::with_capacity(events.len()))).collect();
    for event in events {
        for ((_, column), value) in columns.iter_mut().zip(properties(event)) {
            column.push(value);
        }
    }
    for (name, column) in columns {
        metadata.set(&format!("{name}Array"), NetValue::Other(Token::Array(column)));
    }
    Ok(super::payload(function, value, metadata))
}

/// One event in an invocation.
#[must_use]
pub fn single(function: &Function, trigger: &EventHubTrigger, namespace: &str, event: &HubEvent) -> Payload {
    let text = event.body.clone();
    let (value, shadowing_text) =
        super::single(function, text.as_bytes()).unwrap_or((NetValue::text(text), None));
    let mut metadata = common(trigger, namespace);
    for (name, value) in NAMES.iter().zip(properties(event)) {
        let value = match value {
            Token::Null => NetValue::Null,
            Token::Date(date) => NetValue::Date(date),
            other => NetValue::from_token(other),
        };
        metadata.set(name, value);
    }
    Payload { shadowing_text, ..super::payload(function, value, metadata) }
}

fn common(trigger: &EventHubTrigger, namespace: &str) -> Metadata {
    let context = Members::from([
        ("IsCheckpointingAfterInvocation".to_owned(), Token::from(true)),
        ("FullyQualifiedNamespace".to_owned(), Token::from(namespace)),
        ("EventHubName".to_owned(), Token::from(trigger.event_hub.as_str())),
        ("ConsumerGroup".to_owned(), Token::from(trigger.consumer_group.as_str())),
        ("PartitionId".to_owned(), Token::from("0")),
    ]);
    let mut metadata = Metadata::default();
    metadata.set("TriggerPartitionContext", NetValue::Object(context.clone()));
    metadata.set("PartitionContext", NetValue::Object(context));
    metadata
}

const NAMES: [&str; 7] = [
    "PartitionKey",
    "Offset",
    "OffsetString",
    "SequenceNumber",
    "EnqueuedTimeUtc",
    "Properties",
    "SystemProperties",
];

/// The values of [`NAMES`]. `Offset` is text here and a number within the system properties.
fn properties(event: &HubEvent) -> [Token; 7] {
    let custom = event.properties.iter().map(|(name, value)| (name.clone(), Token::from_json(value)));
    let enqueued = Token::Date(NetDate::new(event.enqueued_time, Kind::Unspecified));
    let offset = Token::Text(event.offset.to_string());
    let system = Members::from([
        ("x-opt-sequence-number-epoch".to_owned(), Token::from(-1)),
        ("SequenceNumber".to_owned(), Token::from(event.sequence_number)),
        ("Offset".to_owned(), Token::from(event.offset)),
        ("OffsetString".to_owned(), offset.clone()),
        ("PartitionKey".to_owned(), Token::Null),
        ("EnqueuedTimeUtc".to_owned(), enqueued.clone()),
    ]);
    [
        Token::Null,
        offset.clone(),
        offset,
        Token::from(event.sequence_number),
        enqueued,
        Token::Object(custom.collect()),
        Token::Object(system),
    ]
}
