//! A world of the campaign: the simulated Azure, records in Azurite, a collector of telemetry, and the app in one process, which is
//! called as the host calls it and can be killed at work.

use std::path::Path;
use std::time::{Duration, Instant};

use azure_simulator::log::Entry;
use azure_simulator::throttle::Limits;
use azure_simulator::{Options, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use super::fleet::{self, Size};
use crate::accounts::Accounts;
use crate::azurite::Azurite;
use crate::collector::Collector;
use crate::envelope;
use crate::error::CampaignError;
use crate::handler::{Handler, HandlerCommand};
use crate::stage::environment;

const FUNCTION: &str = "report-policy-status";

/// A running world. Dropping it ends every process of it.
pub struct World {
    /// The simulated Azure.
    pub simulator: Simulator,
    /// The telemetry.
    pub collector: Collector,
    size: Size,
    handler: Handler,
    /// The most memory of each life of the process that was ended, in bytes.
    ended: Vec<u64>,
    _azurite: Azurite,
    _folder: TempDir,
}

/// One report, as the host sees it.
pub struct Run {
    /// How long it took.
    pub seconds: f64,
    /// Ids of the events that it told.
    pub events: Vec<String>,
    /// Where the log of the simulated Azure stood when it began.
    pub began: usize,
}

impl World {
    /// Builds it. Nothing was looked at yet.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(size: &Size, program: &Path, azurite: &Path) -> Result<Self, CampaignError> {
        let azurite = Azurite::start(azurite).await?;
        let folder = TempDir::with_prefix("campaign-").map_err(CampaignError::file("a folder"))?;
        let configuration = folder.path().join("policysync.toml");
        std::fs::write(&configuration, fleet::configuration(size))
            .map_err(CampaignError::file(configuration.display().to_string()))?;
        let fleet = fleet::fleet(size)?;
        let simulator =
            Simulator::start(Options { fleet, limits: Limits::default(), ..Options::default() }).await?;
        let collector = Collector::start().await?;
        let mut environment = environment(simulator.url(), &azurite, &configuration);
        environment.push(("APPLICATIONINSIGHTS_CONNECTION_STRING".to_owned(), collector.connection_string()));
        let command = HandlerCommand {
            program: program.to_owned(),
            directory: folder.path().to_owned(),
            environment,
            log: folder.path().join("handler.log"),
        };
        let handler = Handler::start("first", command).await?;
        let size = size.clone();
        Ok(Self {
            simulator,
            collector,
            size,
            handler,
            ended: Vec::new(),
            _azurite: azurite,
            _folder: folder,
        })
    }

    /// Makes a report.
    ///
    /// # Errors
    /// When the app does not answer as it should.
    pub async fn report(&self) -> Result<Run, CampaignError> {
        let (began, since) = (self.simulator.log().entries().len(), Instant::now());
        let answer = self.fire().await.map_err(|problem| CampaignError::unanswered(FUNCTION, problem))?;
        let seconds = since.elapsed().as_secs_f64();
        let events = answer["Outputs"]["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Each event is an object, or a text of one.
        let id = |event: &Value| match event {
            Value::String(text) => {
                serde_json::from_str::<Value>(text).ok()?["id"].as_str().map(str::to_owned)
            }
            event => event["id"].as_str().map(str::to_owned),
        };
        Ok(Run { seconds, events: events.iter().filter_map(id).collect(), began })
    }

    /// Makes a report and kills the process as soon as so many namespaces have been looked at since the beginning of the world. Answers
    /// for how many seconds it worked; `None` when it was done before.
    ///
    /// # Errors
    /// When the process does not come up again.
    pub async fn killed_report(&mut self, looked_at: usize) -> Result<Option<f64>, CampaignError> {
        let since = Instant::now();
        // A small fleet is read in moments, and the log of a large one takes a moment to read.
        let pause = Duration::from_millis((self.size.namespaces as u64 / 4).clamp(1, 250));
        let (done, worked) = tokio::join!(self.fire(), async {
            while self.looked_at() < looked_at {
                tokio::time::sleep(pause).await;
            }
            let worked = since.elapsed().as_secs_f64();
            let peak = self.handler.peak_memory_bytes().await;
            self.handler.kill_and_restart().await.map(|_| (worked, peak))
        });
        let (worked, peak) = worked?;
        self.ended.extend(peak);
        Ok(done.is_err().then_some(worked))
    }

    async fn fire(&self) -> Result<Value, String> {
        self.handler.call(FUNCTION, envelope::timer(FUNCTION, "timer")).await
    }

    fn looked_at(&self) -> usize {
        Accounts::of(&self.simulator.log().entries(), Limits::default()).policies.len()
    }

    /// What `policy-status` answers: the overview, or one namespace.
    ///
    /// # Errors
    /// When the app does not answer as it should.
    pub async fn status(&self, namespace: &str, accept: &str) -> Result<String, CampaignError> {
        let asked = || format!("GET /api/policy-status/{namespace}");
        let request = envelope::get_as("policy-status", "req", ("namespace", namespace), accept);
        let answer = self.handler.call("policy-status", request).await;
        let answer = answer.map_err(|problem| CampaignError::unanswered(asked(), problem))?;
        let answer = &answer["Outputs"]["res"];
        match answer["body"].as_str() {
            Some(body) if answer["statusCode"] == 200 || answer["statusCode"] == "200" => Ok(body.to_owned()),
            _ => Err(CampaignError::unanswered(asked(), answer)),
        }
    }

    /// The most memory that the process ever had in any of its lives, in bytes; `None` where the system does not tell.
    pub async fn peak_memory_bytes(&self) -> Option<u64> {
        let last = self.handler.peak_memory_bytes().await;
        self.ended.iter().copied().chain(last).max()
    }

    /// The calls to ARM in a part of the log, counted for each subscription, since each has a bucket of its own.
    pub fn by_subscription(&self, entries: &[Entry]) -> Vec<Accounts> {
        let of_one = |index: usize| {
            let prefix = format!("/subscriptions/{}/", fleet::subscription(index));
            let own = entries.iter().filter(|entry| entry.path.starts_with(&prefix)).cloned();
            Accounts::of(&own.collect::<Vec<_>>(), Limits::default())
        };
        (0..self.size.subscriptions()).map(of_one).collect()
    }
}
