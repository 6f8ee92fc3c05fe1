//! The campaign `assign` measures the time from an event to the policy, the calls of a full reconcile to a DPS, and the
//! revert of a run.
//!
//! One `policysync serve` process runs under the stand-in for the Functions host, over records in Azurite. Each DPS takes
//! 1,000 operations a minute, as the real one, from the app and from the pipeline that creates groups alike.
//!
//! - [`events`]: creates groups, one after the other and all at once, and measures how long it takes until each has its
//!   policy.
//! - [`unchanged`]: runs a reconcile over every group of every DPS, with nothing to do.
//! - [`revert`]: copies a policy to many groups and takes that run back.

mod app;
pub mod calls;
mod events;
mod fleet;
mod revert;
mod unchanged;

use std::path::PathBuf;

use clap::Args;
use clap::builder::TypedValueParser;

use crate::error::CampaignError;
use crate::page;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// The options of the campaign.
#[derive(Args, Clone)]
pub struct Arguments {
    /// Provisioning services of the full reconcile; each number is a world of its own and a row
    #[arg(long, value_delimiter = ',', default_values_t = [1, 20, 200], value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    provisioning_services: Vec<usize>,
    /// Enrollment groups of each; a DPS has 200 at the most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(4..=200).map(usize::from))]
    groups: usize,
    /// The program to attack; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// The program whose commands a person runs; by default the `policysync` beside this program. The package has no commands
    #[arg(long, value_name = "FILE")]
    commands: Option<PathBuf>,
    /// Azurite's program, azurite-blob
    #[arg(long, value_name = "FILE", env = "AZURITE")]
    azurite: Option<PathBuf>,
    /// The campaign has failed when a part of it is not done after so many minutes
    #[arg(long, default_value_t = 5)]
    limit_minutes: u64,
}

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let mut verdict = Verdict::default();
    verdict.page(page::measured_on(&[]));
    verdict.page(format!(
        "Each namespace has four hubs, two policies and a DPS, which has up to {} groups of symmetric keys; ten DPS are in each subscription.\n",
        arguments.groups
    ));
    events::run(arguments, &progress, &mut verdict).await?;
    unchanged::run(arguments, &progress, &mut verdict).await?;
    progress.finish();
    Ok(verdict)
}
