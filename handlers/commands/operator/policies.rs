//! `policies`: the certificate authorities and policies of both generations. Nothing here revokes, rotates or deletes.
//!
//! - [`list`]: what exists.
//! - [`apply`]: what the file declares, made or changed.
//! - [`csr`] and [`lint`]: the customer's own root: what waits for a signature, how to sign it, and whether a chain answers
//!   it. [`pending`] reads the request from Azure, [`file`] what a person hands in.

mod apply;
mod csr;
mod file;
mod lint;
mod list;
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
    /// Show every certificate authority and policy, and whether policysync.toml declares it.
    List(list::Arguments),
    /// Show what policysync.toml declares and what would be created or changed; with --apply do it.
    Apply(apply::Arguments),
    /// Show the signing request that waits for your root, and how to sign it with OpenSSL.
    Csr(csr::Arguments),
    /// Check the chain that you have signed against every published requirement, before the service does.
    Lint(lint::Arguments),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.action {
        Action::List(arguments) => return list::run(&arguments).await,
        Action::Apply(arguments) => return apply::run(&arguments).await,
        Action::Csr(arguments) => csr::run(&arguments).await,
        Action::Lint(arguments) => lint::run(&arguments).await,
    };
    done.unwrap_or_else(|failure| failure.tell())
}
