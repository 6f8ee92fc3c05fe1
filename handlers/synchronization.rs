//! Syncs: batched per namespace, at most one in flight, proven per hub. What is to be done is decided by
//! [`certificate_management::sync`](mod@certificate_management::sync); this folder does it.
//!
//! - [`batch`]: a batch of messages, each namespace for itself: [`sorting`] by namespace, [`working`] on each, [`joining`] of
//!   requests, and [`settling`] of what did not get done.
//! - [`received`]: a message on its way in.
//! - [`drive`]: load, step, compare-and-swap, and the effects in their order.
//! - [`observe`]: what effects ask: the operation, the namespace, the requests.
//! - [`sender`]: the one place that sends a sync, and asks for the mode itself.
//! - [`records`]: what is remembered of requests and of the one sync of each namespace.
//! - [`messages`]: what is put on the queue.
//! - [`submission`]: a request is submitted.
//! - [`holding`], [`parking`]: messages that come again later, and those that wait for a person.
//! - [`automatic`]: requests that the app makes itself.
//! - [`resume`]: what the report finds that has lost its message.

pub mod automatic;
pub mod batch;
pub mod drive;
pub mod holding;
pub mod joining;
pub mod messages;
pub mod observe;
pub mod parking;
pub mod received;
pub mod records;
pub mod resume;
pub mod sender;
pub mod settling;
pub mod sorting;
pub mod submission;
pub mod working;
