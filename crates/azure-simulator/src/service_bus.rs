//! Service Bus queues: peek-lock, delivery counts, dead letters, duplicate detection and scheduled messages, over REST
//! and, in process, as a [`QueueSource`](trigger_sources::QueueSource) for the Functions host stand-in.
//!
//! [`queue`] is the whole behaviour of one queue as data, with the time passed in; [`queues`] waits and wakes;
//! [`message`] and [`wire`] are the forms on the wire; [`rest`] answers requests. Facts:
//! `messaging-and-state.md` §1-2. Sessions, topics and transactions do not exist over REST or are not needed.

pub mod message;
pub mod queue;
pub mod queues;
pub mod rest;
pub mod wire;

pub use queue::Settings;
pub use queues::Queues;
