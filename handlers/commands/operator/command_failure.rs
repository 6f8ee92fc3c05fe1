//! Why a command ends before it has done anything.

use std::process::ExitCode;

use super::{USAGE, fail};

/// What has to change before the command is given again: a text for a person.
#[derive(Debug, PartialEq, Eq)]
pub enum CommandFailure {
    /// The command itself.
    Usage(String),
    /// The world, or what the environment names of it.
    Failed(String),
}

impl CommandFailure {
    /// Tells a person; answers the exit code.
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
