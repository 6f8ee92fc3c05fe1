//! The campaign `report`: fleets of growing size under the real throttle buckets. In each the process is killed on the way to its
//! first whole report; then a second report is made of the world, which has not changed.
//!
//! The campaign calls the app as the host does, with the telemetry of a deployment. It judges that each report knows of everything and
//! is right, the calls to ARM and to each DPS, the time against the time that the bucket allows with its reserve for people, the most
//! memory that the app ever had, the sizes of what people read, and that a second report writes, sends and announces nothing again.

mod fleet;
mod judge;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use azure_simulator::throttle::Limits;
use clap::Args;
use serde_json::Value;

use self::fleet::{Shape, Size};
use self::world::{Run, World};
use crate::accounts::Accounts;
use crate::error::CampaignError;
use crate::memory;
use crate::page::{self, Table};
use crate::progress::Progress;
use crate::rules::{self, SHORTEST_FLOOR_SECONDS};
use crate::stage::handler_program;
use crate::verdict::{Limit, Verdict};

const JSON: &str = "application/json";
const PAGE: &str = "text/html";
/// What the largest fleet is to keep to.
const MOST_OF_FLOOR: f64 = 1.15;
const MOST_READS_PER_HUB: f64 = 1.3;
const MOST_KB_OF_OVERVIEW: f64 = 400.0;
/// With fewer hubs in a namespace its own two reads outweigh those of its hubs.
const HUBS_OF_LIMIT: usize = 10;

/// The options of the campaign.
#[derive(Args, Clone)]
pub struct Arguments {
    /// Namespaces; each number is a world of its own and a row
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1_000])]
    namespaces: Vec<usize>,
    #[command(flatten)]
    shape: Shape,
    /// How often the process is killed on the way to the first whole report
    #[arg(long, default_value_t = 2)]
    kills: usize,
    /// The program to measure; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// Azurite's program, azurite-blob
    #[arg(long, value_name = "FILE", env = "AZURITE")]
    azurite: Option<PathBuf>,
}

/// What was measured of one world.
struct Measured {
    size: Size,
    /// Until the first whole report, from the beginning of the first run that was killed.
    with_kills: Timed,
    /// The report of the world that has not changed.
    unchanged: Timed,
    /// Reads of ARM and calls of DPS of that report.
    reads: usize,
    provisioning_calls: usize,
    peak_memory_bytes: Option<u64>,
    /// In bytes: the overview as JSON and as a page, the largest report of one namespace.
    overview: usize,
    overview_page: usize,
    largest_section: usize,
}

/// A time beside that which the buckets force.
#[derive(Debug, Clone, Copy)]
struct Timed {
    seconds: f64,
    /// Of the subscription that forces the most.
    floor: f64,
}

impl Timed {
    fn of(seconds: f64, accounts: &[Accounts]) -> Self {
        let floors = accounts.iter().map(|accounts| accounts.floor_seconds(Limits::default()));
        Self { seconds, floor: floors.fold(0.0, f64::max) }
    }

    /// How many times as long as the floor; `None` where that is too short to prove anything.
    fn ratio(self) -> Option<f64> {
        (self.floor >= SHORTEST_FLOOR_SECONDS).then(|| self.seconds / self.floor)
    }
}

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let program = handler_program(arguments.handler.as_deref())?;
    let azurite = arguments.azurite.as_deref().ok_or(CampaignError::NoAzurite)?;
    let progress = Progress::start();
    let mut verdict = Verdict::default();
    let mut worlds = Vec::new();
    for &namespaces in &arguments.namespaces {
        let size = Size { namespaces, shape: arguments.shape.clone() };
        worlds.push(one(&size, arguments.kills, (&program, azurite), &progress, &mut verdict).await?);
    }
    progress.finish();
    tell(arguments, &worlds, &mut verdict);
    Ok(verdict)
}

async fn one(
    size: &Size,
    kills: usize,
    (program, azurite): (&Path, &Path),
    progress: &Progress,
    verdict: &mut Verdict,
) -> Result<Measured, CampaignError> {
    let namespaces = size.namespaces;
    progress.phase(&format!("{namespaces} namespaces: building the fleet"));
    let mut world = World::start(size, program, azurite).await?;
    verdict.figure(
        "namespaces, subscriptions, hubs each, policies each; DPS, groups each",
        format!(
            "{namespaces}, {}, {}, {}; {}, {}",
            size.subscriptions(),
            size.shape.hubs,
            fleet::POLICIES.len(),
            size.services(),
            size.shape.groups
        ),
    );

    let mut seconds = 0.0;
    for kill in 1..=kills {
        progress.phase(&format!("{namespaces} namespaces: killing a report, {kill} of {kills}"));
        match world.killed_report((namespaces * kill / (kills + 1)).max(1)).await? {
            Some(worked) => seconds += worked,
            None => verdict.broken(vec![format!("report {kill} was done before it could be killed")]),
        }
    }
    progress.phase(&format!("{namespaces} namespaces: making the first whole report"));
    let first = world.report().await?;
    let entries = world.simulator.log().entries();
    let accounts = world.by_subscription(&entries);
    let with_kills = Timed::of(seconds + first.seconds, &accounts);
    judge_buckets(&accounts, with_kills, "with kills", verdict);
    verdict.broken(judge::goes_on(size, kills, &entries).into_iter().collect());
    judge::nothing_is_written(&entries, verdict);
    let report = parsed(&world.status("", JSON).await?)?;
    verdict.broken(judge::overview(size, &report));

    // The report is measured with buckets that are full, as they are after a pause of an hour.
    tokio::time::sleep(Duration::from_secs_f64(
        Limits::default().reads.burst / Limits::default().reads.per_second,
    ))
    .await;
    progress.phase(&format!("{namespaces} namespaces: making the second report"));
    let told_before = world.collector.bytes();
    let second = world.report().await?;
    let entries = world.simulator.log().entries().split_off(second.began);
    let accounts = world.by_subscription(&entries);
    let unchanged = Timed::of(second.seconds, &accounts);
    judge_buckets(&accounts, unchanged, "unchanged", verdict);
    let reads = accounts.iter().map(|accounts| accounts.reads).sum();
    judge::calls(size, &entries, (reads, second.seconds), verdict);
    let overview = world.status("", JSON).await?;
    let report = parsed(&overview)?;
    verdict.broken(judge::overview(size, &report));
    told_once(judge::findings(&report), &first, &second, verdict);

    progress.phase(&format!("{namespaces} namespaces: reading each"));
    let mut largest_section = 0;
    for index in 0..namespaces {
        let section = world.status(&fleet::name(index), JSON).await?;
        verdict.broken(judge::section(size, index, &parsed(&section)?).into_iter().collect());
        largest_section = largest_section.max(section.len());
    }
    let overview_page = world.status("", PAGE).await?.len();
    let told = (world.collector.bytes() - told_before) / 1000;
    verdict.figure("  telemetry of the second report, and of reading each namespace", format!("{told} KB"));
    Ok(Measured {
        size: size.clone(),
        with_kills,
        unchanged,
        reads,
        provisioning_calls: entries.iter().filter(|entry| entry.path.starts_with("/dps/")).count(),
        peak_memory_bytes: memory::judge_peak(world.peak_memory_bytes().await, verdict),
        overview: overview.len(),
        overview_page,
        largest_section,
    })
}

fn parsed(body: &str) -> Result<Value, CampaignError> {
    serde_json::from_str(body).map_err(|error| CampaignError::unanswered("GET /api/policy-status", error))
}

fn judge_buckets(accounts: &[Accounts], timed: Timed, which: &str, verdict: &mut Verdict) {
    let limits = Limits::default();
    let fewest =
        accounts.iter().map(|accounts| accounts.fewest_reads_left).fold(limits.reads.burst, f64::min);
    let throttled: usize = accounts.iter().map(|accounts| accounts.throttled).sum();
    let ratio = timed.ratio().map_or_else(|| "none: the floor is short".to_owned(), |it| format!("{it:.2}"));
    verdict.figure(
        &format!("  {which}: seconds, floor, ratio"),
        format!("{:.1}, {:.1}, {ratio}", timed.seconds, timed.floor),
    );
    let spans = accounts.iter().filter_map(|accounts| Some(accounts.last_call? - accounts.first_call?));
    let spans: Vec<String> = spans.map(|span| format!("{:.1}", span.as_seconds_f64())).collect();
    verdict.figure(&format!("  {which}: seconds of reading each subscription"), spans.join(", "));
    verdict.figure(
        &format!("  {which}: fewest reads left in a bucket"),
        format!("{fewest:.0} of {:.0}", limits.reads.burst),
    );
    if let Some(ratio) = timed.ratio().filter(|ratio| *ratio > rules::HIGHEST_RATIO) {
        verdict.broken(vec![format!(
            "{which}: {ratio:.2} times the floor; {} is allowed",
            rules::HIGHEST_RATIO
        )]);
    }
    if throttled > 0 {
        verdict.broken(vec![format!("{which}: ARM throttled {throttled} calls")]);
    }
}

/// Each finding is told once. A run tells a hundred at the most, so the second run tells those that did not fit into the first.
fn told_once(findings: usize, first: &Run, second: &Run, verdict: &mut Verdict) {
    let ids: BTreeSet<&String> = first.events.iter().chain(&second.events).collect();
    let (told, again) = (first.events.len(), second.events.len());
    verdict.figure(
        "  findings, told by the first report, by the second",
        format!("{findings}, {told}, {again}"),
    );
    if told == 0 || again > findings.saturating_sub(told) || ids.len() < told + again {
        verdict.broken(vec![format!(
            "of {findings} findings the first report told {told} and the second {again}, {} of them different",
            ids.len()
        )]);
    }
}

fn tell(arguments: &Arguments, worlds: &[Measured], verdict: &mut Verdict) {
    verdict.page(page::measured_on(&[]));
    verdict.page(format!(
        "{} hubs and {} policies in each namespace, {} namespaces of a subscription at the most; one namespace in {} has a DPS with {} \
         groups. The process is killed {} times on the way to the first whole report, and then makes another one of the world, which \
         has not changed. KB are 1,000 bytes.\n",
        arguments.shape.hubs,
        fleet::POLICIES.len(),
        arguments.shape.namespaces_per_subscription,
        arguments.shape.namespaces_per_service,
        arguments.shape.groups,
        arguments.kills
    ));
    let mut table = Table::new([
        "namespaces, in subscriptions",
        "seconds",
        "floor, seconds",
        "÷ floor",
        "÷ floor, with kills",
        "reads",
        "reads per hub",
        "calls of all DPS",
        "peak memory, MiB",
        "overview, KB of JSON, of page",
        "largest namespace, KB",
    ]);
    let ratio = |timed: Timed| timed.ratio().map_or_else(|| "–".to_owned(), |it| format!("{it:.2}"));
    let kilobytes = |bytes: usize| format!("{:.0}", bytes as f64 / 1000.0);
    for world in worlds {
        table.row(vec![
            format!("{}, {}", world.size.namespaces, world.size.subscriptions()),
            format!("{:.1}", world.unchanged.seconds),
            format!("{:.1}", world.unchanged.floor),
            ratio(world.unchanged),
            ratio(world.with_kills),
            world.reads.to_string(),
            format!("{:.2}", world.reads as f64 / world.size.hubs() as f64),
            world.provisioning_calls.to_string(),
            world
                .peak_memory_bytes
                .map_or_else(|| "–".to_owned(), |bytes| format!("{:.1}", memory::mebibytes(bytes))),
            format!("{}, {}", kilobytes(world.overview), kilobytes(world.overview_page)),
            kilobytes(world.largest_section),
        ]);
    }
    verdict.page(&table);
    let Some(largest) = worlds.iter().max_by_key(|world| world.size.namespaces) else { return };
    let overview = largest.overview.max(largest.overview_page);
    let per_hub =
        (largest.size.shape.hubs >= HUBS_OF_LIMIT).then(|| largest.reads as f64 / largest.size.hubs() as f64);
    for (what, measured, most, unit) in [
        ("time ÷ floor", largest.unchanged.ratio(), MOST_OF_FLOOR, ""),
        ("time ÷ floor, with kills", largest.with_kills.ratio(), MOST_OF_FLOOR, ""),
        ("reads per hub", per_hub, MOST_READS_PER_HUB, ""),
        (
            "peak memory",
            largest.peak_memory_bytes.map(memory::mebibytes),
            memory::mebibytes(memory::MOST_BYTES),
            " MiB",
        ),
        ("overview", Some(overview as f64 / 1000.0), MOST_KB_OF_OVERVIEW, " KB"),
    ] {
        verdict.limit(&Limit { what, measured, most, unit });
    }
}
