//! Holds what the functions share: the fleet, the records, the queues. `start` makes it once, and does no I/O but
//! reading the configuration file, so that the process is ready at once. Where the configuration is a blob,
//! [`crate::serving`] makes one for each version of it.

use std::sync::Arc;

use ambient::Randomness;
use azure::service_bus::QueueSender;
use azure::{Azure, QueueReceiver};
use certificate_management::configuration::Configuration;
use certificate_management::in_force::{Source, VersionInForce};
use state::{BlobSettings, Store};

use crate::fleet::{Fleet, FleetError, Outside};
use crate::in_hand::InHand;
use crate::settings::{ConfigurationSource, QueueSettings, STATE_CONTAINER, Settings, StateSettings};
use crate::storage_tokens::StorageTokens;

/// The fleet, the records and the queues, which all functions share.
pub struct Application {
    /// The configuration, the clients, the clock and the randomness.
    pub fleet: Fleet,
    /// The records.
    pub store: Store,
    /// The queues.
    pub queues: Arc<Queues>,
    /// Limits how many records of requests the looks hold in memory.
    pub in_hand: InHand,
    /// Whether the platform says who a caller is; see [`Settings::signs_in`].
    pub signs_in: bool,
    /// Which version of the configuration this is, and what is wrong with a newer one; `None`: it is a file.
    pub standing: Option<VersionInForce>,
}

/// The queues that the app uses by itself; the host delivers from them.
pub struct Queues {
    /// Sync requests.
    pub requests: QueueSender,
    /// Messages that could not be parsed.
    pub parked: QueueSender,
    /// Sync requests that the queue gave up on.
    pub dead_letters: QueueReceiver,
}

/// Why the app cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration, or a client, cannot be made.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The configuration is in a blob, which each invocation may find changed: [`crate::serving`] reads it.
    #[error("the configuration {0} is a blob, and this needs a file")]
    InBlob(String),
    /// The settings of a queue are wrong.
    #[error("{0}")]
    Queue(#[from] azure::Error),
    /// The settings of the record store are wrong.
    #[error("AzureWebJobsStorage: {0}")]
    State(#[from] state::Error),
}

impl Application {
    /// Makes the app from what the environment says.
    ///
    /// # Errors
    /// Says which file, key or setting is wrong.
    pub fn start(settings: &Settings, outside: Outside) -> Result<Self, StartError> {
        match &settings.fleet.configuration {
            ConfigurationSource::File(path) => {
                Self::of(settings, Fleet::open(&settings.fleet, path, outside)?)
            }
            ConfigurationSource::Blob(address) => Err(StartError::InBlob(address.to_string())),
        }
    }

    /// Makes the app under the configuration as it is now, wherever it is, for a command.
    ///
    /// # Errors
    /// Says which file, blob, key or setting is wrong.
    pub async fn read(settings: &Settings, outside: Outside) -> Result<Self, StartError> {
        Self::of(settings, Fleet::read(&settings.fleet, outside).await?)
    }

    /// Makes the app of a fleet. No I/O.
    ///
    /// # Errors
    /// Says which setting is wrong.
    pub fn of(settings: &Settings, fleet: Fleet) -> Result<Self, StartError> {
        let store = records(&settings.state, &fleet.azure, &fleet.ambient.randomness)?;
        let queues = Arc::new(Queues::open(&settings.queues, &fleet.azure)?);
        let signs_in = settings.signs_in;
        Ok(Self { fleet, store, queues, in_hand: InHand::default(), signs_in, standing: None })
    }

    /// Whether the configuration is only good enough to look at the fleet: the text of it is that of a record, and who can write records
    /// decides nothing.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| standing.source == Source::Records)
    }

    /// The same app under a version of the configuration. It shares everything but the configuration.
    #[must_use]
    pub fn under(&self, configuration: Arc<Configuration>, standing: VersionInForce) -> Self {
        Self {
            fleet: self.fleet.under(configuration, &standing.version),
            store: self.store.clone(),
            queues: Arc::clone(&self.queues),
            in_hand: self.in_hand.clone(),
            signs_in: self.signs_in,
            standing: Some(standing),
        }
    }
}

impl Queues {
    /// The queues that the settings name. No I/O.
    ///
    /// # Errors
    /// As [`Azure::queue`].
    pub fn open(settings: &QueueSettings, azure: &Azure) -> Result<Self, azure::Error> {
        Ok(Self {
            requests: azure.queue(&settings.service_bus, &settings.requests)?,
            parked: azure.queue(&settings.service_bus, &settings.parked)?,
            dead_letters: azure.dead_letter_receiver(&settings.service_bus, &settings.requests)?,
        })
    }
}

/// The records that the settings name.
///
/// # Errors
/// When the settings cannot be used; nothing is sent before the first call.
pub fn records(state: &StateSettings, azure: &Azure, randomness: &Randomness) -> Result<Store, state::Error> {
    let settings = match state {
        StateSettings::Memory => return Ok(Store::memory().drawing_from(randomness.clone())),
        StateSettings::ConnectionString(text) => BlobSettings::from_connection_string(text, STATE_CONTAINER)?,
        StateSettings::ServiceUri(url) => {
            BlobSettings::from_service_uri(url.as_str(), STATE_CONTAINER, StorageTokens::of(azure))?
        }
    };
    Store::open(settings, randomness.clone())
}
