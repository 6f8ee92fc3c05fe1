//! Commands of a person before a deployment, and beside it. The app in Azure has no use for them, so its package is built
//! without this room.

mod completions;
mod init;
mod man_pages;

use std::process::ExitCode;

use clap::Subcommand;

/// The commands of this room.
#[derive(Subcommand)]
pub enum Command {
    /// Read what exists in Azure and write a first policysync.toml for it, in audit mode.
    Init(init::Arguments),
    /// Print completions of these commands for a shell.
    Completions(completions::Arguments),
    /// Write a man page for each of these commands.
    ManPages(man_pages::Arguments),
}

/// Runs the command.
pub async fn run(command: Command) -> ExitCode {
    match command {
        Command::Init(arguments) => init::run(arguments).await,
        Command::Completions(arguments) => completions::run(&arguments),
        Command::ManPages(arguments) => man_pages::run(&arguments),
    }
}
