//! The targets, one file each. In each, `run` is the target; `broken` is the same with a deliberate mistake in what it
//! observes, which shows that its property can fail, and that its corpus comes to it.

pub mod arm_bodies;
pub mod certificate_chain;
pub mod configuration;
pub mod connection_strings;
pub mod diagnostic_records;
pub mod envelope;
pub mod invocation;
pub mod operations;
pub mod provisioning_bodies;
pub mod queue_messages;
pub mod records;
pub mod resource_events;
pub mod sections;
pub mod sync_steps;
pub mod write_guard;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A function that must hold its property for any bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its file, its program and its corpus.
    pub name: &'static str,
    /// Panics where the property does not hold.
    pub run: fn(&[u8]),
    /// The same with a deliberate mistake.
    pub broken: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// Every target.
        pub const ALL: &[Target] =
            &[$(Target { name: stringify!($name), run: $name::run, broken: $name::broken }),*];
    };
}

targets! {
    arm_bodies, certificate_chain, configuration, connection_strings, diagnostic_records, envelope, invocation, operations,
    provisioning_bodies, queue_messages, records, resource_events, sections, sync_steps, write_guard,
}

/// What JSON gives back of a value. A value that cannot be written, or not be read again, breaks a property.
fn kept<T: Serialize + DeserializeOwned + Debug>(value: &T) -> T {
    let text =
        serde_json::to_string(value).unwrap_or_else(|error| panic!("it is not written: {error}: {value:?}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("it is not read again: {error}: {text}"))
}
