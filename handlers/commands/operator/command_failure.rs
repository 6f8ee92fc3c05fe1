//! Why a command ends before it has done anything.

use std::process::ExitCode;

use super::{USAGE, fail};

/// Why a command ends early: a text for a person.
#[derive(Debug, PartialEq, Eq)]
pub enum CommandFailure {
    /// The arguments are wrong.
    Usage(String),
    /// A call, a file or a setting has failed.
    Failed(String),
}

impl CommandFailure {
    /// Prints the text; answers the exit code.
    pub fn tell(&self) -> ExitCode {
        match self {
            Self::Failed(message) => fail(message),
            Self::Usage(message) => {
                complain!("{message}");
                ExitCode::from(USAGE)
            }
        }
    }
}
