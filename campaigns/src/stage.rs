//! The stage of a campaign: the simulated Azure in this process, Azurite, and two `policysync serve` processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use azure_simulator::service_bus::Settings;
use azure_simulator::throttle::Limits;
use azure_simulator::{Options, Simulator};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::Arguments;
use crate::azurite::Azurite;
use crate::clocks::{Clocks, Side};
use crate::error::CampaignError;
use crate::fleet::{self, CampaignNamespace};
use crate::handler::{Handler, HandlerCommand};
use crate::host::{Delivering, Host};
use crate::progress::Progress;
use crate::random;

const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How many looks in a row must find the queue empty, since a message can be on its way during one.
const LOOKS_IN_A_ROW: usize = 5;

/// A stage. Dropping it ends every process of it.
pub struct Stage {
    /// The simulated Azure.
    pub simulator: Simulator,
    /// The namespaces.
    pub namespaces: Vec<CampaignNamespace>,
    /// The two processes.
    pub handlers: [Arc<Handler>; 2],
    /// The stand-in for the Functions host.
    pub host: Arc<Host>,
    /// The client for all calls over HTTP.
    pub client: Client,
    /// The records.
    pub azurite: Arc<Azurite>,
    _folder: TempDir,
}

/// What is not as on one healthy machine.
pub struct Surroundings {
    /// The clocks of the processes.
    pub clocks: Clocks,
    /// The way to the records.
    pub way: Way,
}

/// How the processes reach the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing stands between, but for the latency that is asked for.
    Straight,
    /// A way that can be closed.
    CanBeClosed,
}

impl Surroundings {
    /// The clock of the machine, and a straight way.
    pub const HEALTHY: Self = Self { clocks: Clocks::Machine, way: Way::Straight };
}

/// How many messages the queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queued {
    /// Waiting, not due yet, or held.
    pub open: u64,
    /// Dead letters.
    pub dead: u64,
    /// Parked.
    pub parked: u64,
}

impl Stage {
    /// Builds it: fleet, rotations, processes. Nothing is delivered yet.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn build(
        arguments: &Arguments,
        limits: Limits,
        queue_settings: Settings,
        delivering: Delivering,
        Surroundings { clocks, way }: Surroundings,
    ) -> Result<Self, CampaignError> {
        let program = handler_program(arguments.handler.as_deref())?;
        let azurite = arguments.azurite.as_deref().ok_or(CampaignError::NoAzurite)?;
        let latency = Duration::from_millis(arguments.storage_latency_ms);
        let azurite = match (latency, way) {
            (Duration::ZERO, Way::Straight) => Azurite::start(azurite).await?,
            _ => Azurite::start_behind(azurite, latency).await?,
        };
        let (fleet, namespaces) = fleet::generate(arguments.namespaces, arguments.hubs, arguments.page_size);
        let folder = TempDir::with_prefix("campaign-").map_err(CampaignError::file("a folder"))?;
        let configuration = folder.path().join("policysync.toml");
        std::fs::write(&configuration, fleet::configuration(&namespaces))
            .map_err(CampaignError::file(configuration.display().to_string()))?;
        let options = Options { fleet, seed: arguments.seed, limits, queue_settings, ..Options::default() };
        let simulator = Simulator::start(options).await?;
        fleet::rotate(&simulator, &namespaces)?;
        let logs = arguments.logs.clone().unwrap_or_else(|| folder.path().to_owned());
        std::fs::create_dir_all(&logs).map_err(CampaignError::file(logs.display().to_string()))?;
        let command = |name: &str, side| HandlerCommand {
            program: program.clone(),
            directory: folder.path().to_owned(),
            environment: [environment(simulator.url(), &azurite, &configuration), clocks.variables(side)]
                .concat(),
            log: logs.join(format!("{name}.log")),
        };
        let first = Arc::new(Handler::start("first", command("first", Side::Behind)).await?);
        let second = Arc::new(Handler::start("second", command("second", Side::Ahead)).await?);
        let random = random::part(arguments.seed, "deliveries");
        let host = Arc::new(Host::new(simulator.queues(), delivering, random));
        let client = Client::builder()
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| CampaignError::unanswered("an HTTP client", error))?;
        Ok(Self {
            simulator,
            namespaces,
            handlers: [first, second],
            host,
            client,
            azurite: Arc::new(azurite),
            _folder: folder,
        })
    }

    /// Starts delivering to both processes.
    pub fn deliver(&self) {
        for handler in &self.handlers {
            let (host, handler) = (Arc::clone(&self.host), Arc::clone(handler));
            tokio::spawn(async move { host.deliver_to(&handler).await });
        }
    }

    /// Waits until nothing is left to deliver. `false` when `deadline` comes first.
    ///
    /// # Errors
    /// When the simulated Azure does not answer.
    pub async fn wait_until_quiet(
        &self,
        deadline: Instant,
        progress: &Progress,
    ) -> Result<bool, CampaignError> {
        let mut quiet = 0;
        while quiet < LOOKS_IN_A_ROW {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            let is_quiet = self.host.has_no_repeats()
                && self.handlers.iter().all(|handler| handler.is_idle())
                && self.queued().await?.open == 0;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            self.show(progress).await?;
        }
        Ok(true)
    }

    /// Shows how far it is, where it is time to.
    ///
    /// # Errors
    /// When the simulated Azure does not answer.
    pub async fn show(&self, progress: &Progress) -> Result<(), CampaignError> {
        if progress.is_time() {
            progress.show(self.queued().await?.open, self.host.delivered());
        }
        Ok(())
    }

    /// How many messages the queues hold.
    ///
    /// # Errors
    /// When the simulated Azure does not answer.
    pub async fn queued(&self) -> Result<Queued, CampaignError> {
        let url = format!("{}/simulator/queues", self.simulator.url());
        let failed = |error: reqwest::Error| CampaignError::unanswered("GET /simulator/queues", error);
        let counts: Value =
            self.client.get(url).send().await.map_err(failed)?.json().await.map_err(failed)?;
        let count = |queue: &str, kind: &str| counts[queue][kind].as_u64().unwrap_or_default();
        let main = |kind| count("sync-requests", kind);
        Ok(Queued {
            open: main("active") + main("scheduled") + main("locked"),
            dead: main("deadLettered"),
            parked: count("sync-requests-parked", "active"),
        })
    }
}

/// The settings of a process.
pub fn environment(simulator: &str, azurite: &Azurite, configuration: &Path) -> Vec<(String, String)> {
    [
        ("ServiceBusConnection", service_bus(simulator)),
        ("AzureWebJobsStorage", azurite.connection_string()),
        ("POLICYSYNC_CONFIG", configuration.display().to_string()),
        ("POLICYSYNC_ARM_ENDPOINT", simulator.to_owned()),
        ("POLICYSYNC_QUEUE", "sync-requests".to_owned()),
        ("POLICYSYNC_PARKED_QUEUE", "sync-requests-parked".to_owned()),
        ("IDENTITY_ENDPOINT", format!("{simulator}/identity")),
        ("IDENTITY_HEADER", "x".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// The connection string of the simulated Service Bus.
pub fn service_bus(simulator: &str) -> String {
    let address = simulator.trim_start_matches("http://");
    format!(
        "Endpoint=sb://{address}/servicebus;SharedAccessKeyName=RootManageSharedAccessKey;\
         SharedAccessKey=c2ltdWxhdG9y;UseDevelopmentEmulator=true"
    )
}

/// The program to attack: named, or the one that cargo built with the same profile as this one.
///
/// # Errors
/// When there is none.
pub fn handler_program(named: Option<&Path>) -> Result<PathBuf, CampaignError> {
    let program = match named {
        Some(named) => named.to_owned(),
        None => beside("policysync")?,
    };
    // It is started in another folder.
    let program =
        std::path::absolute(&program).map_err(CampaignError::file(program.display().to_string()))?;
    if program.is_file() { Ok(program) } else { Err(CampaignError::NoHandler(program)) }
}

/// The program of that name beside this one.
///
/// # Errors
/// When this very program is nowhere.
pub fn beside(name: &str) -> Result<PathBuf, CampaignError> {
    let own = std::env::current_exe().map_err(CampaignError::file("this very program"))?;
    Ok(own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
