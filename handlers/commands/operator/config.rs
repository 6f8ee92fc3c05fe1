//! `config`: the configuration where it is a blob. Shows which version there is, and puts another one there.

mod effects;
mod place;
mod print;
mod push;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show what another version would do, by a look at Azure, and with --apply upload it.
    Push(push::Arguments),
    /// Show which version there is, who uploaded it and why, and which one the app had in force last. It reads the newest version alone;
    /// for those before it prints the command of `az` that lists what the account keeps.
    Show(show::Arguments),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match arguments.action {
        Action::Push(arguments) => push::run(arguments).await,
        Action::Show(arguments) => show::run(arguments).await,
    }
}
