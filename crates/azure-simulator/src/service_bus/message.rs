//! A message as its sender gives it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

/// The properties that have a meaning to the queue or a name of their own; on the wire they are one JSON object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BrokerProperties {
    /// Groups answers with their question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The id by which the queue recognises a message; 128 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Partition key; when a session is given too, it must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// Where to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Session of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_session_id: Option<String>,
    /// Session; 128 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// In a batch the content type has no header of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// A message on its way in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewMessage {
    /// Body.
    pub body: Bytes,
    /// The named properties.
    pub properties: BrokerProperties,
    /// Custom properties.
    pub application_properties: Map<String, Value>,
    /// How long it lives; the queue's own limit when absent or longer than that.
    pub time_to_live: Option<Duration>,
    /// When it is due, by the clock of its sender.
    pub scheduled_for: Option<OffsetDateTime>,
}

impl NewMessage {
    /// Bytes that count against the size limit: body and properties together.
    #[must_use]
    pub fn size(&self) -> usize {
        let named = serde_json::to_string(&self.properties).map_or(0, |text| text.len());
        self.body.len() + named + self.properties_size()
    }

    /// Bytes of the custom properties.
    #[must_use]
    pub fn properties_size(&self) -> usize {
        let custom = self.application_properties.iter();
        custom.map(|(name, value)| name.len() + value.to_string().len()).sum()
    }
}

/// A message that the queue holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// As it was sent, with the time of a scheduled one moved to the simulated clock.
    pub content: NewMessage,
    /// The sender's, or made by the queue.
    pub message_id: String,
    /// Position in the queue; a scheduled message gets the one that counts when it becomes due.
    pub sequence_number: i64,
    /// When it became available for the first time.
    pub enqueued_time: OffsetDateTime,
    /// When the queue drops it.
    pub expires_at: OffsetDateTime,
    /// How often it was delivered.
    pub delivery_count: u32,
}
