//! The campaign `kill`: the same run, with one of the two processes killed (SIGKILL) at random instants, started again,
//! and its batch given back and delivered again. Meanwhile the storage is away now and then, and the clocks of the two
//! processes may differ.
//!
//! Requests come while the kills go on, namespace after namespace, so that every kill meets a run with new syncs in it.
//! Kills wait until their process is at work, and then for a random moment, short or long. A third of them is aimed:
//! they come when a follow-up or a sync has just been sent, since the record of it is only milliseconds away. ARM
//! throttles nothing here, since the campaign is about kills.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use azure_simulator::service_bus::Settings;
use azure_simulator::throttle::{Limits, Rate};

use clap::Args;

use crate::accounts::Accounts;
use crate::clocks::Clocks;
use crate::error::CampaignError;
use crate::host::Delivering;
use crate::outages::Outages;
use crate::progress::Progress;
use crate::random;
use crate::requests::{self, Order};
use crate::rules::{self, Syncs};
use crate::stage::{Stage, Surroundings, Way};
use crate::sync::{check_queues, check_requests};
use crate::verdict::Verdict;

/// What the campaign is run with.
#[derive(Args, Clone)]
// The options in common have a group of this name.
#[group(skip)]
pub struct Arguments {
    #[command(flatten)]
    run: crate::Arguments,
    /// How often a process is killed
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// How often the storage is away for a while
    #[arg(long, default_value_t = 0)]
    outages: usize,
    /// How many seconds the clock of one process is behind, and that of the other ahead
    #[arg(long, default_value_t = 0)]
    skew_seconds: u32,
    /// libfaketime, which moves the clocks
    #[arg(long, value_name = "FILE", env = "FAKETIME_LIBRARY")]
    faketime_library: Option<PathBuf>,
}

/// No bucket is ever empty.
const ENDLESS: Rate = Rate { burst: 1e9, per_second: 1e9 };
/// How long a kill waits for its process to get something to do.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest time between the start of a batch and a kill that is not aimed: half of the kills use each of the two.
const SHORT: Duration = Duration::from_millis(25);
const LONG: Duration = Duration::from_millis(400);

/// The host dies with its process as often as not.
const HOST_DIES: f64 = 0.5;
/// Shorter than a real queue's minute, to save time, and longer than the pause before the next look of a sync, so that
/// the next look comes before the batch that has sent it.
const LOCK_DURATION: time::Duration = time::Duration::seconds(15);

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(
    Arguments { run: arguments, kills, outages, skew_seconds, faketime_library }: &Arguments,
) -> Result<Verdict, CampaignError> {
    let (kills, outages) = (*kills, *outages);
    let progress = Progress::start();
    let since = Instant::now();
    let deadline = since + Duration::from_secs(60 * arguments.limit_minutes);
    let limits = Limits { reads: ENDLESS, writes: ENDLESS, deletes: ENDLESS, provisioning: ENDLESS };
    let delivering = Delivering {
        batch_size: arguments.batch_size,
        deliveries: arguments.deliveries,
        any_size: true,
        host_dies: HOST_DIES,
    };
    // A batch that is given back stands first in the queue again, so kills that come every second hit the same messages
    // more than ten times. Such messages belong into the dead-letter queue, which this campaign does not test.
    let queue_settings =
        Settings { max_delivery_count: u32::MAX, lock_duration: LOCK_DURATION, ..Settings::default() };
    progress.phase("building the fleet");
    let clocks = Clocks::apart(*skew_seconds, faketime_library.clone())?;
    let way = if outages == 0 { Way::Straight } else { Way::CanBeClosed };
    let surroundings = Surroundings { clocks, way };
    let stage = Stage::build(arguments, limits, queue_settings, delivering, surroundings).await?;
    let mut weather = Outages::of(&stage.azurite, random::part(arguments.seed, "outages"));
    let mut random = random::part(arguments.seed, "requests");
    let planned = requests::plan(&stage.namespaces, arguments.requests, Order::ByNamespace, &mut random);

    progress.phase("killing");
    stage.deliver();
    let mut chance = random::part(arguments.seed, "kills");
    let (mut submitted, mut at_work) = (0, 0);
    for kill in 0..kills {
        let due = planned.len() * (kill + 1) / kills;
        requests::submit(&stage.client, stage.simulator.url(), &planned[submitted..due]).await?;
        submitted = due;
        if outages * (kill + 1) / kills > outages * kill / kills {
            weather.begin().await;
        }
        let victim = &stage.handlers[chance.usize(..stage.handlers.len())];
        let aim = chance.usize(..3);
        let moment = [SHORT, LONG][aim % 2].mul_f64(chance.f64());
        victim.wait_until_busy(PATIENCE).await;
        if aim == 2 {
            wait_for_a_step(&stage).await;
        } else {
            tokio::time::sleep(moment).await;
        }
        at_work += usize::from(victim.kill_and_restart().await?);
        stage.show(&progress).await?;
        if Instant::now() >= deadline {
            break;
        }
    }
    requests::submit(&stage.client, stage.simulator.url(), &planned[submitted..]).await?;
    weather.end().await;
    let killing = since.elapsed();
    progress.phase("finishing");
    let is_done = stage.wait_until_quiet(deadline, &progress).await?;
    let accounts = Accounts::of(&stage.simulator.log().entries(), limits);

    let mut verdict = Verdict::default();
    verdict.figure(
        "namespaces, hubs each, requests",
        format!("{}, {}, {}", arguments.namespaces, arguments.hubs, arguments.requests),
    );
    verdict.figure("storage latency", format!("{} ms", arguments.storage_latency_ms));
    verdict.figure("seed", arguments.seed);
    verdict.figure("outages of the storage, in all", weather.shown());
    verdict.figure("clocks, behind and ahead", format!("{skew_seconds} s"));
    verdict.figure("kills, of them at work", format!("{kills}, {at_work}"));
    verdict.figure(
        "time: killing, all",
        format!("{:.0} s, {:.0} s", killing.as_secs_f64(), since.elapsed().as_secs_f64()),
    );
    if !is_done {
        verdict.broken(vec![format!("it was not done after {} minutes", arguments.limit_minutes)]);
    }
    verdict.deliveries(&stage.host.delivered());
    verdict.calls(&accounts, arguments.namespaces, arguments.namespaces * arguments.hubs);
    let twice = accounts.synchronize.values().filter(|sent| **sent > 1).count();
    verdict.figure("namespaces that were synced more than once", twice);
    verdict.broken(rules::synchronize(&stage.namespaces, &accounts, Syncs { most: 2 }));
    check_requests(&stage, &planned, &mut verdict).await?;
    check_queues(&stage, &mut verdict).await?;
    progress.finish();
    Ok(verdict)
}

/// Waits until one of the processes has sent a follow-up or started a sync, so that the kill comes between that and its
/// record.
async fn wait_for_a_step(stage: &Stage) {
    let steps = || {
        let entries = stage.simulator.log().entries();
        let is_step = |path: &str| path.starts_with("/servicebus/") || path.ends_with("/synchronize");
        entries.iter().filter(|entry| entry.method == "POST" && is_step(&entry.path)).count()
    };
    let (before, since) = (steps(), Instant::now());
    while steps() == before && since.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
