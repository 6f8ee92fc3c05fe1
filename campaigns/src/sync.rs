//! The campaign `sync`: many requests, each message several times in random order, two processes, and the real
//! throttle buckets.

use std::time::{Duration, Instant};

use azure_simulator::service_bus::Settings;
use azure_simulator::throttle::Limits;
use futures::future::join_all;
use time::OffsetDateTime;

use crate::Arguments;
use crate::accounts::Accounts;
use crate::error::CampaignError;
use crate::host::Delivering;
use crate::memory;
use crate::progress::Progress;
use crate::random;
use crate::requests::{self, CampaignRequest, Order};
use crate::rules::{self, Syncs};
use crate::stage::{Stage, Surroundings};
use crate::verdict::{Verdict, seconds};

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let deadline = Instant::now() + Duration::from_secs(60 * arguments.limit_minutes);
    let limits = Limits::default();
    let delivering = Delivering {
        batch_size: arguments.batch_size,
        deliveries: arguments.deliveries,
        any_size: false,
        host_dies: 0.0,
    };
    progress.phase("building the fleet");
    let stage =
        Stage::build(arguments, limits, Settings::default(), delivering, Surroundings::HEALTHY).await?;
    let mut random = random::part(arguments.seed, "requests");
    let planned = requests::plan(&stage.namespaces, arguments.requests, Order::Random, &mut random);

    progress.phase("syncing");
    let started = stage.simulator.clock().now();
    stage.deliver();
    requests::submit(&stage.client, stage.simulator.url(), &planned).await?;
    let is_done = stage.wait_until_quiet(deadline, &progress).await?;
    let entries = stage.simulator.log().entries();
    let accounts = Accounts::of(&entries, limits);
    let delivered = stage.host.delivered();
    let since =
        |from: OffsetDateTime, to: Option<OffsetDateTime>| to.map_or(0.0, |to| (to - from).as_seconds_f64());
    // The queue is first in, first out: no look begins before the app has taken in the requests that were there before
    // its follow-up.
    let (taking_in, wall) = (since(started, accounts.first_call), since(started, accounts.last_call));
    let asking = wall - taking_in;

    let mut verdict = Verdict::default();
    verdict.figure(
        "namespaces, hubs each, requests",
        format!("{}, {}, {}", arguments.namespaces, arguments.hubs, arguments.requests),
    );
    verdict.figure("storage latency", format!("{} ms", arguments.storage_latency_ms));
    verdict.figure("seed", arguments.seed);
    if !is_done {
        verdict.broken(vec![format!("it was not done after {} minutes", arguments.limit_minutes)]);
    }
    verdict.deliveries(&delivered);
    verdict.calls(&accounts, arguments.namespaces, arguments.namespaces * arguments.hubs);
    verdict.figure(
        "fewest reads left in the bucket",
        format!("{:.0} of 250 (reserve 50)", accounts.fewest_reads_left),
    );
    verdict.figure(
        "fewest writes left in the bucket",
        format!("{:.0} of 200 (reserve 40)", accounts.fewest_writes_left),
    );
    verdict.figure(
        "reads not asked: past a full bucket, left at the end",
        format!(
            "{:.0}, {:.0} ({:.1} s of the wall)",
            accounts.reads_past,
            accounts.reads_left,
            accounts.unused_seconds(limits)
        ),
    );
    let floor = accounts.floor_seconds(limits);
    verdict.figure("floor: max((reads - 0.8*250) / 25, (writes - 0.8*200) / 10)", format!("{floor:.1} s"));
    let ratio = |seconds: f64| match floor {
        floor if floor > 0.0 => format!("{:.2}", seconds / floor),
        _ => "none: no floor".to_owned(),
    };
    verdict.figure("wall, from the first message to the first call", format!("{taking_in:.1} s"));
    verdict.figure(
        "wall, from the first message to the last call",
        format!("{wall:.1} s, ratio {}", ratio(wall)),
    );
    verdict.figure(
        "wall, from the first call to the last one",
        format!("{asking:.1} s, ratio {} (at most {})", ratio(asking), rules::HIGHEST_RATIO_OF_SYNCS),
    );

    progress.phase("asking for every request");
    verdict.broken(rules::synchronize(&stage.namespaces, &accounts, Syncs { most: 1 }));
    verdict.broken(rules::calls(&stage.namespaces, &accounts, delivered.batches));
    verdict.broken(rules::ratio(&accounts, limits, asking, rules::HIGHEST_RATIO_OF_SYNCS));
    verdict.broken(rules::reads(&accounts, limits, arguments.namespaces * arguments.hubs));
    check_requests(&stage, &planned, &mut verdict).await?;

    progress.phase("replaying everything");
    let before = Instant::now();
    let replayed = stage.host.replay_everything();
    let is_quiet = stage.wait_until_quiet(deadline, &progress).await?;
    let writes = Accounts::of(&stage.simulator.log().entries()[entries.len()..], limits).writes;
    verdict.figure(
        "replay: messages, writes, time",
        format!("{replayed}, {writes}, {}", seconds(before.elapsed())),
    );
    if writes > 0 || !is_quiet {
        verdict.broken(vec![format!("the replay of everything made {writes} writes; done: {is_quiet}")]);
    }
    check_queues(&stage, &mut verdict).await?;
    memory::judge(&stage.handlers.each_ref().map(|handler| &**handler), &mut verdict).await;
    progress.finish();
    Ok(verdict)
}

/// Asks both processes for every request.
///
/// # Errors
/// When a process does not answer.
pub async fn check_requests(
    stage: &Stage,
    planned: &[CampaignRequest],
    verdict: &mut Verdict,
) -> Result<(), CampaignError> {
    let answers = join_all(stage.handlers.iter().map(|handler| requests::ask(handler, planned))).await;
    let [first, second] = <[_; 2]>::try_from(answers)
        .map_err(|_| CampaignError::unanswered("both processes", "they did not both answer"))?;
    let (first, second) = (first?, second?);
    let differ: Vec<String> = planned
        .iter()
        .zip(first.iter().zip(&second))
        .filter(|(_, (first, second))| first != second)
        .map(|(request, _)| format!("request {}: the two processes answer differently", request.id))
        .collect();
    let final_requests = first.iter().filter(|answer| answer.body["outcome"] == "trusted").count();
    let already = first.iter().filter(|answer| answer.body["outcome"] == "already-trusted").count();
    verdict.figure(
        "requests trusted, already trusted, other",
        format!("{final_requests}, {already}, {}", planned.len() - final_requests - already),
    );
    verdict.broken(differ);
    let asked: Vec<_> = planned.iter().zip(first).collect();
    verdict.broken(rules::requests(&stage.namespaces, &asked));
    Ok(())
}

/// Checks that no message was dead-lettered, and that no process failed a batch by itself.
///
/// # Errors
/// When the simulated Azure does not answer.
pub async fn check_queues(stage: &Stage, verdict: &mut Verdict) -> Result<(), CampaignError> {
    stage.host.stop();
    let queued = stage.queued().await?;
    verdict.figure("dead letters, parked", format!("{}, {}", queued.dead, queued.parked));
    if queued.dead + queued.parked > 0 {
        verdict
            .broken(vec![format!("{} messages are dead letters, {} are parked", queued.dead, queued.parked)]);
    }
    let failures = stage.host.failures();
    if let Some(first) = failures.first() {
        verdict.figure("batches that a process failed by itself", failures.len());
        verdict.figure("  the first of them", first.chars().take(200).collect::<String>());
    }
    Ok(())
}
