//! Measures the time from the delivery of an event until the group has its policy.
//!
//! A record is in the event hub the moment that its operation is done, so the time of the creation in the log is the
//! time at which the event is delivered. The time that the host takes, batching included, counts.

use std::time::{Duration, Instant};

use super::Arguments;
use super::app::App;
use super::calls::{Calls, OPERATIONS_PER_MINUTE, percentile};
use super::fleet::{self, POLICY, Service};
use crate::error::CampaignError;
use crate::page::Table;
use crate::progress::Progress;
use crate::verdict::Verdict;

/// Pause between two groups of a pipeline that creates one after the other.
const STEADY: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Longest time for a group of a steady stream, in seconds. A batch of records is one invocation: it looks at the
/// namespace once and writes each group, so more seconds mean that the app waits without need.
const SLOWEST_STEADY: f64 = 15.0;
/// Operations that a new group costs: its keys, its write and the proof of it. Reads are counted apart, since one query
/// reads many groups.
const OPERATIONS_PER_GROUP: f64 = 3.0;
/// The burst of the app's budget, and its refill: they leave people a fifth of any minute.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 10.0;
/// How many times as long as its budget demands the whole burst may take.
const HIGHEST_RATIO: f64 = 1.5;
const SLACK: f64 = 15.0;

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(
    arguments: &Arguments,
    progress: &Progress,
    verdict: &mut Verdict,
) -> Result<(), CampaignError> {
    // Half of the groups of the first DPS exist, and half come one by one; all of the second come at once.
    let half = arguments.groups / 2;
    let services = [
        Service { name: fleet::service_name(0), groups: fleet::groups("old-", half - 1) },
        Service { name: fleet::service_name(1), groups: Vec::new() },
    ];
    let steady = fleet::groups("line-", half);
    let burst = fleet::groups("line-", arguments.groups - 1);
    let fleet = fleet::fleet(&services)?;
    let app = App::start(arguments, fleet, &fleet::configuration(&services), true).await?;
    let deadline = Duration::from_secs(60 * arguments.limit_minutes);

    progress.phase("creating groups, one after the other");
    let mut next = tokio::time::interval(STEADY);
    for id in &steady {
        next.tick().await;
        app.create(&services[0].name, id).await?;
    }
    let latencies = measure(&app, &services[0].name, &steady, deadline, verdict).await?;
    let mut table = Table::new([
        "groups created",
        "how many",
        "seconds from event to policy, p50",
        "p99",
        "p99 that the budget forces",
    ]);
    let mut row = |how: &str, latencies: &[f64], forced: f64| {
        let (median, slowest) = (percentile(latencies, 0.5), percentile(latencies, 0.99));
        let cells = [
            latencies.len().to_string(),
            format!("{median:.2}"),
            format!("{slowest:.2}"),
            format!("{forced:.0}"),
        ];
        table.row([how.to_owned()].into_iter().chain(cells).collect());
        slowest
    };
    let slowest = row("one every half second", &latencies, 0.0);
    if slowest > SLOWEST_STEADY {
        verdict
            .broken(vec![format!("p99 of a steady stream is {slowest:.1} s, more than {SLOWEST_STEADY} s")]);
    }

    progress.phase("creating groups, all at once");
    for id in &burst {
        app.create(&services[1].name, id).await?;
    }
    let latencies = measure(&app, &services[1].name, &burst, deadline, verdict).await?;
    let floor = ((burst.len() as f64).mul_add(OPERATIONS_PER_GROUP, -BURST) / PER_SECOND).max(0.0);
    let slowest = row("all at once", &latencies, floor);
    verdict.page(&table);
    let most = floor.mul_add(HIGHEST_RATIO, SLACK);
    if slowest > most {
        verdict.broken(vec![format!("p99 of a burst is {slowest:.1} s, more than {most:.0} s")]);
    }
    Ok(())
}

/// Waits until every group was written a second time, and judges the calls to the DPS.
async fn measure(
    app: &App,
    service: &str,
    ids: &[String],
    deadline: Duration,
    verdict: &mut Verdict,
) -> Result<Vec<f64>, CampaignError> {
    let since = Instant::now();
    let mut settled = 0;
    loop {
        let entries = app.simulator.log().entries();
        let calls = Calls::to(&entries, service);
        let written = calls.written();
        let is_done = ids.iter().all(|id| written.get(id.as_str()).is_some_and(|writes| writes.len() >= 2));
        // The app's own writes come back as events; it looks at the groups and writes nothing.
        settled = if is_done { settled + 1 } else { 0 };
        let is_late = since.elapsed() > deadline;
        if settled < 20 && !is_late {
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        }
        let mut broken = Vec::new();
        let mut latencies = Vec::new();
        for id in ids {
            match written.get(id.as_str()).map(Vec::as_slice) {
                Some([created, assigned]) => latencies.push((*assigned - *created).as_seconds_f64()),
                other => {
                    let writes = other.map_or(0, <[_]>::len);
                    broken.push(format!("{service}/{id} was written {writes} times instead of twice"));
                }
            }
        }
        let busiest = calls.busiest_minute();
        verdict.figure(
            &format!("  operations of {service}, of them in the busiest minute"),
            format!("{}, {busiest} of {OPERATIONS_PER_MINUTE}", calls.count()),
        );
        if calls.throttled() > 0 || busiest > OPERATIONS_PER_MINUTE {
            broken.push(format!(
                "{service}: {busiest} operations in a minute, {} answered 429",
                calls.throttled()
            ));
        }
        let policies = app.policies(service).await?;
        for id in ids.iter().filter(|id| policies.get(*id).map(String::as_str) != Some(POLICY)) {
            broken.push(format!("{service}/{id} does not carry `{POLICY}`"));
        }
        verdict.broken(broken);
        return Ok(latencies);
    }
}
