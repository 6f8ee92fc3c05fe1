//! Commands that operators run as themselves, on their machines and in their pipelines, against Azure, the queue and
//! the records.

mod announce;
mod apply;
mod assign;
pub mod check;
mod command_failure;
mod config;
mod declaring;
mod explain;
mod group;
mod holds;
pub mod intent;
mod parked;
pub mod perform;
pub mod person;
pub mod plan;
mod policies;
// A build without these two has no command that waits for so long.
#[cfg(any(feature = "own-root", feature = "setup"))]
pub mod progress;
pub mod reader;
mod runs;
mod status;
mod submit;
mod wanted;

use std::process::ExitCode;

use clap::Subcommand;

use super::terminal::{USAGE, fail};
use super::{screen, table, terminal, tone};

/// The commands of this room.
#[derive(Subcommand)]
pub enum Command {
    /// Submit a sync request, and wait for its outcome where asked to.
    Submit(submit::Arguments),
    /// Messages that no function could handle: show them, send them again, or throw them away.
    Parked(parked::Arguments),
    /// Show every rule that is tried for an enrollment group, why it does or does not match, and what the plan would do.
    Explain(explain::Arguments),
    /// Show which authorities and policies would be created or changed and which enrollment groups would be given which policy, and
    /// why; save it for `apply`.
    Plan(plan::Arguments),
    /// Perform a saved plan, exactly, as the person who runs it.
    Apply(apply::Arguments),
    /// Certificate authorities and policies: what exists, what policysync.toml declares, and a root of your own.
    Policies(policies::Arguments),
    /// Give the policy of an existing enrollment group to others, or take a run's assignments back.
    Assign(assign::Arguments),
    /// Who wrote what, when, why and by which plan.
    Runs(runs::Arguments),
    /// Enrollment groups that no function and no command writes for now: show, put and release holds.
    Holds(holds::Arguments),
    /// Create an enrollment group with its policy in one write.
    Group(group::Arguments),
    /// Publish that an enrollment group was created, so that the app looks at it at once.
    Announce(announce::Arguments),
    /// Look at everything now and print what needs a person, with an exit code for pipelines.
    Status(status::Arguments),
    /// The configuration where it is a blob: what another version would do, and putting it there.
    Config(config::Arguments),
    /// Check the configuration, its rules, and what can be read in Azure, before deployment.
    Check(check::Arguments),
}

/// Runs the command.
pub async fn run(command: Command) -> ExitCode {
    match command {
        Command::Submit(arguments) => submit::run(arguments).await,
        Command::Parked(arguments) => parked::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Plan(arguments) => plan::run(arguments).await,
        Command::Apply(arguments) => apply::run(arguments).await,
        Command::Policies(arguments) => policies::run(arguments).await,
        Command::Assign(arguments) => assign::run(arguments).await,
        Command::Runs(arguments) => runs::run(arguments).await,
        Command::Holds(arguments) => holds::run(arguments).await,
        Command::Group(arguments) => group::run(arguments).await,
        Command::Announce(arguments) => announce::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::Config(arguments) => config::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
    }
}
