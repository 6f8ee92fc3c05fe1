//! The campaign `neighbour`: what another client of the same identity notices while a fleet is read. ARM gives both one bucket
//! for each subscription (`azure-wire-facts.md` §7), so a client that empties it makes the other wait.
//!
//! The neighbour is a person at the portal: some reads at once, again and again. It is alone first, then beside Policysync with a
//! report over every namespace, then a plain script that reads the same, hub by hub or several at once.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use azure_simulator::throttle::Limits;
use azure_simulator::{Options, Simulator};
use clap::Args;
use clap::builder::TypedValueParser;
use futures::future::join_all;
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::accounts::{Accounts, given_in_a_minute};
use crate::distance::Distance;
use crate::envelope;
use crate::error::CampaignError;
use crate::fleet::{self, CampaignNamespace};
use crate::handler::{Handler, HandlerCommand};
use crate::page::{self, Table};
use crate::progress::Progress;
use crate::sample::Sample;
use crate::script::{Script, identity};
use crate::stage::{handler_program, service_bus};
use crate::verdict::{Limit, Verdict};

const FUNCTION: &str = "report-policy-status";
/// All hubs on one page: the link to a further one would lead past the distance.
const PAGE_SIZE: u32 = 1_000;
/// Reads that the neighbour makes at once.
const AT_ONCE: usize = 20;
/// Until it does so again.
const AGAIN: Duration = Duration::from_secs(3);
const API_VERSION: &str = "2026-03-01-preview";

/// What the campaign is run with.
#[derive(Args, Clone)]
pub struct Arguments {
    /// Namespaces, in one subscription
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    namespaces: usize,
    /// Hubs of each namespace
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    hubs: usize,
    /// How long a call to ARM is under way, in milliseconds
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
    /// Rounds of all in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Hubs that the script reads at once, where it does not read one by one
    #[arg(long, default_value_t = 16)]
    threads: usize,
    /// How long the neighbour is measured while it is alone, in seconds
    #[arg(long, default_value_t = 7)]
    alone_seconds: u64,
    /// The program to measure; by default the `policysync` beside this program
    #[arg(long, value_name = "FILE")]
    handler: Option<PathBuf>,
}

/// Who is beside the neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    NoClient,
    Policysync,
    Script(usize),
}

/// What was seen of one run.
struct Run {
    seconds: f64,
    reads: usize,
    /// Lists of a hub's certificates.
    hubs: usize,
    throttled: usize,
    /// The most reads within any minute.
    busiest: usize,
    /// How long each read of the neighbour took until it was answered, in milliseconds.
    waits: Sample,
}

/// Runs it.
///
/// # Errors
/// When it could not be run; broken rules are in the verdict.
pub async fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let mut verdict = Verdict::default();
    let all = [Beside::NoClient, Beside::Policysync, Beside::Script(1), Beside::Script(arguments.threads)];
    let mut runs = all.map(|beside| (beside, Vec::new()));
    for round in 0..arguments.rounds.max(1) {
        progress.phase(&format!("round {}", round + 1));
        for (beside, runs) in &mut runs {
            match one(arguments, *beside).await? {
                Some(run) => runs.push(run),
                None => verdict.absent("Python is not installed"),
            }
        }
    }
    progress.finish();
    tell(arguments, &runs, &mut verdict);
    Ok(verdict)
}

async fn one(arguments: &Arguments, beside: Beside) -> Result<Option<Run>, CampaignError> {
    let (fleet, namespaces) = fleet::generate(arguments.namespaces, arguments.hubs, PAGE_SIZE);
    let limits = Limits::default();
    let simulator = Simulator::start(Options { fleet, limits, ..Options::default() }).await?;
    let address = simulator.url().trim_start_matches("http://").parse();
    let address = address.map_err(|error| CampaignError::unanswered(simulator.url(), error))?;
    let way = Distance::to(address, Duration::from_millis(arguments.latency_ms)).await;
    let way = way.map_err(CampaignError::file("a free port"))?;
    let endpoint = format!("http://{}", way.address);
    let neighbour = Neighbour::new(&simulator, &endpoint, &namespaces[0]).await?;
    // It begins before the other one, whose first burst is its largest.
    let (stop, stopped) = watch::channel(false);
    let visits = tokio::spawn(async move { neighbour.visit(stopped).await });
    let since = Instant::now();
    let script = Script::new(namespaces.iter().map(|namespace| namespace.id.as_str()))?;
    let seconds = match (beside, script) {
        (Beside::NoClient, _) => {
            tokio::time::sleep(Duration::from_secs(arguments.alone_seconds)).await;
            since.elapsed().as_secs_f64()
        }
        (Beside::Policysync, _) => report(arguments, &simulator, &endpoint, &namespaces).await?,
        (Beside::Script(threads), Some(script)) => {
            let threads = threads.to_string();
            let more = ["--threads", threads.as_str()];
            script.run(&endpoint, &identity(simulator.url()), &more).await?.seconds
        }
        (Beside::Script(_), None) => return Ok(None),
    };
    // The last visit is looked at to its end.
    stop.send_replace(true);
    let waits = visits.await.map_err(|error| CampaignError::unanswered("the neighbour", error))??;
    let waits = Sample::of(waits).ok_or_else(|| CampaignError::unanswered("the neighbour", "no visit"))?;
    let accounts = Accounts::of(&simulator.log().entries(), limits);
    let hubs = Accounts::total(&accounts.certificates);
    let Accounts { reads, throttled, busiest_minute: busiest, .. } = accounts;
    Ok(Some(Run { seconds, reads, hubs, throttled, busiest, waits }))
}

/// One report over everything; how long it took.
async fn report(
    arguments: &Arguments,
    simulator: &Simulator,
    endpoint: &str,
    namespaces: &[CampaignNamespace],
) -> Result<f64, CampaignError> {
    let folder = TempDir::with_prefix("campaign-").map_err(CampaignError::file("a folder"))?;
    let configuration = folder.path().join("policysync.toml");
    let ids = namespaces.iter().map(|namespace| format!("[[namespace]]\nid = \"{}\"\n\n", namespace.id));
    std::fs::write(&configuration, ids.collect::<String>())
        .map_err(CampaignError::file(configuration.display().to_string()))?;
    let environment = [
        ("POLICYSYNC_CONFIG", configuration.display().to_string()),
        ("POLICYSYNC_STATE", "memory".to_owned()),
        ("POLICYSYNC_ARM_ENDPOINT", endpoint.to_owned()),
        ("ServiceBusConnection", service_bus(simulator.url())),
        ("IDENTITY_ENDPOINT", identity(simulator.url())),
        ("IDENTITY_HEADER", "x".to_owned()),
    ];
    let command = HandlerCommand {
        program: handler_program(arguments.handler.as_deref())?,
        directory: folder.path().to_owned(),
        environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        log: folder.path().join("handler.log"),
    };
    let handler = Handler::start("first", command).await?;
    let since = Instant::now();
    let answer = handler.call(FUNCTION, envelope::timer(FUNCTION, "timer")).await;
    answer.map_err(|problem| CampaignError::unanswered(FUNCTION, problem))?;
    Ok(since.elapsed().as_secs_f64())
}

/// Another client of the same identity.
struct Neighbour {
    client: Client,
    url: String,
    token: String,
}

impl Neighbour {
    async fn new(
        simulator: &Simulator,
        endpoint: &str,
        namespace: &CampaignNamespace,
    ) -> Result<Self, CampaignError> {
        let failed = |error: reqwest::Error| CampaignError::unanswered("a token", error);
        let client = Client::builder().timeout(Duration::from_secs(60)).build().map_err(failed)?;
        let asked = format!(
            "{}?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com%2F",
            identity(simulator.url())
        );
        let answer = client.get(asked).header("x-identity-header", "x").send().await.map_err(failed)?;
        let answer: Value = answer.json().await.map_err(failed)?;
        let token = answer["access_token"].as_str().unwrap_or_default().to_owned();
        Ok(Self { client, url: format!("{endpoint}{}?api-version={API_VERSION}", namespace.id), token })
    }

    /// Reads, again and again; how long each read took, in milliseconds.
    async fn visit(&self, mut stopped: watch::Receiver<bool>) -> Result<Vec<f64>, CampaignError> {
        let mut waits = Vec::new();
        loop {
            let again = tokio::time::Instant::now() + AGAIN;
            for wait in join_all((0..AT_ONCE).map(|_| self.read())).await {
                waits.push(wait?.as_secs_f64() * 1000.0);
            }
            let ends = stopped.wait_for(|stopped| *stopped);
            // A sender that is gone means the same.
            if tokio::time::timeout_at(again, ends).await.is_ok() {
                return Ok(waits);
            }
        }
    }

    /// One read, made again for as long as it is refused, after the time that each refusal names.
    async fn read(&self) -> Result<Duration, CampaignError> {
        let since = Instant::now();
        loop {
            let failed = |error: reqwest::Error| CampaignError::unanswered("the neighbour's read", error);
            let answer = self.client.get(&self.url).bearer_auth(&self.token).send().await.map_err(failed)?;
            match answer.status().as_u16() {
                200 => return Ok(since.elapsed()),
                429 => {
                    let after =
                        answer.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
                    tokio::time::sleep(Duration::from_secs(after.unwrap_or(1))).await;
                }
                status => return Err(CampaignError::unanswered("the neighbour's read", status)),
            }
        }
    }
}

fn tell(arguments: &Arguments, runs: &[(Beside, Vec<Run>)], verdict: &mut Verdict) {
    verdict.page(page::measured_on(&[]));
    verdict.page(format!(
        "{} namespaces with {} hubs each in one subscription; a call is under way for {} ms. The neighbour makes {AT_ONCE} reads at \
         once, every {} s. Median (least to most) of {} rounds of all in turn.\n",
        arguments.namespaces,
        arguments.hubs,
        arguments.latency_ms,
        AGAIN.as_secs(),
        arguments.rounds
    ));
    let mut table = Table::new([
        "beside the neighbour",
        "seconds",
        "reads, the neighbour's too",
        "of them in the busiest minute",
        "% of what the bucket gives in it",
        "429s, of both",
        "ms of a read of the neighbour, p50",
        "longest",
    ]);
    for (beside, runs) in runs {
        let name = match beside {
            Beside::NoClient => "no other client".to_owned(),
            Beside::Policysync => "Policysync, a report".to_owned(),
            Beside::Script(1) => "a script, one call at a time".to_owned(),
            Beside::Script(threads) => format!("a script, {threads} hubs at once"),
        };
        let shown = |figure: &dyn Fn(&Run) -> f64, decimals| {
            Sample::of(runs.iter().map(figure)).map_or_else(|| "–".to_owned(), |it| it.shown(decimals))
        };
        table.row(vec![
            name,
            shown(&|run| run.seconds, 1),
            shown(&|run| run.reads as f64, 0),
            shown(&|run| run.busiest as f64, 0),
            shown(&|run| 100.0 * run.busiest as f64 / given_in_a_minute(Limits::default().reads), 0),
            shown(&|run| run.throttled as f64, 0),
            shown(&|run| run.waits.median(), 0),
            shown(&|run| run.waits.most(), 0),
        ]);
        // Who reads less than everything is a good neighbour, and no comparison.
        let hubs = arguments.namespaces * arguments.hubs;
        if let Some(run) = runs.iter().find(|run| *beside != Beside::NoClient && run.hubs < hubs) {
            verdict.broken(vec![format!("{beside:?} read {} of {hubs} hubs", run.hubs)]);
        }
        let throttled: usize = runs.iter().map(|run| run.throttled).sum();
        match beside {
            Beside::NoClient | Beside::Policysync if throttled > 0 => {
                verdict.broken(vec![format!("{throttled} calls were answered 429 beside {beside:?}")]);
            }
            // Otherwise the fleet is too small for anything to be noticed.
            Beside::Script(threads) if *threads > 1 && throttled == 0 && !runs.is_empty() => {
                verdict.broken(vec!["not even the script that reads at once provoked a 429".to_owned()]);
            }
            _ => {}
        }
        if *beside == Beside::Policysync {
            let what = "429s that Policysync provokes";
            verdict.limit(&Limit { what, measured: Some(throttled as f64), most: 0.0, unit: "" });
        }
    }
    verdict.page(&table);
}
