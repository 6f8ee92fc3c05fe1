//! The Event Grid trigger, in both schemas.
//!
//! The host delivers a copy that Newtonsoft.Json has parsed and written again: dates and numbers may be spelt
//! differently from what was sent, so nothing here may be signed, hashed or compared as text. When one event of a POST
//! fails, Event Grid sends the whole POST again: the same event may come any number of times, with the same id.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::encoding::{kind, member, object, structure, text, time};
use crate::error::{DecodeError, ElementError};
use crate::trace::TraceContext;

/// How an event was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventGridSchema {
    /// `CloudEvents` 1.0; told by its `specversion`.
    CloudEvents10,
    /// Event Grid's own; told by its `eventType`.
    EventGrid,
}

/// One event.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct EventGridEvent {
    /// How it was written.
    pub schema: EventGridSchema,
    /// Unique per source; the same in each redelivery. Empty when the sender gave none.
    pub id: String,
    /// `type` or `eventType`.
    pub event_type: String,
    /// `source` or `topic`. Empty when the sender gave none.
    pub source: String,
    /// What the event is about.
    pub subject: Option<String>,
    /// `time` or `eventTime`; `None` when missing or unreadable.
    pub time: Option<OffsetDateTime>,
    /// The payload: any JSON, `null` when there is none. `data_base64` of a `CloudEvent` is decoded when it holds JSON,
    /// and left as its text otherwise.
    pub data: Value,
    /// The trace in which a `CloudEvent` was sent (distributed tracing extension), if well formed.
    pub traceparent: Option<String>,
}

impl std::fmt::Debug for EventGridEvent {
    /// Without the data: what senders write does not belong in a log by accident.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventGridEvent")
            .field("schema", &self.schema)
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("subject", &self.subject)
            .field("time", &self.time)
            .field("data", &format_args!("{}", kind(&self.data)))
            .finish_non_exhaustive()
    }
}

impl EventGridEvent {
    /// The events in a message that came on another way than this trigger: Event Grid delivers to event hubs and queues
    /// too, a `CloudEvent` as an object and an event of its own schema as a list of one. Anything else is one error.
    #[must_use]
    pub fn read(message: &Value) -> Vec<Result<Self, ElementError>> {
        match structure(message).as_deref() {
            Some(Value::Array(events)) => events.iter().map(Self::of_element).collect(),
            _ => vec![Self::of_element(message)],
        }
    }

    /// One object (cardinality one), or a list of them (many; empty when the POST was empty).
    pub(crate) fn decode(
        binding: &str,
        value: &Value,
    ) -> Result<Vec<Result<Self, ElementError>>, DecodeError> {
        match structure(value).as_deref() {
            Some(Value::Object(event)) => Ok(vec![Self::of(event)]),
            Some(Value::Array(events)) => Ok(events.iter().map(Self::of_element).collect()),
            _ => Err(DecodeError::Shape {
                binding: binding.to_owned(),
                expected: "an event or a list of events",
                found: kind(value),
            }),
        }
    }

    fn of_element(element: &Value) -> Result<Self, ElementError> {
        object(element)
            .ok_or(ElementError::NotAnEvent("it is not an object"))
            .and_then(|event| Self::of(&event))
    }

    fn of(event: &Map<String, Value>) -> Result<Self, ElementError> {
        let field = |name| member(event, name).and_then(text);
        if let Some(version) = field("specversion") {
            if !version.starts_with("1.") {
                return Err(ElementError::NotAnEvent("its specversion is not 1.0"));
            }
            return Ok(Self {
                schema: EventGridSchema::CloudEvents10,
                id: field("id").unwrap_or_default(),
                event_type: field("type")
                    .ok_or(ElementError::NotAnEvent("it has a specversion but no type"))?,
                source: field("source").unwrap_or_default(),
                subject: field("subject"),
                time: member(event, "time").and_then(time),
                data: member(event, "data").cloned().unwrap_or_else(|| embedded(event)),
                traceparent: TraceContext::new(field("traceparent").as_deref(), None).traceparent,
            });
        }
        Ok(Self {
            schema: EventGridSchema::EventGrid,
            id: field("id").unwrap_or_default(),
            event_type: field("eventType")
                .ok_or(ElementError::NotAnEvent("it has neither a specversion nor an eventType"))?,
            source: field("topic").unwrap_or_default(),
            subject: field("subject"),
            time: member(event, "eventTime").and_then(time),
            data: member(event, "data").cloned().unwrap_or(Value::Null),
            traceparent: None,
        })
    }
}

/// The content of `data_base64`.
fn embedded(event: &Map<String, Value>) -> Value {
    let Some(encoded) = member(event, "data_base64").and_then(Value::as_str) else { return Value::Null };
    let decoded = BASE64_STANDARD.decode(encoded).ok();
    decoded
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_else(|| Value::String(encoded.to_owned()))
}
