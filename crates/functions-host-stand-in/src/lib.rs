#![doc = include_str!("../README.md")]
//!
//! # Inside
//!
//! - [`app`] reads `host.json` and the function folders;
//! - [`handler`] starts the handler's process and keeps it running;
//! - [`trigger`] makes a payload of the trigger's data, [`encoding`] and [`envelope`] make a body of that, [`wire`]
//!   sends it;
//! - [`answer`] judges the answer (`functions-host-protocol.md`);
//! - `invoker` puts these together with deadlines and retries, and listeners and the HTTP server call it;
//! - [`newtonsoft`] and [`zone`] treat JSON and time as .NET does.
#![warn(missing_docs)]

pub mod answer;
pub mod app;
mod clock;
mod connection;
pub mod encoding;
mod engine;
pub mod envelope;
mod error;
mod events;
mod exchange;
mod forward;
pub mod handler;
mod host;
mod invoker;
mod listener;
pub mod newtonsoft;
mod options;
mod port;
mod route_constraint;
pub mod routes;
pub mod schedule;
mod server;
mod time_span;
pub mod trigger;
pub mod wire;
pub mod zone;

#[cfg(test)]
mod tests;

pub use app::{LocalSettings, local_settings};
pub use error::{FireError, HostError};
pub use events::{HandlerAction, HostEvent, InvocationReport, LogLevel, LogSource, Outcome};
pub use exchange::HOST_VERSION;
pub use host::{FunctionState, FunctionSummary, Host};
pub use options::{HostOptions, Sources};
pub use port::free_port;
pub use trigger_sources;
