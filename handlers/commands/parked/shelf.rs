//! The parked queue as a shelf: messages are taken from it under locks, looked at, and put back.
//!
//! Each lock counts as a delivery, and a queue gives up on a message that was delivered too often (10 times, by default).
//! So a message that was looked at [`WORN_OUT`] times is put back as a fresh copy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use azure::cloud::Cloud;
use azure::service_bus::OutgoingMessage;
use azure::{Azure, LockedMessage, QueueReceiver, QueueSender, credential};
use futures::{StreamExt, stream};

use super::message::{self, ParkedMessage};
use crate::settings::Settings;

/// How many messages are taken at once, at most.
const MOST: usize = 256;
/// How long messages are taken, at most: the first locks must last until everything was put back. A queue's lock lasts a
/// minute unless it was made otherwise.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long the queue may take to find another message.
const WAIT: Duration = Duration::from_secs(1);
/// Deliveries after which a message is put back as a copy. Half of the default limit, since others look too.
const WORN_OUT: u32 = 5;
/// How many messages are put back at once.
const AT_ONCE: usize = 8;

/// A message with its lock.
pub struct Entry {
    /// What it says.
    pub message: ParkedMessage,
    locked: LockedMessage,
}

/// What was taken.
pub struct Taken {
    /// The messages, oldest first.
    pub parked: Vec<Entry>,
    /// Whether there may be more.
    pub is_cut: bool,
}

/// What went wrong, for a person.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// No message, or more than one, has the id.
    #[error("{0}")]
    NotFound(String),
    /// The queues cannot be used.
    #[error("{0}")]
    Queue(#[from] azure::Error),
    /// Only the beginning of its body is parked.
    #[error(
        "{id} was too large to be parked whole; its body is the record `{kept_at}` in the records' container.\n\
         Send what it should have said with `policysync submit`, then `policysync parked discard {id}`."
    )]
    TooLarge {
        /// The message.
        id: String,
        /// Key of the record.
        kept_at: String,
    },
    /// It was sent again, but it could not be taken from the parked ones.
    #[error(
        "{id} is on the queue again, but is still parked: {source}\n`policysync parked discard {id}` takes it away."
    )]
    SentButStillParked {
        /// The message.
        id: String,
        /// Why.
        source: azure::Error,
    },
}

/// The parked queue, and the queue of sync requests.
pub struct Shelf {
    receiver: QueueReceiver,
    parked: QueueSender,
    requests: QueueSender,
}

impl Shelf {
    /// The queues that the environment names. Neither the configuration nor the records are needed.
    ///
    /// # Errors
    /// A text for a person: which setting is wrong.
    pub fn from_environment() -> Result<Self, String> {
        let mut variables: BTreeMap<String, String> = std::env::vars().collect();
        variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
        let settings = Settings::from_variables(&variables).map_err(|error| error.to_string())?;
        Self::open(&settings).map_err(|error| error.to_string())
    }

    fn open(settings: &Settings) -> Result<Self, azure::Error> {
        let cloud = Cloud::new(settings.arm_endpoint.as_deref())?;
        let azure = Azure::new(cloud, credential::from_environment(&|name| std::env::var(name).ok())?)?;
        Ok(Self {
            receiver: azure.queue_receiver(&settings.service_bus, &settings.parked_queue)?,
            parked: azure.queue(&settings.service_bus, &settings.parked_queue)?,
            requests: azure.queue(&settings.service_bus, &settings.queue)?,
        })
    }

    /// The name of the queue of sync requests.
    #[must_use]
    pub fn requests_queue(&self) -> &str {
        self.requests.queue()
    }

    /// Takes every message that nobody else holds, up to [`MOST`].
    ///
    /// # Errors
    /// When the queue cannot be read; what was taken is put back.
    pub async fn take(&self) -> Result<Taken, ShelfError> {
        let since = Instant::now();
        let mut locked = Vec::new();
        let mut is_cut = false;
        let read = loop {
            if locked.len() == MOST || since.elapsed() >= PATIENCE {
                is_cut = true;
                break Ok(());
            }
            match self.receiver.lock_next(WAIT).await {
                Ok(Some(message)) => locked.push(message),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let mut messages: Vec<ParkedMessage> = locked
            .iter()
            .map(|found| ParkedMessage::read(&found.body, found.sequence_number, found.delivery_count))
            .collect();
        message::name(&mut messages);
        let parked =
            messages.into_iter().zip(locked).map(|(message, locked)| Entry { message, locked }).collect();
        if let Err(error) = read {
            self.put_back(parked).await;
            return Err(error.into());
        }
        Ok(Taken { parked, is_cut })
    }

    /// Puts messages back. One that cannot be put back comes back by itself when its lock runs out, and stderr says so.
    pub async fn put_back(&self, entries: Vec<Entry>) {
        let steps: Vec<_> = entries.into_iter().map(|entry| self.put_one_back(entry)).collect();
        let failures: Vec<azure::Error> =
            stream::iter(steps).buffer_unordered(AT_ONCE).filter_map(async |done| done.err()).collect().await;
        if let Some(error) = failures.first() {
            complain!(
                "{} messages could not be put back and come back when their locks run out: {error}",
                failures.len()
            );
        }
    }

    async fn put_one_back(&self, entry: Entry) -> Result<(), azure::Error> {
        if entry.message.delivery_count < WORN_OUT {
            return entry.locked.unlock().await;
        }
        let copy = OutgoingMessage {
            body: entry.locked.body.clone(),
            message_id: Some(message::fresh_id(entry.locked.message_id.as_deref().unwrap_or("parked"))),
            correlation_id: entry.locked.correlation_id.clone(),
            subject: entry.locked.subject.clone(),
            content_type: entry.locked.content_type.clone(),
            ..OutgoingMessage::default()
        };
        // The copy first: a kill in between leaves two of the message and never none.
        match self.parked.send(&copy).await {
            Ok(()) => entry.locked.complete().await,
            Err(error) => {
                entry.locked.unlock().await?;
                Err(error)
            }
        }
    }

    /// Sends the original body to the queue of sync requests and takes the message from the parked ones; answers the id of
    /// what was sent.
    ///
    /// # Errors
    /// When the queue does not take it; then it stays parked.
    pub async fn resubmit(&self, entry: Entry) -> Result<String, ShelfError> {
        if let Some(kept_at) = entry.message.whole_body.clone() {
            let id = entry.message.id.clone();
            self.put_back(vec![entry]).await;
            return Err(ShelfError::TooLarge { id, kept_at });
        }
        let given = entry.message.message_id.as_deref().unwrap_or(&entry.message.id);
        let message_id = message::fresh_id(given);
        let outgoing = OutgoingMessage {
            body: entry.message.body.clone(),
            message_id: Some(message_id.clone()),
            ..OutgoingMessage::default()
        };
        if let Err(error) = self.requests.send(&outgoing).await {
            self.put_back(vec![entry]).await;
            return Err(error.into());
        }
        let id = entry.message.id;
        match entry.locked.complete().await {
            Ok(()) => Ok(message_id),
            Err(source) => Err(ShelfError::SentButStillParked { id, source }),
        }
    }

    /// Takes the message from the parked ones for good.
    ///
    /// # Errors
    /// When the queue does not do it.
    pub async fn discard(&self, entry: Entry) -> Result<(), ShelfError> {
        Ok(entry.locked.complete().await?)
    }
}
