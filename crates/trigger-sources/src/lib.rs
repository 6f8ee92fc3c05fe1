//! The sources of a Functions host's triggers, and the clock that its timers go by.
//!
//! The real host receives from Service Bus and Event Hubs over AMQP links and from Event Grid as a webhook. The
//! stand-in for the host receives through these traits; the simulated Azure implements them. This crate is all that the two have in common.
#![warn(missing_docs)]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;

/// What the methods of a source return: a future that can be held behind a `dyn` source.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A Service Bus message under a peek-lock.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedMessage {
    /// The body as it was sent.
    pub body: Vec<u8>,
    /// Set by the sender, or made by the service.
    pub message_id: String,
    /// Names the lock; the message is settled by it.
    pub lock_token: String,
    /// How often the message was delivered, this time included: 1 or more.
    pub delivery_count: u32,
    /// Position in the queue.
    pub sequence_number: i64,
    /// When the queue took it in (a scheduled message: when it became due).
    pub enqueued_time: OffsetDateTime,
    /// When the queue drops it.
    pub expires_at: OffsetDateTime,
    /// MIME type that the sender gave.
    pub content_type: Option<String>,
    /// Correlation id that the sender gave.
    pub correlation_id: Option<String>,
    /// Subject, also called label.
    pub subject: Option<String>,
    /// Session.
    pub session_id: Option<String>,
    /// Partition key.
    pub partition_key: Option<String>,
    /// Custom properties.
    pub application_properties: Map<String, Value>,
}

/// Service Bus queues as a receiver sees them.
pub trait QueueSource: Send + Sync {
    /// Locks up to `most` messages of `queue`; waits up to `wait` for the first one. Empty when none came.
    fn receive<'a>(&'a self, queue: &'a str, most: usize, wait: Duration) -> Pending<'a, Vec<LockedMessage>>;
    /// Removes a message. `false` when its lock was lost, and then it will be delivered again.
    fn complete<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool>;
    /// Gives a message back at once. `false` when its lock was lost.
    fn abandon<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool>;
}

/// An event as Event Hubs stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct HubEvent {
    /// The body, text.
    pub body: String,
    /// When it was taken in.
    pub enqueued_time: OffsetDateTime,
    /// Position in its partition.
    pub sequence_number: i64,
    /// Byte position in its partition.
    pub offset: i64,
    /// Properties that the sender gave.
    pub properties: Map<String, Value>,
}

/// Event hubs (one partition each) as a processor sees them.
pub trait EventHubSource: Send + Sync {
    /// Up to `most` events of `event_hub` after sequence number `after` (-1 for the beginning); waits up to `wait` for the first one.
    fn receive<'a>(
        &'a self,
        event_hub: &'a str,
        after: i64,
        most: usize,
        wait: Duration,
    ) -> Pending<'a, Vec<HubEvent>>;
}

/// One POST that Event Grid wants to make to an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Names the delivery when its outcome is told.
    pub id: u64,
    /// What is posted: an array of Event Grid schema events, or one `CloudEvent`.
    pub body: Value,
}

/// Event Grid as the endpoint of one subscription sees it.
pub trait EventGridSource: Send + Sync {
    /// The next POST that is due; waits up to `wait` for it.
    fn next(&self, wait: Duration) -> Pending<'_, Option<Delivery>>;
    /// Tells how a POST ended. When it was not accepted the whole POST comes again later, as Event Grid does.
    fn settle(&self, delivery: u64, accepted: bool) -> Pending<'_, ()>;
}

/// A clock that can be pushed ahead of that of this machine.
pub trait ClockSource: Send + Sync {
    /// By how much it is ahead; never less than before.
    fn ahead(&self) -> time::Duration;
    /// Returns once it is ahead by another time than `known`; at once where it is so already.
    fn pushed(&self, known: time::Duration) -> Pending<'_, ()>;
}
