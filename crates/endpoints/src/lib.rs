//! How settings name a service: as a connection string, or as an address that is trusted because it is on this machine.
//!
//! Three rooms read such settings and do not know one another: `azure` that of Service Bus, `state` that of the storage
//! account, the app that of Application Insights. What the parts of a connection string mean is theirs; how it is taken apart,
//! and that no part of it gets into an error, is one thing for all.
#![warn(missing_docs)]

mod connection_string;
mod loopback;

pub use connection_string::{ConnectionString, Malformed};
pub use loopback::is_this_machine;
