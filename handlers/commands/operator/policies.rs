//! `policies`: the certificate authorities and policies of both generations. Nothing here revokes, rotates or deletes.
//!
//! - [`apply`]: what the file declares, made or changed.
//! - [`list`]: what exists.

mod apply;
mod list;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::table::Output;
use super::{fail, person};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    output: Output,
}

#[derive(Subcommand)]
enum Action {
    /// Show every certificate authority and policy, and whether policysync.toml owns it.
    List,
    /// Show what policysync.toml declares and what would be created or changed; with --apply do it.
    Apply(apply::Arguments),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let person = match person::start() {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    match arguments.action {
        Action::List => list::run(&person, arguments.output).await,
        Action::Apply(own) => apply::run(&person, &own, arguments.output).await,
    }
}
