//! What the app knows of messages that wait for a person.
//!
//! A look at a parked message counts as a delivery, and a queue gives up on what was delivered too often. So the app leaves a note of
//! each message that it parks, and the commands remove it when a person has dealt with the message. A dead letter can be looked at any
//! number of times: a queue gives up on a message once.

use std::time::Duration;

use azure::{LockedMessage, QueueReceiver};
use certificate_management::parked::Envelope;
use certificate_management::parked::note::{self, NOTES, Note};
use certificate_management::report::{DeadLetters, WaitingMessages};
use futures::{StreamExt, TryStreamExt, stream};
use state::Store;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

/// How many notes are read at the most.
const NOTES_READ: usize = 200;
/// How many are read, or put back, at once.
const AT_ONCE: usize = 16;
/// How many dead letters are counted at the most. A person who lists them in that second does not see those.
const COUNTED: usize = 32;
/// How long counting them may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Leaves a note of a message that was parked.
///
/// # Errors
/// When it cannot be written.
pub async fn remember(
    store: &Store,
    envelope: &Envelope,
    at: OffsetDateTime,
    is_kept: bool,
) -> Result<(), state::Error> {
    let key = note::key(envelope.message_id.as_deref(), &envelope.body);
    store.put(&key, &Note::of(envelope, at, is_kept)).await.map(drop)
}

/// Removes the note of a message that a person has dealt with, by the id and the body of its envelope.
///
/// # Errors
/// When it cannot be removed.
pub async fn forget(store: &Store, message_id: Option<&str>, body: &str) -> Result<(), state::Error> {
    store.delete(&note::key(message_id, body)).await
}

/// The parked messages that notes tell of. Dead letters are not counted.
///
/// # Errors
/// When the notes cannot be read.
pub async fn parked(store: &Store, now: OffsetDateTime) -> Result<WaitingMessages, state::Error> {
    let listing = store.list(NOTES).await?;
    let is_cut = listing.cut || listing.keys.len() > NOTES_READ;
    let reads: Vec<_> = listing.keys.iter().take(NOTES_READ).map(|key| store.get::<Note>(key)).collect();
    let notes: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let notes = notes.into_iter().flatten().map(|stored| stored.value).collect();
    Ok(WaitingMessages::of(notes, is_cut, now))
}

/// Counts dead letters by locking them, and puts them back.
///
/// # Errors
/// When the first of them cannot be locked.
pub async fn dead_letters(receiver: &QueueReceiver) -> Result<DeadLetters, azure::Error> {
    let until = Instant::now() + PATIENCE;
    let mut locked = Vec::new();
    let is_cut = loop {
        if locked.len() == COUNTED {
            break true;
        }
        match timeout_at(until, receiver.lock_next(Duration::ZERO)).await {
            Ok(Ok(Some(letter))) => locked.push(letter),
            Ok(Ok(None)) => break false,
            Ok(Err(error)) if locked.is_empty() => return Err(error),
            Err(_) if locked.is_empty() => return Err(azure::Error::timed_out("counting dead letters")),
            Ok(Err(_)) | Err(_) => break true,
        }
    };
    let count = locked.len();
    put_back(locked).await;
    Ok(DeadLetters { count, is_cut })
}

/// One that cannot be put back comes back by itself when its lock runs out.
async fn put_back(locked: Vec<LockedMessage>) {
    let steps: Vec<_> = locked.into_iter().map(LockedMessage::unlock).collect();
    let failures = stream::iter(steps).buffer_unordered(AT_ONCE).filter_map(async |done| done.err());
    if let Some(error) = failures.collect::<Vec<_>>().await.first() {
        tracing::warn!("dead letters come back when their locks run out: {error}");
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::reason::Reason;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 UTC);

    #[tokio::test]
    async fn a_message_is_told_from_when_it_is_parked_until_a_person_has_dealt_with_it() {
        let store = Store::memory();
        assert_eq!(parked(&store, NOW).await.unwrap(), WaitingMessages::default());
        let envelope = |id: &str| Envelope::new(Some(id), "{", Reason::MessageNotJson, "no object", NOW);
        for (id, hour) in [("b", 1), ("a", 2), ("b", 1)] {
            let at = NOW + time::Duration::hours(hour);
            remember(&store, &envelope(id), at, false).await.unwrap();
        }
        let told = parked(&store, NOW + time::Duration::hours(3)).await.unwrap();
        let ids: Vec<_> = told.listed.iter().map(|message| message.id.as_deref().unwrap()).collect();
        assert_eq!((told.parked, ids), (2, vec!["b", "a"]));
        forget(&store, Some("b"), "{").await.unwrap();
        forget(&store, Some("never parked"), "{").await.unwrap();
        assert_eq!(parked(&store, NOW).await.unwrap().parked, 1);
    }
}
