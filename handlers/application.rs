//! What a function needs to do its work: the configuration, the clients, the records. Made once, without any I/O
//! but reading the configuration file, so that the process is ready at once.

use std::sync::Arc;

use async_trait::async_trait;
use azure::cloud::Cloud;
use azure::credential::{self, TokenSource};
use azure::service_bus::QueueSender;
use azure::{Azure, Service};
use certificate_management::ArmId;
use certificate_management::configuration::{Configuration, Mode, NamespaceConfiguration};
use state::{BlobSettings, Store, TokenProvider};
use time::{Duration, OffsetDateTime};

use crate::clock::Clock;
use crate::deadlines::Deadlines;
use crate::settings::{STATE_CONTAINER, Settings, StateSettings};
use crate::walk::Pace;

/// Everything that functions share.
pub struct Application {
    /// What the operator wants.
    pub configuration: Configuration,
    /// Whether `POLICYSYNC_MODE=audit` keeps every function from writing.
    pub kill_switch: bool,
    /// Whether the platform says who a caller is; see [`Settings::signs_in`].
    pub signs_in: bool,
    /// The clients for Azure.
    pub azure: Azure,
    /// The queue of sync requests.
    pub queue: QueueSender,
    /// The queue of messages that could not be understood.
    pub parked: QueueSender,
    /// The records.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// How long the work of one batch may take.
    pub deadlines: Deadlines,
    /// How fast the timers walk through the namespaces.
    pub pace: Pace,
}

/// Why the app cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file cannot be read.
    #[error(
        "cannot read the configuration {path}: {source}\nSet POLICYSYNC_CONFIG to the path of a policysync.toml, or put one beside host.json."
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
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
    /// The place for records is wrong.
    #[error("AzureWebJobsStorage: {0}")]
    State(#[from] state::Error),
}

impl Application {
    /// Makes the app from what the environment says.
    ///
    /// # Errors
    /// Says which file, key or setting is wrong.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        let path = settings.configuration.display().to_string();
        let text = std::fs::read_to_string(&settings.configuration)
            .map_err(|source| StartError::Unreadable { path: path.clone(), source })?;
        let configuration = Configuration::parse(&text)
            .map_err(|error| StartError::Configuration { path, problem: error.to_string() })?;
        let cloud = Cloud::new(settings.arm_endpoint.as_deref())?;
        let tokens = credential::from_environment(&|name| std::env::var(name).ok())?;
        let azure = Azure::new(cloud, Arc::clone(&tokens))?;
        let store = records(&settings.state, tokens)?;
        Ok(Self {
            configuration,
            kill_switch: settings.kill_switch,
            signs_in: settings.signs_in,
            queue: azure.queue(&settings.service_bus, &settings.queue)?,
            parked: azure.queue(&settings.service_bus, &settings.parked_queue)?,
            azure,
            store,
            clock: Clock::default(),
            deadlines: Deadlines::default(),
            pace: Pace::default(),
        })
    }

    /// The time, UTC. The one clock of the app: whatever is pure is told the time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// How long the evidence of a sync of a namespace is looked for.
    #[must_use]
    pub fn patience(&self, namespace_id: &ArmId) -> Duration {
        let configured = self.configuration.namespace(namespace_id);
        configured.map_or(Duration::minutes(30), |namespace| {
            Duration::seconds(i64::from(namespace.evidence_deadline_seconds))
        })
    }

    /// Whether functions write to a namespace.
    #[must_use]
    pub fn mode(&self, namespace: &NamespaceConfiguration) -> Mode {
        namespace.effective_mode(self.kill_switch)
    }
}

/// The records that the settings name.
///
/// # Errors
/// When the settings cannot be used; nothing is sent before the first call.
pub fn records(state: &StateSettings, tokens: Arc<dyn TokenSource>) -> Result<Store, state::Error> {
    match state {
        StateSettings::Memory => Ok(Store::memory()),
        StateSettings::ConnectionString(text) => {
            Store::open(BlobSettings::from_connection_string(text, STATE_CONTAINER)?)
        }
        StateSettings::ServiceUri(url) => {
            let tokens = Arc::new(StorageTokens { tokens });
            Store::open(BlobSettings::from_service_uri(url.as_str(), STATE_CONTAINER, tokens)?)
        }
    }
}

/// The identity's tokens, as the store wants them.
struct StorageTokens {
    tokens: Arc<dyn TokenSource>,
}

#[async_trait]
impl TokenProvider for StorageTokens {
    async fn token(&self) -> Result<(String, OffsetDateTime), state::Error> {
        let token = self.tokens.token(Service::Storage.scope()).await.map_err(|error| {
            let kind = if error.is_retryable() {
                state::ErrorKind::Unavailable
            } else {
                state::ErrorKind::Forbidden
            };
            state::Error::token(kind, error.to_string())
        })?;
        Ok((token.secret().to_owned(), token.expires_on()))
    }
}
