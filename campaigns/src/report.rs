//! The campaign `report`: one status report over many namespaces, under the real throttle buckets, and a second one over
//! the unchanged world.
//!
//! The campaign calls the app as the host does. It judges the calls to ARM and to each DPS, the time against the time
//! that the bucket allows with its reserve for people, the most memory that the app ever had, and that the second
//! report announces nothing again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use azure_simulator::throttle::Limits;
use azure_simulator::{Options, Simulator};
use clap::Args;
use serde_json::Value;
use tempfile::TempDir;

use crate::accounts::Accounts;
use crate::assign::calls::{Calls, OPERATIONS_PER_MINUTE, is_write};
use crate::azurite::Azurite;
use crate::envelope;
use crate::error::CampaignError;
use crate::handler::{Handler, HandlerCommand};
use crate::memory;
use crate::progress::Progress;
use crate::report_fleet::{self, Size};
use crate::rules;
use crate::stage::{environment, handler_program};
use crate::verdict::Verdict;

const FUNCTION: &str = "report-policy-status";
/// Calls of a DPS for its list of groups: two pages of 100, and room for a page size that is smaller.
const MOST_CALLS_FOR_GROUPS: usize = 4;
/// Calls of a DPS for the devices that came before their group had a policy: ten groups of each DPS are counted in a report, two
/// pages of each (`handlers/reporting/early_devices.rs`).
const MOST_CALLS_FOR_DEVICES: usize = 20;

/// The options of the campaign.
#[derive(Args, Clone)]
pub struct Arguments {
    #[command(flatten)]
    size: Size,
    /// The program to measure; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
    /// Azurite's program, azurite-blob
    #[arg(long, value_name = "FILE", env = "AZURITE")]
    azurite: Option<PathBuf>,
}

/// One report, as the host sees it.
struct Run {
    seconds: f64,
    events: usize,
}

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let size = &arguments.size;
    let progress = Progress::start();
    progress.phase("building the fleet");
    let program = handler_program(arguments.handler.as_deref())?;
    let azurite =
        Azurite::start(arguments.azurite.as_deref().ok_or(CampaignError::NoAzurite)?, Duration::ZERO).await?;
    let folder = TempDir::with_prefix("campaign-").map_err(CampaignError::file("a folder"))?;
    let configuration = folder.path().join("policysync.toml");
    std::fs::write(&configuration, report_fleet::configuration(size))
        .map_err(CampaignError::file(configuration.display().to_string()))?;
    let limits = Limits::default();
    let fleet = report_fleet::fleet(size)?;
    let simulator = Simulator::start(Options { fleet, limits, ..Options::default() }).await?;
    let command = HandlerCommand {
        program,
        directory: folder.path().to_owned(),
        environment: environment(simulator.url(), &azurite, &configuration),
        log: folder.path().join("handler.log"),
    };
    let handler = Handler::start("first", command).await?;

    let mut verdict = Verdict::default();
    verdict.figure(
        "namespaces, hubs each, policies each; DPS, groups each",
        format!(
            "{}, {}, {}; {}, {}",
            size.namespaces,
            size.hubs,
            report_fleet::POLICIES.len(),
            size.provisioning_services,
            size.groups
        ),
    );
    progress.phase("making the first report");
    let first = report(&handler).await?;
    let entries = simulator.log().entries();
    let accounts = Accounts::of(&entries, limits);
    verdict.calls(&accounts, size.namespaces, size.namespaces * size.hubs);
    let floor = accounts.floor_seconds(limits);
    let fewest = accounts.fewest_reads_left;
    verdict.figure("fewest reads left in the bucket", format!("{fewest:.0} of 250 (reserve 50)"));
    verdict.figure("floor: (reads - 0.8*250) / 25", format!("{floor:.1} s"));
    verdict.figure("wall", format!("{:.1} s", first.seconds));
    let ratio = if floor > 0.0 { format!("{:.2}", first.seconds / floor) } else { "none: no floor".into() };
    verdict.figure("ratio", format!("{ratio} (at most {})", rules::HIGHEST_RATIO));
    verdict.broken(rules::ratio(&accounts, limits, first.seconds, rules::HIGHEST_RATIO));
    if accounts.throttled > 0 {
        verdict.broken(vec![format!("ARM throttled {} calls", accounts.throttled)]);
    }
    provisioning_services(size, &entries, &mut verdict);

    progress.phase("making the second report");
    let second = report(&handler).await?;
    let writes = simulator.log().entries().iter().filter(|entry| is_write(entry)).count();
    let messages =
        simulator.log().entries().iter().filter(|entry| entry.path.starts_with("/servicebus/")).count();
    verdict.figure("wall of the second report", format!("{:.1} s", second.seconds));
    verdict
        .figure("events of the first report, of the second", format!("{}, {}", first.events, second.events));
    verdict.figure("writes to Azure, messages, of both", format!("{writes}, {messages}"));
    if writes + messages > 0 {
        verdict.broken(vec![format!("reports in audit mode made {writes} writes and {messages} messages")]);
    }
    let findings = report_size(&handler, &mut verdict).await?;
    // The second run announces the findings that did not fit into the first run, and no others.
    let left = findings.saturating_sub(first.events);
    if first.events == 0 || (left == 0 && second.events > 0) || second.events > left {
        verdict.broken(vec![format!(
            "of {findings} findings the first report told {} and the second {}",
            first.events, second.events
        )]);
    }
    memory::judge(&[&handler], &mut verdict).await;
    progress.finish();
    Ok(verdict)
}

async fn report(handler: &Handler) -> Result<Run, CampaignError> {
    let since = Instant::now();
    let answer = handler.call(FUNCTION, envelope::timer(FUNCTION, "timer")).await;
    let answer = answer.map_err(|problem| CampaignError::unanswered(FUNCTION, problem))?;
    let events = answer["Outputs"]["findings"].as_array().map_or(0, Vec::len);
    Ok(Run { seconds: since.elapsed().as_secs_f64(), events })
}

fn provisioning_services(size: &Size, entries: &[azure_simulator::log::Entry], verdict: &mut Verdict) {
    let names: Vec<String> = (0..size.provisioning_services).map(report_fleet::service_name).collect();
    let calls: Vec<Calls<'_>> = names.iter().map(|name| Calls::to(entries, name)).collect();
    let busiest = calls.iter().map(Calls::busiest_minute).max().unwrap_or_default();
    let most =
        |fits: fn(&str) -> bool| calls.iter().map(|calls| calls.count_of(fits)).max().unwrap_or_default();
    verdict.figure("DPS calls", calls.iter().map(Calls::count).sum::<usize>());
    for (of_what, fits, limit) in [
        ("groups", is_for_groups as fn(&str) -> bool, MOST_CALLS_FOR_GROUPS),
        ("devices", is_for_devices, MOST_CALLS_FOR_DEVICES),
        ("anything else", |path| !is_for_groups(path) && !is_for_devices(path), 0),
    ] {
        let most = most(fits);
        verdict.figure(&format!("  of one DPS for {of_what}, at the most"), format!("{most} of {limit}"));
        if most > limit {
            verdict.broken(vec![format!("a DPS was called {most} times for {of_what}, more than {limit}")]);
        }
    }
    verdict.figure("  busiest minute of one DPS", format!("{busiest} of {OPERATIONS_PER_MINUTE}"));
    if calls.iter().any(|calls| calls.count() == 0) {
        verdict.broken(vec!["a DPS was not looked at".to_owned()]);
    }
}

fn is_for_groups(path: &str) -> bool {
    path == "enrollmentgroups/query"
}

fn is_for_devices(path: &str) -> bool {
    path.starts_with("registrations/") && path.ends_with("/query")
}

/// How large the report is, and whether it knows of everything. Answers how many findings it has.
async fn report_size(handler: &Handler, verdict: &mut Verdict) -> Result<usize, CampaignError> {
    let asked = "GET /api/policy-status";
    let answer = handler.call("policy-status", envelope::get("policy-status", "req", "")).await;
    let answer = answer.map_err(|problem| CampaignError::unanswered(asked, problem))?;
    let body = answer["Outputs"]["res"]["body"].as_str().unwrap_or_default();
    let report: Value =
        serde_json::from_str(body).map_err(|error| CampaignError::unanswered(asked, error))?;
    let summary = &report["summary"];
    // Beyond a page the overview counts them, and its further pages have them.
    let counts = &summary["findings"];
    let of = |severity: &str| counts[severity].as_u64().and_then(|count| usize::try_from(count).ok());
    let findings = ["critical", "warning", "information"].into_iter().filter_map(of).sum();
    verdict.figure("report as JSON", format!("{} KiB, {findings} findings", body.len() / 1024));
    verdict.figure("  pairs trusted, enrollment groups", {
        format!("{}, {}", summary["trust"]["trusted"], summary["enrollmentGroups"]["total"])
    });
    if summary["unreadableNamespaces"] != 0 || report["unread"].as_array().is_none_or(|it| !it.is_empty()) {
        verdict.broken(vec![format!("something could not be read: {}", report["unread"])]);
    }
    Ok(findings)
}
