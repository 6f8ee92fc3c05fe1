//! The campaign `soak`: two processes under a load that does not end, for a while: requests, policies that the service renews,
//! reports, pages. Memory has to be flat: a process that grows is one that the platform ends some day.

use std::time::{Duration, Instant};

use azure_simulator::service_bus::Settings;
use azure_simulator::throttle::Limits;
use clap::Args;

use crate::error::CampaignError;
use crate::fleet::{self, CampaignNamespace};
use crate::host::Delivering;
use crate::memory::mebibytes;
use crate::progress::Progress;
use crate::requests::{self, CampaignRequest, Order};
use crate::slope::{self, Point};
use crate::stage::{Stage, Surroundings};
use crate::sync::{check_queues, check_requests};
use crate::verdict::{Limit, Verdict};
use crate::{envelope, memory, random};

const REPORT: &str = "report-policy-status";
const PAGE: &str = "policy-status";
/// Between two requests.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(1);
/// A policy is renewed after so many requests, which begins a sync.
const REQUESTS_BETWEEN_RENEWALS: usize = 30;
/// A process makes a report and shows it after so many requests.
const REQUESTS_BETWEEN_REPORTS: usize = 20;
/// What comes before is the growth to the size that the work needs.
const WARM_UP: f64 = 0.25;
/// Below that the noise of the allocator is larger than the growth that is looked for.
const SHORTEST: Duration = Duration::from_secs(600);
/// Most growth, in MiB an hour.
const STEEPEST: f64 = 1.0;

/// What the campaign is run with.
#[derive(Args, Clone)]
// The options in common have a group of this name.
#[group(skip)]
pub struct Arguments {
    #[command(flatten)]
    run: crate::Arguments,
    /// How long the load lasts, in seconds
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(Arguments { run: arguments, seconds }: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let lasting = Duration::from_secs(*seconds);
    let delivering = Delivering {
        batch_size: arguments.batch_size,
        deliveries: arguments.deliveries,
        any_size: true,
        host_dies: 0.0,
    };
    progress.phase("building the fleet");
    let stage =
        Stage::build(arguments, Limits::default(), Settings::default(), delivering, Surroundings::HEALTHY);
    let stage = stage.await?;
    let count = usize::try_from(seconds.div_ceil(BETWEEN_REQUESTS.as_secs())).unwrap_or(usize::MAX);
    let mut random = random::part(arguments.seed, "requests");
    let planned = requests::plan(&stage.namespaces, count, Order::Random, &mut random);

    progress.phase("under load");
    stage.deliver();
    let since = Instant::now();
    let mut points = stage.handlers.each_ref().map(|_| Vec::new());
    for (index, request) in planned.iter().enumerate() {
        work(&stage, index, request).await?;
        for (handler, points) in stage.handlers.iter().zip(&mut points) {
            let after = since.elapsed();
            points.extend(handler.resident_bytes().await.map(|bytes| Point { after, bytes }));
        }
        stage.show(&progress).await?;
        let next = BETWEEN_REQUESTS * u32::try_from(index + 1).unwrap_or(u32::MAX);
        tokio::time::sleep(next.saturating_sub(since.elapsed())).await;
    }
    progress.phase("finishing");
    let deadline = Instant::now() + Duration::from_secs(60 * arguments.limit_minutes);
    let is_done = stage.wait_until_quiet(deadline, &progress).await?;

    let mut verdict = Verdict::default();
    let load = format!("{} s, {}, {}", since.elapsed().as_secs(), planned.len(), arguments.seed);
    verdict.figure("time under load, requests, seed", load);
    if !is_done {
        verdict.broken(vec![format!("it was not done after {} minutes more", arguments.limit_minutes)]);
    }
    verdict.deliveries(&stage.host.delivered());
    for (handler, points) in stage.handlers.iter().zip(&points) {
        judge(handler.name, points, lasting, &mut verdict);
    }
    memory::judge(&stage.handlers.each_ref().map(|handler| &**handler), &mut verdict).await;
    check_requests(&stage, &planned, &mut verdict).await?;
    check_queues(&stage, &mut verdict).await?;
    progress.finish();
    Ok(verdict)
}

/// What happens in one second of the load.
async fn work(stage: &Stage, index: usize, request: &CampaignRequest) -> Result<(), CampaignError> {
    requests::submit(&stage.client, stage.simulator.url(), std::slice::from_ref(request)).await?;
    if index % REQUESTS_BETWEEN_RENEWALS == REQUESTS_BETWEEN_RENEWALS - 1 {
        let namespace: &CampaignNamespace = &stage.namespaces[request.namespace];
        fleet::renew(&stage.simulator, namespace)?;
    }
    if index % REQUESTS_BETWEEN_REPORTS == REQUESTS_BETWEEN_REPORTS - 1 {
        let handler = &stage.handlers[index / REQUESTS_BETWEEN_REPORTS % stage.handlers.len()];
        let report = handler.call(REPORT, envelope::timer(REPORT, "timer")).await;
        report
            .map_err(|problem| CampaignError::unanswered(format!("a report of {}", handler.name), problem))?;
        let page = envelope::get_as(PAGE, "req", ("namespace", ""), "text/html");
        let asked = || format!("a page of {}", handler.name);
        let page = handler.call(PAGE, page).await;
        let page = page.map_err(|problem| CampaignError::unanswered(asked(), problem))?;
        let status = &page["Outputs"]["res"]["statusCode"];
        if *status != 200 && *status != "200" {
            return Err(CampaignError::unanswered(asked(), format!("it has the status {status}")));
        }
    }
    Ok(())
}

/// Prints how a process grew, and holds it against the limit when it was looked at for long enough.
fn judge(name: &str, points: &[Point], lasting: Duration, verdict: &mut Verdict) {
    let settled: Vec<Point> =
        points.iter().copied().filter(|point| point.after >= lasting.mul_f64(WARM_UP)).collect();
    let Some(growth) = slope::bytes_an_hour(&settled) else {
        verdict.figure(&format!("memory of the {name} process"), "not told by this system");
        return;
    };
    let growth = growth / 1_048_576.0;
    let (first, last) = (settled.first(), settled.last());
    let at = |point: Option<&Point>| point.map_or(0.0, |point| mebibytes(point.bytes));
    verdict.figure(
        &format!("memory of the {name} process, after a quarter and at the end"),
        format!("{:.1} MiB, {:.1} MiB; {growth:+.2} MiB an hour", at(first), at(last)),
    );
    if lasting >= SHORTEST {
        let what = format!("growth of the {name} process");
        verdict.limit(&Limit { what: &what, measured: Some(growth), most: STEEPEST, unit: " MiB an hour" });
    }
}
