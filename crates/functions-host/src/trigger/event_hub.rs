//! The Event Hubs trigger: one event, or a batch of one partition.
//!
//! The host advances its checkpoint whether the invocation succeeds or fails (unless a retry policy is set): a failed
//! batch does not come again. So a function must find work that may not be lost by another path as well.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::definition::DataType;
use crate::encoding::{integer, member, object, text, time};
use crate::error::{DecodeError, ElementError};
use crate::properties::Properties;
use crate::trigger::batch::{Element, TextEncoding, elements};
use crate::trigger::metadata::Metadata;

/// The events of one invocation; one event when the binding's cardinality is one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventHubBatch<T> {
    /// In the order of the partition.
    pub events: Vec<EventHubEvent<T>>,
    /// Where the events come from; `None` when the host does not say.
    pub partition: Option<PartitionContext>,
    /// Metadata lists whose length differs from the batch. None of their values is in [`events`](Self::events).
    pub rejected_metadata: Vec<String>,
}

/// The partition from which a batch was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionContext {
    /// Host name of the namespace.
    pub fully_qualified_namespace: Option<String>,
    /// Name of the event hub.
    pub event_hub_name: Option<String>,
    /// Name of the consumer group.
    pub consumer_group: Option<String>,
    /// Id of the partition.
    pub partition_id: Option<String>,
}

/// An event with what the host says about it; `None` as for a
/// [`ServiceBusMessage`](crate::ServiceBusMessage).
#[derive(Clone)]
#[non_exhaustive]
pub struct EventHubEvent<T> {
    /// The body as JSON.
    pub body: Result<T, ElementError>,
    /// The body's original text, whether it decodes or not. With cardinality many and no `dataType` the host has
    /// parsed the body, and this is the same JSON written again.
    pub text: String,
    /// How `text` stands for the body's bytes.
    pub text_encoding: TextEncoding,
    /// When the event entered the hub. Whole seconds with cardinality one.
    pub enqueued_time: Option<OffsetDateTime>,
    /// Position in the partition, counted in events.
    pub sequence_number: Option<i64>,
    /// Position in the partition, as an opaque text.
    pub offset: Option<String>,
    /// Chosen by the sender.
    pub partition_key: Option<String>,
    /// The sender's own properties; empty when there are none.
    pub properties: Map<String, Value>,
    /// The broker's properties; empty when there are none.
    pub system_properties: Map<String, Value>,
}

impl<T> EventHubEvent<T> {
    /// The body's exact bytes (of our rendering, where the host has parsed the body).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.text_encoding.bytes(&self.text)
    }
}

impl<T> std::fmt::Debug for EventHubEvent<T> {
    /// Without body and properties: what senders write does not belong in a log by accident.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventHubEvent")
            .field("body", &self.body.as_ref().map(|_| ".."))
            .field("text_length", &self.text.len())
            .field("sequence_number", &self.sequence_number)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl PartitionContext {
    fn of(context: &Map<String, Value>) -> Self {
        let field = |name| member(context, name).and_then(text);
        Self {
            fully_qualified_namespace: field("FullyQualifiedNamespace"),
            event_hub_name: field("EventHubName"),
            consumer_group: field("ConsumerGroup"),
            partition_id: field("PartitionId"),
        }
    }
}

impl<T: DeserializeOwned> EventHubBatch<T> {
    pub(crate) fn decode(
        binding: &str,
        value: &Value,
        metadata: &Properties,
        many: bool,
        data_type: Option<DataType>,
    ) -> Result<Self, DecodeError> {
        let elements = elements(binding, value, many, data_type)?;
        let mut metadata = match elements.first() {
            Some(only) if !many => {
                Metadata::of_one(metadata, (data_type != Some(DataType::Binary)).then_some(&only.text))
            }
            _ => Metadata::of_batch(metadata, elements.len()),
        };
        let enqueued_time = metadata.column("EnqueuedTimeUtc");
        let sequence_number = metadata.column("SequenceNumber");
        // Newer extensions send both; the offset itself may be a number or a text.
        let mut offset = [metadata.column("OffsetString"), metadata.column("Offset")];
        let mut partition_key = metadata.column("PartitionKey");
        let properties = metadata.column("Properties");
        let system_properties = metadata.column("SystemProperties");
        let event = |(index, element): (usize, Element)| {
            let (body, text, text_encoding) = element.decoded();
            EventHubEvent {
                body,
                text,
                text_encoding,
                enqueued_time: enqueued_time.get(index, time),
                sequence_number: sequence_number.get(index, integer),
                offset: offset.iter_mut().find_map(|column| column.take_text(index)),
                partition_key: partition_key.take_text(index),
                properties: properties.get(index, object).unwrap_or_default(),
                system_properties: system_properties.get(index, object).unwrap_or_default(),
            }
        };
        let events = elements.into_iter().enumerate().map(event).collect();
        let partition = ["PartitionContext", "TriggerPartitionContext"]
            .into_iter()
            .find_map(|name| metadata.whole(name).as_ref().and_then(object))
            .map(|context| PartitionContext::of(&context));
        Ok(Self { events, partition, rejected_metadata: metadata.rejected() })
    }
}
