//! `completions`: what a shell needs to complete these commands.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use crate::commands::{self, terminal};

#[derive(Args)]
#[command(after_help = "In bash: source <(policysync completions bash)")]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut commands::command(), "policysync", &mut script);
    match terminal::raw(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => terminal::fail(&format!("cannot print the completions: {error}")),
    }
}
