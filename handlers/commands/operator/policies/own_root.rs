//! The customer's own root: what waits for a signature, how to sign it, whether a chain answers it, and handing it back.
//!
//! - [`csr`], [`lint`] and [`activate`]: the commands.
//! - [`named`]: the authority that the person means; [`pending`]: its request, both read from Azure.
//! - [`file`]: files that a person hands in, within bounds.

mod activate;
mod csr;
mod file;
mod lint;
mod named;
mod pending;

use std::process::ExitCode;

use clap::Subcommand;

/// The commands of this room.
#[derive(Subcommand)]
pub enum Command {
    /// Show the signing request that waits for your root, and how to sign it with OpenSSL.
    Csr(csr::Arguments),
    /// Check the chain that you have signed against every published requirement, before the service does.
    Lint(lint::Arguments),
    /// Show what activating an authority with your chain means; with --apply do it, and prove it on every hub.
    Activate(activate::Arguments),
}

/// Runs the command.
pub async fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Csr(arguments) => csr::run(&arguments).await,
        Command::Lint(arguments) => lint::run(&arguments).await,
        Command::Activate(arguments) => activate::run(&arguments).await,
    };
    done.unwrap_or_else(|failure| failure.tell())
}
