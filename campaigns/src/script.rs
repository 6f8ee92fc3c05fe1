//! The campaign `script`: syncs by Policysync, and the same by a plain script that does what a person does today
//! (`benches/contestants/script.py`), each under the real throttle buckets and in a fresh world.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use azure_simulator::service_bus::Settings;
use azure_simulator::throttle::Limits;
use azure_simulator::{Options, Simulator};
use clap::Args;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::accounts::Accounts;
use crate::contest::python;
use crate::error::CampaignError;
use crate::fleet::{self, CampaignNamespace};
use crate::host::Delivering;
use crate::page::{self, Table};
use crate::progress::Progress;
use crate::requests;
use crate::rules::SHORTEST_FLOOR_SECONDS;
use crate::sample::Sample;
use crate::stage::{Stage, Surroundings};
use crate::sync::check_requests;
use crate::verdict::Verdict;

const SCRIPT: &str = include_str!("../../benches/contestants/script.py");
const PAGE_SIZE: u32 = 100;

/// What the campaign is run with.
#[derive(Args, Clone)]
pub struct Arguments {
    /// Namespaces, in one subscription; each number is a row
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100])]
    namespaces: Vec<usize>,
    /// Hubs of each namespace
    #[arg(long, default_value_t = 10)]
    hubs: usize,
    /// Rounds of each number of namespaces below 100; from there one
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The program to measure; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// Azurite's program, azurite-blob
    #[arg(long, value_name = "FILE", env = "AZURITE")]
    azurite: Option<PathBuf>,
}

/// The script, ready to be run.
pub struct Script {
    python: PathBuf,
    folder: TempDir,
}

/// What a run of the script told.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Pairs of hub and policy.
    pub pairs: usize,
    /// Pairs of which the hub trusts the policy.
    pub trusted: usize,
    /// How long it took.
    pub seconds: f64,
}

impl Script {
    /// The script for these namespaces; none where Python is not installed.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn new<'a>(namespaces: impl Iterator<Item = &'a str>) -> Result<Option<Self>, CampaignError> {
        let Some((python, _)) = python() else { return Ok(None) };
        let folder = TempDir::with_prefix("script-").map_err(CampaignError::file("a folder"))?;
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).map_err(CampaignError::file(file.display().to_string()))
        };
        write("script.py", SCRIPT)?;
        write("namespaces", &namespaces.collect::<Vec<_>>().join("\n"))?;
        Ok(Some(Self { python, folder }))
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, endpoint: &str, identity: &str, more: &[&str]) -> Result<Told, CampaignError> {
        let file = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(&self.python);
        command.arg(file("script.py")).args(["--endpoint", endpoint, "--identity", identity, "--namespaces"]);
        command.arg(file("namespaces")).args(more).kill_on_drop(true);
        let output = command.output().await.map_err(CampaignError::file("the script"))?;
        let failed = |problem: String| CampaignError::unanswered("the script", problem);
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let told: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        let count = |name: &str| {
            told[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
        };
        Ok(Told {
            pairs: count("pairs"),
            trusted: count("trusted"),
            seconds: told["seconds"].as_f64().unwrap_or_default(),
        })
    }
}

/// One run over all namespaces.
struct Run {
    seconds: f64,
    accounts: Accounts,
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
        "{} hubs in each namespace; median (least to most) of {} rounds of each in turn, from 100 namespaces on of one.\n",
        arguments.hubs, arguments.rounds
    ));
    let mut table = Table::new([
        "namespaces",
        "",
        "seconds",
        "floor of its calls, seconds",
        "÷ floor",
        "reads per hub",
        "syncs",
        "429s",
    ]);
    for &count in &arguments.namespaces {
        progress.phase(&format!("{count} namespaces"));
        let rounds = if count < 100 { arguments.rounds.max(1) } else { 1 };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            ours.push(policysync(arguments, count, round, &mut verdict).await?);
            theirs.extend(by_script(arguments, count, &mut verdict).await?);
        }
        for (name, runs) in [("Policysync", &ours), ("script", &theirs)] {
            row(&mut table, name, count, arguments.hubs, runs);
        }
    }
    verdict.page(&table);
    progress.finish();
    Ok(verdict)
}

fn row(table: &mut Table, name: &str, namespaces: usize, hubs: usize, runs: &[Run]) {
    let shown = |figure: fn(&Run) -> f64, decimals| {
        Sample::of(runs.iter().map(figure)).map_or_else(|| "–".to_owned(), |it| it.shown(decimals))
    };
    let hubs = (namespaces * hubs) as f64;
    let reads = Sample::of(runs.iter().map(|run| run.accounts.reads as f64 / hubs));
    let floor = |run: &Run| run.accounts.floor_seconds(Limits::default());
    let ratio = Sample::of(
        runs.iter().filter(|run| floor(run) >= SHORTEST_FLOOR_SECONDS).map(|run| run.seconds / floor(run)),
    );
    table.row(vec![
        namespaces.to_string(),
        name.to_owned(),
        shown(|run| run.seconds, 1),
        shown(|run| run.accounts.floor_seconds(Limits::default()), 1),
        ratio.map_or_else(|| "–".to_owned(), |it| it.shown(2)),
        reads.map_or_else(|| "–".to_owned(), |it| it.shown(2)),
        shown(|run| Accounts::total(&run.accounts.synchronize) as f64, 0),
        shown(|run| run.accounts.throttled as f64, 0),
    ]);
}

async fn policysync(
    arguments: &Arguments,
    namespaces: usize,
    round: usize,
    verdict: &mut Verdict,
) -> Result<Run, CampaignError> {
    let common = crate::Arguments {
        seed: 1 + round as u64,
        namespaces,
        hubs: arguments.hubs,
        requests: namespaces,
        deliveries: 1,
        storage_latency_ms: 0,
        batch_size: 16,
        page_size: PAGE_SIZE,
        limit_minutes: 20,
        handler: arguments.handler.clone(),
        azurite: arguments.azurite.clone(),
        logs: None,
    };
    let limits = Limits::default();
    let delivering = Delivering { batch_size: 16, deliveries: 1, any_size: false, host_dies: 0.0 };
    let stage = Stage::build(&common, limits, Settings::default(), delivering, Surroundings::HEALTHY).await?;
    let planned = requests::whole(&stage.namespaces);
    let deadline = Instant::now() + Duration::from_secs(60 * common.limit_minutes);
    let progress = Progress::start();
    let started = stage.simulator.clock().now();
    stage.deliver();
    requests::submit(&stage.client, stage.simulator.url(), &planned).await?;
    let is_done = stage.wait_until_quiet(deadline, &progress).await?;
    progress.finish();
    let accounts = Accounts::of(&stage.simulator.log().entries(), limits);
    stage.host.stop();
    if !is_done {
        verdict.broken(vec![format!("{namespaces} namespaces were not synced in time")]);
    }
    let mut judged = Verdict::default();
    check_requests(&stage, &planned, &mut judged).await?;
    verdict.take_broken(judged);
    let seconds = accounts.last_call.map_or(0.0, |last| (last - started).as_seconds_f64());
    Ok(Run { seconds, accounts })
}

async fn by_script(
    arguments: &Arguments,
    namespaces: usize,
    verdict: &mut Verdict,
) -> Result<Option<Run>, CampaignError> {
    let (fleet, namespaces) = fleet::generate(namespaces, arguments.hubs, PAGE_SIZE);
    let Some(script) = Script::new(namespaces.iter().map(|namespace| namespace.id.as_str()))? else {
        verdict.absent("Python is not installed");
        return Ok(None);
    };
    let limits = Limits::default();
    let simulator = Simulator::start(Options { fleet, limits, ..Options::default() }).await?;
    fleet::rotate(&simulator, &namespaces)?;
    let told = script.run(simulator.url(), &identity(simulator.url()), &["--sync"]).await?;
    let accounts = Accounts::of(&simulator.log().entries(), limits);
    let pairs: usize = namespaces.iter().map(pairs).sum();
    if told.pairs != pairs || told.trusted != pairs {
        verdict.broken(vec![format!("the script found {} of {pairs} pairs trusted", told.trusted)]);
    }
    Ok(Some(Run { seconds: told.seconds, accounts }))
}

fn pairs(namespace: &CampaignNamespace) -> usize {
    namespace.hubs.len() * namespace.policies.len()
}

/// The endpoint of the managed identity.
pub fn identity(simulator: &str) -> String {
    format!("{simulator}/identity")
}
