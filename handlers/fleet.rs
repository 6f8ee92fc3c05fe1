//! The fleet as the operator describes it, with the clients that read it and write to it.

use std::time::Duration;

use ambient::Ambient;
use azure::cloud::Cloud;
use azure::{Azure, Http, Service, credential};
use certificate_management::attribution::Caller;
use certificate_management::configuration::{Configuration, Mode, NamespaceConfiguration};
use certificate_management::plan::permit::{Guard, Writer};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::deadlines::Deadlines;
use crate::lists::Lists;
use crate::pace::Pace;
use crate::settings::FleetSettings;

/// How long a record waits for the name of its author.
const CALLER_WITHIN: Duration = Duration::from_secs(10);

/// The configuration, the clients for Azure, the clock and the randomness.
pub struct Fleet {
    /// The configuration.
    pub configuration: Configuration,
    /// Whether `POLICYSYNC_MODE=audit` keeps every function from writing.
    pub kill_switch: bool,
    /// The clients for Azure.
    pub azure: Azure,
    /// The time and randomness.
    pub ambient: Ambient,
    /// How long the work of one batch may take.
    pub deadlines: Deadlines,
    /// How fast the timers walk through the namespaces.
    pub pace: Pace,
    /// What the report has read of subscriptions, for one that comes soon after.
    pub lists: Lists,
    /// Who the identity of this process is, once its token has told.
    caller: OnceCell<Caller>,
}

/// The surroundings of the process, which a test or a simulation may replace.
pub struct Outside {
    /// The clients for Azure; `None`: those that the environment names.
    pub azure: Option<Azure>,
    /// The time and randomness.
    pub ambient: Ambient,
    /// How long the work of one batch may take.
    pub deadlines: Deadlines,
    /// How fast the timers walk through the namespaces.
    pub pace: Pace,
}

impl Outside {
    /// The Azure that the environment names, and the deadlines and the pace of production.
    #[must_use]
    pub fn of(ambient: Ambient) -> Self {
        Self { azure: None, ambient, deadlines: Deadlines::default(), pace: Pace::default() }
    }
}

/// Why the fleet cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The configuration file cannot be read.
    #[error(
        "cannot read the configuration {path}: {source}\nSet POLICYSYNC_CONFIG to the path of a policysync.toml, or put one beside host.json."
    )]
    Unreadable {
        /// The file.
        path: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The configuration is wrong.
    #[error("the configuration {path} cannot be used:\n{problem}")]
    Configuration {
        /// The file.
        path: String,
        /// With the line and the key.
        problem: String,
    },
    /// A client cannot be made.
    #[error("{0}")]
    Client(#[from] azure::Error),
}

impl Fleet {
    /// The fleet that the settings name. No I/O but reading the configuration.
    ///
    /// # Errors
    /// Says which file, key or setting is wrong.
    pub fn open(settings: &FleetSettings, outside: Outside) -> Result<Self, FleetError> {
        let path = settings.configuration.display().to_string();
        let text = std::fs::read_to_string(&settings.configuration)
            .map_err(|source| FleetError::Unreadable { path: path.clone(), source })?;
        let configuration = Configuration::parse(&text)
            .map_err(|error| FleetError::Configuration { path, problem: error.to_string() })?;
        Ok(Self::of(settings, configuration, outside)?)
    }

    /// As [`Fleet::open`], with a configuration that was read already. No I/O.
    ///
    /// # Errors
    /// When the identity or the address of Azure in the environment cannot be used.
    pub fn of(
        settings: &FleetSettings,
        configuration: Configuration,
        outside: Outside,
    ) -> Result<Self, azure::Error> {
        let Outside { azure, ambient, deadlines, pace } = outside;
        let azure = match azure {
            Some(azure) => azure,
            None => clients(settings, &ambient)?,
        };
        Ok(Self {
            configuration,
            kill_switch: settings.kill_switch,
            azure,
            ambient,
            deadlines,
            pace,
            lists: Lists::default(),
            caller: OnceCell::new(),
        })
    }

    /// The time, UTC, on the one clock of the app.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.ambient.now()
    }

    /// The guard of a write to a namespace now.
    #[must_use]
    pub fn guard<'a>(&self, configuration: &'a NamespaceConfiguration, writer: Writer) -> Guard<'a> {
        Guard { configuration, kill_switch: self.kill_switch, writer, now: self.now() }
    }

    /// Who the identity of this process is, as its token for a service says, for the record of a write; `None` where there is no token,
    /// or it does not say. Nothing is decided by it.
    pub async fn caller(&self, service: Service) -> Option<Caller> {
        let ask = async || {
            let token = self.azure.tokens().token(service.scope());
            let token = timeout(CALLER_WITHIN, token).await.map_err(drop)?.map_err(drop)?;
            azure::caller(&token).ok_or(())
        };
        self.caller.get_or_try_init(ask).await.ok().cloned()
    }

    /// Whether functions write to a namespace.
    #[must_use]
    pub fn mode(&self, namespace: &NamespaceConfiguration) -> Mode {
        namespace.effective_mode(self.kill_switch)
    }
}

/// The clients for the cloud and the identity that the environment names. No I/O.
///
/// # Errors
/// When the cloud or the identity cannot be used.
pub fn clients(settings: &FleetSettings, ambient: &Ambient) -> Result<Azure, azure::Error> {
    let (http, cloud) = (Http::shared(ambient.clone())?, Cloud::new(settings.arm_endpoint.as_deref())?);
    let tokens = credential::from_environment(http.clone(), &|name| std::env::var(name).ok())?;
    Ok(Azure::new(http, cloud, tokens))
}
