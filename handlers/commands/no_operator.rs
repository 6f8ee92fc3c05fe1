//! Takes the place of [`operator`](super::operator) in a build without the feature `operator`, as that of the function app: a room
//! without commands.

/// A type without values, since this room has no command.
pub use std::convert::Infallible as Command;
use std::process::ExitCode;

/// No code can call it, since there is no `Command`.
pub async fn run(command: Command) -> ExitCode {
    match command {}
}
