//! What an event says has changed, for as long as the work on it is not finished: the next reconcile begins there.
//!
//! A record is written when the work begins, so that it is there when the work fails, is cut off or is killed. It says where to
//! look first and nothing else. So one that says so without need costs nothing, and one that is lost costs time.

use std::time::Duration;

use certificate_management::ArmId;
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use state::{Store, Version, WriteError, key};
use time::OffsetDateTime;
use tokio::time::timeout;

/// Where the records are.
pub const CHANGES: &str = "changes";
/// How long the record store may take over them, beside work that matters more.
const WITHIN: Duration = Duration::from_secs(3);
/// How many records are read or written at once.
const AT_ONCE: usize = 16;
/// How many are read at the most: as many as a fleet of the largest size has namespaces (`contracts.md` §5).
const MOST: usize = 1_000;

/// Something of the fleet that has changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Changed {
    /// A group of a DPS, by the name of the DPS.
    ProvisioningService(String),
    /// A namespace, or something below it.
    Namespace(ArmId),
}

impl Changed {
    fn key(&self) -> String {
        let name = match self {
            Self::ProvisioningService(name) => name.to_ascii_lowercase(),
            Self::Namespace(id) => id.key(),
        };
        format!("{CHANGES}/{}", key::segment(&name))
    }
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    changed: Changed,
    /// Whether work on it was begun and, as far as is known, not finished.
    is_unfinished: bool,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// Work that was begun.
#[derive(Debug, Default)]
pub struct Begun {
    /// The records that no other work has to do with, as far as is known now.
    own: Vec<(Changed, Version)>,
}

/// Work that is not finished, by its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// What it is about.
    pub changed: Changed,
    version: Version,
}

/// Says that work begins. When that cannot be recorded in time, the log says so, and the work goes on.
pub async fn begin(store: &Store, changed: &[Changed], now: OffsetDateTime) -> Begun {
    let each = changed.iter().map(|changed| async move {
        let record = Record { changed: changed.clone(), is_unfinished: true, at: now };
        match timeout(WITHIN, begin_one(store, &record)).await {
            Ok(Ok(own)) => own.map(|version| (changed.clone(), version)),
            Ok(Err(error)) => {
                tracing::warn!("that something has changed is not recorded: {error}");
                None
            }
            Err(_) => {
                tracing::warn!("that something has changed is not recorded in {} seconds", WITHIN.as_secs());
                None
            }
        }
    });
    let each: Vec<_> = each.collect();
    let own = stream::iter(each).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten().collect();
    Begun { own }
}

/// The version of the record, if it is that of this work alone. Where other work may be unfinished, the record gets a new
/// version, so that the other one does not say for both of them that it is finished.
async fn begin_one(store: &Store, record: &Record) -> Result<Option<Version>, WriteError> {
    let key = record.changed.key();
    let written = match store.get::<Record>(&key).await {
        Ok(None) => store.create(&key, record).await,
        Ok(Some(known)) if !known.value.is_unfinished => store.update(&key, record, &known.version).await,
        // Unfinished, or no record that this version understands.
        Ok(Some(_)) => Err(WriteError::Conflict),
        Err(error) if error.kind() == state::ErrorKind::Corrupt => Err(WriteError::Conflict),
        Err(error) => return Err(error.into()),
    };
    match written {
        Err(WriteError::Conflict) => store.put(&key, record).await.map(|_| None).map_err(WriteError::Failed),
        written => written.map(Some),
    }
}

impl Begun {
    /// The work is finished. A record that has changed since stays: other work began meanwhile.
    pub async fn finish(self, store: &Store, now: OffsetDateTime) {
        finish(store, self.own, now).await;
    }
}

/// What is unfinished. When that cannot be read, the log says so, and nothing comes first.
pub async fn unfinished(store: &Store) -> Vec<Unfinished> {
    let keys = match store.newest(CHANGES, MOST).await {
        Ok(keys) => keys,
        Err(error) => {
            tracing::warn!("what has changed cannot be listed: {error}");
            return Vec::new();
        }
    };
    let reads: Vec<_> = keys.iter().map(|key| store.get::<Record>(key)).collect();
    let mut found = Vec::new();
    for read in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        match read {
            Ok(Some(record)) if record.value.is_unfinished => {
                found.push(Unfinished { changed: record.value.changed, version: record.version });
            }
            Ok(_) => {}
            Err(error) => tracing::warn!("a record of what has changed cannot be read: {error}"),
        }
    }
    found
}

/// A reconcile has looked at what was unfinished, and finished it. What changed again meanwhile stays.
pub async fn finish_of(store: &Store, unfinished: Vec<Unfinished>, now: OffsetDateTime) {
    let own = unfinished.into_iter().map(|unfinished| (unfinished.changed, unfinished.version)).collect();
    finish(store, own, now).await;
}

async fn finish(store: &Store, own: Vec<(Changed, Version)>, now: OffsetDateTime) {
    let each = own.into_iter().map(|(changed, version)| async move {
        let record = Record { changed, is_unfinished: false, at: now };
        let written = timeout(WITHIN, store.update(&record.changed.key(), &record, &version)).await;
        match written {
            Ok(Ok(_) | Err(WriteError::Conflict)) => {}
            Ok(Err(WriteError::Failed(error))) => {
                tracing::warn!("the next reconcile begins with what is finished: {error}");
            }
            Err(_) => tracing::warn!("the next reconcile begins with what is finished: no answer in time"),
        }
    });
    let each: Vec<_> = each.collect();
    stream::iter(each).buffered(AT_ONCE).collect::<Vec<()>>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn service(name: &str) -> Changed {
        Changed::ProvisioningService(name.to_owned())
    }

    async fn left(store: &Store) -> Vec<Changed> {
        let mut left: Vec<_> = unfinished(store).await.into_iter().map(|it| it.changed).collect();
        left.sort();
        left
    }

    async fn begun(store: &Store, name: &str) -> Begun {
        begin(store, &[service(name)], NOW).await
    }

    #[tokio::test]
    async fn work_that_ends_leaves_nothing_and_work_that_does_not_is_left() {
        let store = Store::memory();
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let namespace = Changed::Namespace(ArmId::parse(id).unwrap());
        let finished = begin(&store, &[service("d1"), namespace.clone()], NOW).await;
        let _killed = begun(&store, "D2").await;
        assert_eq!(left(&store).await, [service("D2"), service("d1"), namespace]);
        finished.finish(&store, NOW).await;
        assert_eq!(left(&store).await, [service("D2")]);
        // The same again, over the record that is there.
        begun(&store, "d1").await.finish(&store, NOW).await;
        assert_eq!(left(&store).await, [service("D2")]);
    }

    /// Two events about one DPS begin and end in every order; each either finishes or does not.
    #[tokio::test]
    async fn no_work_says_for_another_that_it_is_finished() {
        for (first_ends, second_ends) in [(true, false), (false, true), (false, false)] {
            for second_begins_late in [false, true] {
                let store = Store::memory();
                let first = begun(&store, "d").await;
                let second = if second_begins_late {
                    if first_ends {
                        first.finish(&store, NOW).await;
                    }
                    begun(&store, "d").await
                } else {
                    let second = begun(&store, "d").await;
                    if first_ends {
                        first.finish(&store, NOW).await;
                    }
                    second
                };
                if second_ends {
                    second.finish(&store, NOW).await;
                }
                let case = (first_ends, second_ends, second_begins_late);
                assert_eq!(left(&store).await, [service("d")], "{case:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_changes_while_a_reconcile_looks_is_left_for_the_next() {
        let store = Store::memory();
        let _failed = (begun(&store, "d1").await, begun(&store, "d2").await);
        let seen = unfinished(&store).await;
        let _fails_too = begun(&store, "d2").await;
        finish_of(&store, seen, NOW).await;
        assert_eq!(left(&store).await, [service("d2")]);
    }

    #[tokio::test]
    async fn a_record_that_is_none_is_written_over() {
        let store = Store::memory();
        store.put(&service("d").key(), &"swordfish").await.unwrap();
        assert_eq!(left(&store).await, []);
        begun(&store, "d").await.finish(&store, NOW).await;
        assert_eq!(left(&store).await, [service("d")], "who wrote it may not have finished");
    }
}
