//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    policysync::commands::main()
}
