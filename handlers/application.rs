//! Holds what the functions share: the fleet, the records, the queues. `start` makes it once, and does no I/O but
//! reading the configuration file, so that the process is ready at once.

use std::sync::Arc;

use ambient::Randomness;
use async_trait::async_trait;
use azure::service_bus::QueueSender;
use azure::{Azure, QueueReceiver, Service, TokenSource};
use state::{BlobSettings, Store, TokenProvider};

use crate::fleet::{Fleet, FleetError, Outside};
use crate::in_hand::InHand;
use crate::settings::{QueueSettings, STATE_CONTAINER, Settings, StateSettings};

/// The fleet, the records and the queues, which all functions share.
pub struct Application {
    /// The configuration, the clients, the clock and the randomness.
    pub fleet: Fleet,
    /// The records.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// Limits how many records of requests the looks hold in memory.
    pub in_hand: InHand,
    /// Whether the platform says who a caller is; see [`Settings::signs_in`].
    pub signs_in: bool,
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
        let fleet = Fleet::open(&settings.fleet, outside)?;
        let store = records(&settings.state, &fleet.azure, &fleet.ambient.randomness)?;
        let queues = Queues::open(&settings.queues, &fleet.azure)?;
        Ok(Self { fleet, store, queues, in_hand: InHand::default(), signs_in: settings.signs_in })
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
            let tokens = Arc::new(StorageTokens { tokens: Arc::clone(azure.tokens()) });
            BlobSettings::from_service_uri(url.as_str(), STATE_CONTAINER, tokens)?
        }
    };
    Store::open(settings, randomness.clone())
}

/// The identity's tokens, as the store wants them. Their source keeps them until shortly before they end.
struct StorageTokens {
    tokens: Arc<dyn TokenSource>,
}

#[async_trait]
impl TokenProvider for StorageTokens {
    async fn token(&self) -> Result<String, state::Error> {
        let token = self.tokens.token(Service::Storage.scope()).await.map_err(|error| {
            let kind = if error.is_retryable() {
                state::ErrorKind::Unavailable
            } else {
                state::ErrorKind::Forbidden
            };
            state::Error::token(kind, error.to_string())
        })?;
        Ok(token.secret().to_owned())
    }
}
