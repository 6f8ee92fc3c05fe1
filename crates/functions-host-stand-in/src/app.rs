//! A function app as it lies on disk: `host.json`, and a folder with a `function.json` for each function.
//!
//! The host checks everything on start. An error names the file, the key and the allowed values. A fault in one
//! function puts that function alone in error, as on the real host (`functions-host-protocol.md` §3.2).

mod binding;
mod custom_handler;
mod function;
mod function_json;
mod host_json;
mod known_bindings;
mod load;
mod local_settings;
mod section;
mod settings;

pub use binding::{Binding, Cardinality, DataType, Direction};
pub use custom_handler::CustomHandler;
pub use function::{EventHubTrigger, Function, HttpTrigger, ServiceBusTrigger, TimerTrigger, Trigger};
pub use host_json::{EventHubsSettings, HostJson, ServiceBusSettings};
pub use load::{App, BrokenFunction, load};
pub use local_settings::{LocalSettings, local_settings};
pub use section::SettingError;
pub use settings::AppSettings;

use std::time::Duration;

/// A retry policy of `function.json` or `host.json` (`functions-host-protocol.md` §2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Further attempts after the first; `None`: for ever.
    pub most: Option<u32>,
    /// How long to wait between attempts.
    pub delay: RetryDelay,
}

/// The wait between attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryDelay {
    /// Always the same.
    Fixed(Duration),
    /// Doubling from the first to the second.
    Exponential(Duration, Duration),
}

impl RetryDelay {
    /// The wait before attempt `retry` (1 is the first retry).
    #[must_use]
    pub fn before(&self, retry: u32) -> Duration {
        match *self {
            Self::Fixed(delay) => delay,
            Self::Exponential(least, most) => {
                least.saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1).min(30))).min(most)
            }
        }
    }
}
