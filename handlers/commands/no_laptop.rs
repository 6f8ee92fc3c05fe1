//! Takes the place of [`laptop`](super::laptop) in a build without the feature `simulator`: a room without commands.

/// A type without values, since this room has no command.
pub use std::convert::Infallible as Command;
use std::process::ExitCode;

/// No code can call it, since there is no `Command`.
pub async fn run(command: Command) -> ExitCode {
    match command {}
}

/// There is no world to go by.
///
/// # Errors Never.
pub fn follow_clock() -> Result<(), String> {
    Ok(())
}
