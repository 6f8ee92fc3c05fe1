//! Every message that waits for a person, as a shelf: on the parked queue, among the dead letters of both queues, and
//! in the records. The shelf takes messages from their queues under locks, and puts them back.
//!
//! Each lock counts as a delivery, and a queue gives up on a message that was delivered too often (10 times, by
//! default). So the shelf puts back a fresh copy of a parked message that was looked at [`WORN_OUT`] times. It can take
//! a dead letter any number of times: a queue gives up on a message once.

use std::time::Duration;

use ambient::Ambient;
use azure::service_bus::OutgoingMessage;
use azure::{LockedMessage, QueueReceiver, QueueSender};
use certificate_management::parked::Envelope;
use certificate_management::plural;
use futures::future::join_all;
use futures::{StreamExt, stream};
use state::Store;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::error::ShelfError;
use super::kept;
use super::message::{self, Place, Waiting};
use crate::waiting;

/// Most messages that the shelf takes of one place at once.
const MOST: usize = 256;
/// Longest time for taking messages: the first locks must last until everything was put back. A queue's lock lasts a
/// minute unless its settings say otherwise.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long the queue may take to find another message.
const WAIT: Duration = Duration::from_secs(1);
/// Deliveries after which a message is put back as a copy. Half of the default limit, since others look too.
const WORN_OUT: u32 = 5;
/// How many messages are put back at once.
const AT_ONCE: usize = 8;

/// A message that was taken.
pub struct Entry {
    /// Its description.
    pub message: Waiting,
    /// The body that `resubmit` would send; `None` where it is not known.
    body: Option<String>,
    held: Held,
}

enum Held {
    /// A message under its lock.
    Locked(Box<LockedMessage>),
    /// A record, by its key.
    Record(String),
}

/// The messages that were taken.
pub struct Taken {
    /// The messages; of each place the oldest first.
    pub entries: Vec<Entry>,
    /// Whether there may be more.
    pub is_cut: bool,
    /// Why places could not be read.
    pub unseen: Vec<ShelfError>,
}

impl Taken {
    /// Whether these are all that there are.
    #[must_use]
    pub fn is_all(&self) -> bool {
        !self.is_cut && self.unseen.is_empty()
    }
}

/// The places where messages wait, and the queue of sync requests.
pub struct Shelf {
    /// The receivers, each with the place that it takes messages from.
    pub receivers: Vec<(Place, QueueReceiver)>,
    /// Sends fresh copies of parked messages.
    pub parked: QueueSender,
    /// Sends the messages that are resubmitted.
    pub requests: QueueSender,
    /// The records; `None` where this process cannot see those of the app.
    pub records: Option<Store>,
    /// Gives fresh copies their ids.
    pub ambient: Ambient,
}

impl Shelf {
    /// Takes every message that no other receiver holds, up to [`MOST`] of each place. The answer also names the places
    /// that could not be read.
    pub async fn take(&self) -> Taken {
        let queues = self.receivers.iter().map(|(place, receiver)| take_from(*place, receiver));
        let mut taken = Taken { entries: Vec::new(), is_cut: false, unseen: Vec::new() };
        for (mut entries, is_cut, error) in join_all(queues).await {
            taken.entries.append(&mut entries);
            taken.is_cut |= is_cut;
            taken.unseen.extend(error);
        }
        if let Some(store) = &self.records {
            match kept::all(store, MOST).await {
                Ok((found, is_cut)) => {
                    taken.is_cut |= is_cut;
                    taken.entries.extend(found.into_iter().map(|found| {
                        let key = found.message.record.clone().unwrap_or_default();
                        Entry { message: found.message, body: found.body, held: Held::Record(key) }
                    }));
                }
                Err(error) => taken.unseen.push(error.into()),
            }
        }
        let mut messages: Vec<Waiting> = taken.entries.iter().map(|entry| entry.message.clone()).collect();
        message::name(&mut messages);
        for (entry, message) in taken.entries.iter_mut().zip(messages) {
            entry.message = message;
        }
        taken
    }

    /// Puts messages back. One that cannot be put back comes back by itself when its lock runs out, and stderr says so.
    pub async fn put_back(&self, entries: Vec<Entry>) {
        let steps: Vec<_> = entries.into_iter().map(|entry| self.put_one_back(entry)).collect();
        let failures: Vec<azure::Error> =
            stream::iter(steps).buffer_unordered(AT_ONCE).filter_map(async |done| done.err()).collect().await;
        if let Some(error) = failures.first() {
            complain!(
                "{} could not be put back and {} when the lock runs out: {error}",
                plural::count(failures.len(), "message"),
                plural::agreeing(failures.len(), "comes back", "come back")
            );
        }
    }

    async fn put_one_back(&self, entry: Entry) -> Result<(), azure::Error> {
        let Held::Locked(locked) = entry.held else { return Ok(()) };
        // A copy of a body that is not text would be another message.
        let is_copied =
            entry.message.place == Place::Parked && locked.delivery_count >= WORN_OUT && locked.is_text;
        if !is_copied {
            return locked.unlock().await;
        }
        let copy = OutgoingMessage {
            body: locked.body.clone(),
            message_id: Some(self.fresh_id(locked.message_id.as_deref().unwrap_or_default())),
            correlation_id: locked.correlation_id.clone(),
            subject: locked.subject.clone(),
            content_type: locked.content_type.clone(),
            ..OutgoingMessage::default()
        };
        // The copy first: a kill in between leaves two of the message and never none.
        match self.parked.send(&copy).await {
            Ok(()) => locked.complete().await,
            Err(error) => {
                locked.unlock().await?;
                Err(error)
            }
        }
    }

    /// Sends the original body, or `replacement` in its place, to the queue of sync requests and only then takes the message from where it waits; answers
    /// the id of what was sent.
    ///
    /// # Errors When the whole body is not known, or the queue does not take it; then the message stays where it is.
    pub async fn resubmit(&self, entry: Entry, replacement: Option<&str>) -> Result<String, ShelfError> {
        let sent = self.send_again(&entry, replacement).await;
        let message_id = match sent {
            Ok(message_id) => message_id,
            Err(error) => {
                self.put_back(vec![entry]).await;
                return Err(error);
            }
        };
        let id = entry.message.id.clone();
        match self.remove(entry).await {
            Ok(()) => Ok(message_id),
            Err(source) => Err(ShelfError::SentButStillThere { id, source: Box::new(source) }),
        }
    }

    async fn send_again(&self, entry: &Entry, replacement: Option<&str>) -> Result<String, ShelfError> {
        let body = match replacement {
            Some(text) => text.to_owned(),
            None => self.whole_body(entry).await?,
        };
        // With its old id the queue would drop it as a copy of itself.
        let given = entry.message.message_id.as_deref().unwrap_or(&entry.message.id);
        let message_id = self.fresh_id(given);
        let outgoing =
            OutgoingMessage { body, message_id: Some(message_id.clone()), ..OutgoingMessage::default() };
        self.requests.send(&outgoing).await?;
        Ok(message_id)
    }

    fn fresh_id(&self, id: &str) -> String {
        message::fresh_id(id, self.ambient.ulid())
    }

    /// The body as it was received.
    ///
    /// # Errors
    /// When the whole of it is not known, or it is not text.
    pub async fn whole_body(&self, entry: &Entry) -> Result<String, ShelfError> {
        let id = || entry.message.id.clone();
        if let Some(key) = &entry.message.whole_body {
            let kept_at = message::plain(key, 200);
            let Some(store) = &self.records else {
                return Err(ShelfError::OutOfReach { id: id(), kept_at });
            };
            let found = kept::whole_body(store, key).await?;
            return found.ok_or_else(|| ShelfError::Incomplete { id: id(), kept_at });
        }
        match (&entry.body, &entry.held) {
            (None, _) => Err(ShelfError::NotText { id: id() }),
            (Some(_), Held::Locked(locked)) if !locked.is_text => Err(ShelfError::NotText { id: id() }),
            (Some(body), _) => Ok(body.clone()),
        }
    }

    /// Takes the message from where it waits, for good, and from the report.
    ///
    /// # Errors
    /// When the queue or the records do not do it.
    pub async fn remove(&self, entry: Entry) -> Result<(), ShelfError> {
        match (entry.held, &self.records) {
            (Held::Locked(locked), _) => locked.complete().await?,
            (Held::Record(key), Some(store)) => store.delete(&key).await?,
            // A record is only held where there are records.
            (Held::Record(_), None) => {}
        }
        if entry.message.place != Place::DeadLetter {
            self.forget(entry.message.message_id.as_deref(), entry.body.as_deref()).await;
        }
        Ok(())
    }

    /// The message is gone, so a note that stays is no failure: it goes by itself when the queue would have dropped the message.
    async fn forget(&self, message_id: Option<&str>, body: Option<&str>) {
        let problem = match (&self.records, body) {
            (Some(store), Some(body)) => match waiting::forget(store, message_id, body).await {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
            (_, None) => return,
            (None, _) => "AzureWebJobsStorage names no records".to_owned(),
        };
        complain!("the status report goes on to show it for up to 30 days: {problem}");
    }
}

/// Takes the messages of one queue. Answers them, whether there may be more, and the error that ended it early, if one
/// did.
async fn take_from(place: Place, receiver: &QueueReceiver) -> (Vec<Entry>, bool, Option<ShelfError>) {
    let since = Instant::now();
    let mut entries = Vec::new();
    loop {
        if entries.len() == MOST || since.elapsed() >= PATIENCE {
            return (entries, true, None);
        }
        match receiver.lock_next(WAIT).await {
            Ok(Some(locked)) => entries.push(entry(place, locked)),
            Ok(None) => return (entries, false, None),
            Err(error) => return (entries, false, Some(error.into())),
        }
    }
}

fn entry(place: Place, locked: LockedMessage) -> Entry {
    let (mut message, body) = match place {
        // A message for the function is never read as an envelope, whatever its body says.
        Place::DeadLetter => (Waiting::at(place, &locked.body), locked.body.clone()),
        _ => Waiting::parked(place, &locked.body, Envelope::read(&locked.body)),
    };
    message.sequence_number = Some(locked.sequence_number);
    message.delivery_count = Some(locked.delivery_count);
    message.dead_letter_reason.clone_from(&locked.dead_letter_reason);
    message.dead_letter_description.clone_from(&locked.dead_letter_description);
    message.enqueued_at = locked.enqueued_time.and_then(|time| time.format(&Rfc3339).ok());
    if place == Place::DeadLetter {
        message.message_id.clone_from(&locked.message_id);
    }
    if !locked.is_text {
        let known = message.detail.take().map(|detail| format!("{detail}; "));
        message.detail = Some(known.unwrap_or_default() + "its body is not UTF-8 text");
    }
    Entry { message, body: Some(body), held: Held::Locked(Box::new(locked)) }
}
