//! Errors of a host as a whole, and of firing a function by hand.

use super::app::SettingError;
use super::zone::UnknownZone;

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The app's files are not acceptable.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The time zone is unknown.
    #[error("WEBSITE_TIME_ZONE or TZ: {0}")]
    Zone(#[from] UnknownZone),
    /// The port for HTTP functions cannot be had.
    #[error(
        "port {port} of 127.0.0.1 cannot be listened on ({source}): stop what uses it, or choose another port"
    )]
    Port {
        /// The port; 0: any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The handler did not become ready.
    #[error("the handler did not become ready: {0}")]
    Handler(String),
}

/// Why a function was not fired. Nothing was invoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FireError {
    /// There is no such function.
    #[error("there is no function {0:?}")]
    Unknown(String),
    /// The function is in error.
    #[error("the function {name:?} is in error: {error}")]
    Broken {
        /// Its name.
        name: String,
        /// Why it is in error.
        error: String,
    },
    /// The function is switched off.
    #[error("the function {0:?} is disabled")]
    Disabled(String),
    /// HTTP functions are called at their URL.
    #[error("the function {name:?} has an HTTP trigger: call it at {url}")]
    Http {
        /// Its name.
        name: String,
        /// Its URL, with the route's parameters in braces.
        url: String,
    },
    /// The input does not fit the trigger.
    #[error("the input does not fit the trigger of {name:?}: {problem}")]
    Input {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
}
