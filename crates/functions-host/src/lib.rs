//! The handler's side of the Azure Functions *custom handler* protocol.
//!
//! The Functions host starts a custom handler as a child process, polls `GET /` until it answers, and then sends each
//! invocation as `POST /{function name}` with a JSON envelope `{"Data":{..},"Metadata":{..}}`. How values are written
//! in that envelope, and which answers the host understands, is documented only in part and has sharp edges: texts
//! encoded twice, numbers as strings, times without a zone, metadata that a message body can forge, successes that make
//! the host wait for ever, output texts that it rewrites. This crate knows them, so that a function does not have to:
//!
//! * [`Invocation`] decodes each trigger into a typed value ([`TimerTrigger`], [`ServiceBusBatch`], [`EventHubBatch`],
//!   [`EventGridEvent`], [`HttpRequest`]). No input panics; an element that does not decode is an error of that element.
//! * [`Reply`] and [`Failure`] are the only two results of a function; no answer that the host would misread can be
//!   built from them.
//! * [`Definition`] says what the code expects of its `function.json`, and [`Definition::check`] compares the two.
//! * [`Router`] finds the function, bounds its time, turns a panic into a failed invocation, and logs each invocation.
//! * [`Server`] listens on the loopback address, and ends when told to or when the host is gone.
//!
//! Nothing here knows any Azure service: a body is text, bytes or JSON.
//!
//! ```no_run
//! use functions_host::{Definition, Failure, Invocation, Reply, Router, Server, Trigger};
//!
//! const NIGHTLY: Definition =
//!     Definition { name: "nightly", trigger: Trigger::Timer { binding: "timer" }, outputs: &[] };
//!
//! async fn nightly(invocation: Invocation) -> Result<Reply, Failure> {
//!     let timer = invocation.timer("timer")?;
//!     Ok(Reply::success().log(format!("late: {}", timer.is_past_due)))
//! }
//!
//! # async fn run() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
//! let server = Server::from_environment()?;
//! let stopped = server.serve(Router::new().function(NIGHTLY, nightly)).await?;
//! Ok(stopped.exit_code())
//! # }
//! ```

#![warn(missing_docs)]

mod answer;
mod bounded;
mod completion_log;
mod definition;
mod definition_check;
mod encoding;
mod envelope;
mod error;
mod failure;
mod from_host;
mod http_reply;
mod instant;
mod intake;
mod invocation;
mod output;
pub mod parent;
mod properties;
mod reply;
mod router;
mod sent;
mod server;
mod trace;
mod trigger;
mod unsuccessful;

pub use answer::{BODY_TOO_LARGE, BUSY};
pub use definition::{DataType, Definition, OutputKind, Trigger};
pub use envelope::EnvelopeError;
pub use error::{DecodeError, ElementError};
pub use failure::Failure;
pub use http_reply::HttpReply;
pub use instant::parse as parse_time;
pub use intake::{BodyLimits, DEFAULT_BODY_LIMIT};
pub use invocation::Invocation;
pub use output::{Output, OutputError};
pub use reply::Reply;
pub use router::{DEFAULT_DEADLINE, Router};
pub use server::{BindError, Server, Stopped};
pub use trace::TraceContext;
pub use trigger::batch::TextEncoding;
pub use trigger::event_grid::{EventGridEvent, EventGridSchema};
pub use trigger::event_hub::{EventHubBatch, EventHubEvent, PartitionContext};
pub use trigger::http::{Fields, HttpRequest};
pub use trigger::service_bus::{ServiceBusBatch, ServiceBusMessage, ServiceBusText};
pub use trigger::timer::{ScheduleStatus, TimerTrigger};
