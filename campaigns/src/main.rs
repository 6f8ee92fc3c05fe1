//! Long runs against the whole product, from the outside: `cargo run --release -p campaigns -- NAME`.
//!
//! Two `policysync serve` processes share one state (Azurite) and one simulated Azure, and get every message several
//! times. The campaigns never use the clients or the code of the product, only what an operator sees: the calls in the log of the
//! simulated Azure, and what the processes answer. The campaign `assign` has one process and a host
//! of its own, and so has `report`. `cargo xtask bench NAME` and `cargo xtask full` run them.
//!
//! `start`, `invocation`, `neighbour` and `script` compare: with the same job in other languages, with a plain script. Their
//! figures are those of `docs/performance.md`.

mod accounts;
mod assign;
mod azurite;
mod clocks;
mod collector;
mod contest;
mod distance;
mod envelope;
mod error;
mod fleet;
mod handler;
mod host;
mod instructions;
mod invocation;
mod kill;
mod memory;
mod neighbour;
mod outages;
mod page;
mod progress;
mod random;
mod report;
mod requests;
mod rules;
mod sample;
mod script;
mod slope;
mod soak;
mod stage;
mod start;
mod sync;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
// Of an option that is given twice the last value counts.
#[command(about = "Long runs against the whole product, with figures", args_override_self = true)]
struct CommandLine {
    #[command(subcommand)]
    campaign: Campaign,
    /// Write the figures into this page
    #[arg(long, global = true, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Fail when a limit is missed; otherwise it is only told
    #[arg(long, global = true)]
    judge: bool,
}

#[derive(Subcommand)]
enum Campaign {
    /// Every message three times in random order, under the real throttle buckets: calls, ratio, replay
    Sync(Arguments),
    /// The same with a process killed at random instants, outages of the storage, clocks that differ, and no throttling
    Kill(kill::Arguments),
    /// A load that does not end, for an hour: whether memory is flat
    Soak(soak::Arguments),
    /// From the event to the policy, a reconcile with nothing to do, and a run taken back
    Assign(assign::Arguments),
    /// Status reports over fleets of growing size, killed on the way: calls, ratio, memory, and a second one that says nothing again
    Report(report::Arguments),
    /// From exec to the first answer, and memory, beside the same job in other languages
    Start(start::Arguments),
    /// How long an invocation takes, beside the same job in other languages
    Invocation(invocation::Arguments),
    /// Instructions of an invocation and of a message, held against a record
    Instructions(instructions::Arguments),
    /// What another client of the same identity notices
    Neighbour(neighbour::Arguments),
    /// Syncs, and the same by a plain script
    Script(script::Arguments),
}

/// The options that campaigns have in common.
#[derive(Args, Clone)]
pub struct Arguments {
    /// Makes chance repeatable
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Namespaces, in one subscription
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    namespaces: usize,
    /// Hubs of each namespace
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    hubs: usize,
    /// Requests over all namespaces
    #[arg(long, default_value_t = 1000)]
    requests: usize,
    /// How often each message is delivered
    #[arg(long, default_value_t = 3)]
    deliveries: usize,
    /// How much longer each call to the storage takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    storage_latency_ms: u64,
    /// Most messages of a batch
    #[arg(long, default_value_t = 16)]
    batch_size: usize,
    /// Entries of one page of an ARM list
    #[arg(long, default_value_t = 100)]
    page_size: u32,
    /// The campaign has failed when it is not done after so many minutes
    #[arg(long, default_value_t = 20)]
    limit_minutes: u64,
    /// The program to attack; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// Azurite's program, azurite-blob
    #[arg(long, value_name = "FILE", env = "AZURITE")]
    azurite: Option<PathBuf>,
    /// Keep what both processes log
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { campaign, page, judge } = CommandLine::parse();
    let (name, outcome) = match campaign {
        Campaign::Sync(arguments) => ("sync", sync::run(&arguments).await),
        Campaign::Assign(arguments) => ("assign", assign::run(&arguments).await),
        Campaign::Report(arguments) => ("report", report::run(&arguments).await),
        Campaign::Kill(arguments) => ("kill", kill::run(&arguments).await),
        Campaign::Soak(arguments) => ("soak", soak::run(&arguments).await),
        Campaign::Start(arguments) => ("start", start::run(&arguments)),
        Campaign::Invocation(arguments) => ("invocation", invocation::run(&arguments)),
        Campaign::Instructions(arguments) => ("instructions", instructions::run(&arguments)),
        Campaign::Neighbour(arguments) => ("neighbour", neighbour::run(&arguments).await),
        Campaign::Script(arguments) => ("script", script::run(&arguments).await),
    };
    let done = outcome.and_then(|verdict| {
        let is_good = verdict.print(name);
        if let Some(page) = page.filter(|_| is_good) {
            page::write(&page, name, &verdict.figures_of_page())?;
        }
        Ok(is_good && (verdict.is_within_limits() || !judge))
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
