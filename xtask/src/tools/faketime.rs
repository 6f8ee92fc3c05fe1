//! A clock that is wrong: libfaketime, Debian's package, which answers a program's questions for the time.

use std::process::Command;

use crate::tools::debian;

/// The program that starts another one under a clock of its own.
const PROGRAM: &str = "faketime";

/// Makes sure that it is there; otherwise says in words why not.
pub fn install() -> Result<(), String> {
    debian::ensure(PROGRAM, &["faketime"])
}

/// A command that starts `program` with the clock so many days ahead.
pub fn command(program: &std::path::Path, days: u32) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["-f", &format!("+{days}d")]).arg(program);
    command
}
