//! `policies`: the certificate authorities and policies of both generations. Nothing here revokes, rotates or deletes.
//!
//! - [`list`]: what exists.
//! - [`apply`]: what the file declares, made or changed.
//! - [`blast_radius`]: what a step would break that a person takes elsewhere.
//! - [`own_root`]: the customer's own root. It reads X.509, which the function app never does, so its package is built
//!   without it.

mod apply;
mod blast_radius;
mod list;
#[cfg_attr(not(feature = "own-root"), path = "policies/no_own_root.rs")]
mod own_root;

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
    /// Show what revoking, rotating, deleting or unlinking would break, before you do it elsewhere.
    BlastRadius(blast_radius::Arguments),
    #[command(flatten)]
    OwnRoot(own_root::Command),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match arguments.action {
        Action::List(arguments) => list::run(&arguments).await,
        Action::Apply(arguments) => apply::run(&arguments).await,
        Action::BlastRadius(arguments) => blast_radius::run(&arguments).await,
        Action::OwnRoot(command) => own_root::run(command).await,
    }
}
