//! The fleet as the operator describes it, with the clients that read it and write to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambient::Ambient;
use azure::cloud::Cloud;
use azure::{Azure, Http, Service, credential};
use certificate_management::attribution::Caller;
use certificate_management::configuration::{Configuration, Mode, NamespaceConfiguration};
use certificate_management::in_force::Version;
use certificate_management::plan::permit::{Guard, Writer};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::configuration_blob;
use crate::deadlines::Deadlines;
use crate::lists::Lists;
use crate::pace::Pace;
use crate::settings::{ConfigurationSource, FleetSettings};

/// How long a record waits for the name of its author.
const CALLER_WITHIN: Duration = Duration::from_secs(10);

/// The configuration, the clients for Azure, the clock and the randomness.
pub struct Fleet {
    /// The configuration.
    pub configuration: Arc<Configuration>,
    /// Its version, where it is a blob.
    version: Option<Arc<str>>,
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
    caller: Arc<OnceCell<Caller>>,
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
    /// The configuration cannot be read.
    #[error(
        "cannot read the configuration {place}: {problem}\nSet POLICYSYNC_CONFIG to the path of a policysync.toml, or to the address of a blob, or put one beside host.json."
    )]
    Unreadable {
        /// The file or the blob.
        place: String,
        /// Why not.
        problem: String,
    },
    /// The configuration is wrong.
    #[error("the configuration {place} cannot be used:\n{problem}")]
    Configuration {
        /// The file or the blob.
        place: String,
        /// With the line and the key.
        problem: String,
    },
    /// A client cannot be made.
    #[error("{0}")]
    Client(#[from] azure::Error),
}

impl Fleet {
    /// The fleet of a configuration file. No I/O but reading it.
    ///
    /// # Errors
    /// Says which file, key or setting is wrong.
    pub fn open(settings: &FleetSettings, path: &Path, outside: Outside) -> Result<Self, FleetError> {
        let configuration = parsed(&settings.configuration, file(path))?;
        Ok(Self::of(settings, configuration, outside)?)
    }

    /// The fleet of the configuration as it is now, wherever it is, for a command.
    ///
    /// # Errors
    /// Says which file, blob, key or setting is wrong.
    pub async fn read(settings: &FleetSettings, outside: Outside) -> Result<Self, FleetError> {
        let azure = match &outside.azure {
            Some(azure) => azure.clone(),
            None => clients(settings, &outside.ambient)?,
        };
        let configuration = parsed(&settings.configuration, text(&settings.configuration, &azure).await)?;
        Ok(Self::of(settings, configuration, Outside { azure: Some(azure), ..outside })?)
    }

    /// The same fleet under another configuration: the clients, their budget and what was listed are shared.
    #[must_use]
    pub fn under(&self, configuration: Arc<Configuration>, version: &Version) -> Self {
        Self {
            configuration,
            version: Some(version.name().into()),
            kill_switch: self.kill_switch,
            azure: self.azure.clone(),
            ambient: self.ambient.clone(),
            deadlines: self.deadlines,
            pace: self.pace,
            lists: self.lists.clone(),
            caller: Arc::clone(&self.caller),
        }
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
            configuration: Arc::new(configuration),
            version: None,
            kill_switch: settings.kill_switch,
            azure,
            ambient,
            deadlines,
            pace,
            lists: Lists::default(),
            caller: Arc::default(),
        })
    }

    /// The version of the configuration, for the record of a write; `None`: it is a file, or a command has read it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
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

/// The text of the configuration as it is now, wherever it is.
///
/// # Errors
/// Why it cannot be read, for a person.
pub async fn text(source: &ConfigurationSource, azure: &Azure) -> Result<String, String> {
    match source {
        ConfigurationSource::File(path) => file(path),
        ConfigurationSource::Blob(address) => configuration_blob::text(address, azure).await,
    }
}

fn file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn parsed(source: &ConfigurationSource, text: Result<String, String>) -> Result<Configuration, FleetError> {
    let place = source.to_string();
    let text = text.map_err(|problem| FleetError::Unreadable { place: place.clone(), problem })?;
    Configuration::parse(&text)
        .map_err(|error| FleetError::Configuration { place, problem: error.to_string() })
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
