//! The Service Bus trigger: one message, or a batch.
//!
//! A batch settles as a whole: a failed invocation abandons every message in it, at once and without delay. So a
//! message whose body does not decode is an error of that message alone; park its `text` and let the others succeed.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::definition::DataType;
use crate::encoding::{integer, object, time};
use crate::error::{DecodeError, ElementError};
use crate::properties::Properties;
use crate::trace::TraceContext;
use crate::trigger::batch::{Element, TextEncoding, elements};
use crate::trigger::metadata::Metadata;

/// The messages of one invocation; one message when the binding's cardinality is one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceBusBatch<T> {
    /// In the order of the queue.
    pub messages: Vec<ServiceBusMessage<T>>,
    /// Metadata lists whose length differs from the batch. None of their values is in [`messages`](Self::messages).
    pub rejected_metadata: Vec<String>,
}

/// A message with what the host says about it.
///
/// Everything but the body is `None` when the host does not send it, sends another type, or when the body itself names
/// that property (cardinality one with a text body, where a sender can forge it).
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceBusMessage<T> {
    /// The body as JSON.
    pub body: Result<T, ElementError>,
    /// The body's original text, whether it decodes or not. With cardinality many and no `dataType` the host has
    /// parsed the body, and this is the same JSON written again.
    pub text: String,
    /// How `text` stands for the body's bytes.
    pub text_encoding: TextEncoding,
    /// Chosen by the sender; the right key for idempotence, since invocation ids change with each delivery.
    pub message_id: Option<String>,
    /// From 1.
    pub delivery_count: Option<u32>,
    /// When the message entered the queue. Whole seconds with cardinality one.
    pub enqueued_time: Option<OffsetDateTime>,
    /// When the message leaves the queue unread.
    pub expires_at: Option<OffsetDateTime>,
    /// Unique in its queue, given by the broker.
    pub sequence_number: Option<i64>,
    /// Chosen by the sender.
    pub correlation_id: Option<String>,
    /// The session, in a queue that has sessions.
    pub session_id: Option<String>,
    /// Chosen by the sender.
    pub partition_key: Option<String>,
    /// Chosen by the sender; also called label.
    pub subject: Option<String>,
    /// Chosen by the sender.
    pub content_type: Option<String>,
    /// Chosen by the sender.
    pub to: Option<String>,
    /// Chosen by the sender.
    pub reply_to: Option<String>,
    /// The queue from which this message was dead-lettered.
    pub dead_letter_source: Option<String>,
    /// The sender's own properties, with their types; empty when there are none.
    pub application_properties: Map<String, Value>,
}

impl<T> ServiceBusMessage<T> {
    /// The body's exact bytes (of our rendering, where the host has parsed the body).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.text_encoding.bytes(&self.text)
    }

    /// The trace in which the message was sent, for a span link: properties `traceparent` or `Diagnostic-Id`.
    #[must_use]
    pub fn trace(&self) -> TraceContext {
        let property = |name| self.application_properties.get(name).and_then(Value::as_str);
        TraceContext::new(
            property("traceparent").or_else(|| property("Diagnostic-Id")),
            property("tracestate"),
        )
    }
}

impl<T> std::fmt::Debug for ServiceBusMessage<T> {
    /// Without body and properties: what senders write does not belong in a log by accident.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceBusMessage")
            .field("body", &self.body.as_ref().map(|_| ".."))
            .field("text_length", &self.text.len())
            .field("message_id", &self.message_id)
            .field("delivery_count", &self.delivery_count)
            .field("sequence_number", &self.sequence_number)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// A message's text and id, and nothing else of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceBusText {
    /// As [`ServiceBusMessage::text`].
    pub text: String,
    /// As [`ServiceBusMessage::message_id`].
    pub message_id: Option<String>,
}

impl std::fmt::Debug for ServiceBusText {
    /// Without the text, as that of [`ServiceBusMessage`].
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceBusText")
            .field("text_length", &self.text.len())
            .field("message_id", &self.message_id)
            .finish()
    }
}

impl ServiceBusText {
    pub(crate) fn decode(
        binding: &str,
        value: &Value,
        metadata: &Properties,
        many: bool,
        data_type: Option<DataType>,
    ) -> Result<Vec<Self>, DecodeError> {
        let elements = elements(binding, value, many, data_type)?;
        let mut metadata = properties(metadata, &elements, many, data_type);
        let mut message_id = metadata.column("MessageId");
        let message = |(index, element): (usize, Element)| Self {
            text: element.text,
            message_id: message_id.take_text(index),
        };
        let messages = elements.into_iter().enumerate().map(message).collect();
        // It tells of a list that is not believed.
        metadata.rejected();
        Ok(messages)
    }
}

/// What the host says beside the elements.
fn properties<'a>(
    metadata: &'a Properties,
    elements: &[Element],
    many: bool,
    data_type: Option<DataType>,
) -> Metadata<'a> {
    match elements {
        [only, ..] if !many => {
            Metadata::of_one(metadata, (data_type != Some(DataType::Binary)).then_some(&only.text))
        }
        _ => Metadata::of_batch(metadata, elements.len()),
    }
}

impl<T: DeserializeOwned> ServiceBusBatch<T> {
    pub(crate) fn decode(
        binding: &str,
        value: &Value,
        metadata: &Properties,
        many: bool,
        data_type: Option<DataType>,
    ) -> Result<Self, DecodeError> {
        let elements = elements(binding, value, many, data_type)?;
        let mut metadata = properties(metadata, &elements, many, data_type);
        let mut message_id = metadata.column("MessageId");
        let delivery_count = metadata.column("DeliveryCount");
        // The first has an offset, the second means UTC without saying so; both say the same instant.
        let enqueued_time = [metadata.column("EnqueuedTime"), metadata.column("EnqueuedTimeUtc")];
        let expires_at = [metadata.column("ExpiresAt"), metadata.column("ExpiresAtUtc")];
        let sequence_number = metadata.column("SequenceNumber");
        let mut correlation_id = metadata.column("CorrelationId");
        let mut session_id = metadata.column("SessionId");
        let mut partition_key = metadata.column("PartitionKey");
        let mut subject = [metadata.column("Subject"), metadata.column("Label")];
        let mut content_type = metadata.column("ContentType");
        let mut to = metadata.column("To");
        let mut reply_to = metadata.column("ReplyTo");
        let mut dead_letter_source = metadata.column("DeadLetterSource");
        let properties = [metadata.column("ApplicationProperties"), metadata.column("UserProperties")];
        let message = |(index, element): (usize, Element)| {
            let (body, text, text_encoding) = element.decoded();
            ServiceBusMessage {
                body,
                text,
                text_encoding,
                message_id: message_id.take_text(index),
                delivery_count: delivery_count
                    .get(index, integer)
                    .and_then(|count| u32::try_from(count).ok()),
                enqueued_time: enqueued_time.iter().find_map(|column| column.get(index, time)),
                expires_at: expires_at.iter().find_map(|column| column.get(index, time)),
                sequence_number: sequence_number.get(index, integer),
                correlation_id: correlation_id.take_text(index),
                session_id: session_id.take_text(index),
                partition_key: partition_key.take_text(index),
                subject: subject.iter_mut().find_map(|column| column.take_text(index)),
                content_type: content_type.take_text(index),
                to: to.take_text(index),
                reply_to: reply_to.take_text(index),
                dead_letter_source: dead_letter_source.take_text(index),
                application_properties: properties
                    .iter()
                    .find_map(|column| column.get(index, object))
                    .unwrap_or_default(),
            }
        };
        let messages = elements.into_iter().enumerate().map(message).collect();
        Ok(Self { messages, rejected_metadata: metadata.rejected() })
    }
}
