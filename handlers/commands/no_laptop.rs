//! In place of [`laptop`](super::laptop) in a build without the feature `simulator`: the same room without a command.

/// No command: a value of it cannot be made.
pub use std::convert::Infallible as Command;
use std::process::ExitCode;

/// What cannot be called.
pub async fn run(command: Command) -> ExitCode {
    match command {}
}
