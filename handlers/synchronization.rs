//! Syncs: batched per namespace, at most one in flight, proven per hub.
//! [`certificate_management::sync`](mod@certificate_management::sync) decides what to do; this folder does it.
//!
//! - [`batch`]: handles a batch of messages, each namespace for itself: [`sorting`] by namespace, [`working`] on each,
//!   [`joining`] of requests, and [`settling`] of messages that did not get done.
//! - [`received`]: a message on its way in.
//! - [`drive`]: load, step, compare-and-swap, and the effects in their order.
//! - [`observe`]: reads what effects ask for: the operation, the namespace, the requests.
//! - [`sender`]: the one place that sends a sync, and asks for the mode itself.
//! - [`records`]: the records of requests and of the one sync of each namespace.
//! - [`listing`]: the newest requests, page by page.
//! - [`messages`]: the messages that the app puts on the queue.
//! - [`submission`]: submits a request.
//! - [`holding`], [`parking`]: make messages come again later, or wait for a person.
//! - [`automatic`]: requests that the app makes itself.
//! - [`resume`]: lets the report send messages again that were lost.

pub mod automatic;
pub mod batch;
pub mod drive;
pub mod holding;
pub mod joining;
pub mod listing;
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
