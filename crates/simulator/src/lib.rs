//! Stand-ins for what no laptop has: Azure ([`cloud`]) and the Azure Functions host ([`functions_host`]).
//!
//! Everything else is tested against them, so they are written from the confirmed facts of the services (the
//! specifications, captures of the real host), never from our own clients: one cannot hide the other's mistake.
//! The two meet in [`sources`]: what the real host receives over AMQP or as a webhook.
#![warn(missing_docs)]

pub mod cloud;
pub mod device;
pub mod functions_host;
pub mod sources;
