//! `policies`: issuing CAs under the customer's own root. What waits for a signature, how to sign it, and whether a chain
//! answers it. Nothing here writes to Azure.
//!
//! - [`pending`]: the request that the person means, read from Azure.
//! - [`file`]: files that a person hands in, within bounds.

mod csr;
mod file;
mod lint;
mod pending;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the signing request that waits for your root, and how to sign it with OpenSSL.
    Csr(csr::Arguments),
    /// Check the chain that you have signed against every published requirement, before the service does.
    Lint(lint::Arguments),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.action {
        Action::Csr(arguments) => csr::run(&arguments).await,
        Action::Lint(arguments) => lint::run(&arguments).await,
    };
    done.unwrap_or_else(|failure| failure.tell())
}
