//! `completions`: what a shell needs to complete these commands.

use std::process::ExitCode;

use clap::Args;
use clap_complete::{Generator, Shell};

use crate::commands::{self, terminal};

#[derive(Args)]
#[command(after_help = "In bash: source <(policysync completions bash)")]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let mut script = Vec::new();
    let mut command = commands::command();
    command.set_bin_name("policysync");
    command.build();
    arguments.shell.generate(&command, &mut script);
    match terminal::raw(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => terminal::fail(&format!("cannot print the completions: {error}")),
    }
}
