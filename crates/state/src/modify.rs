//! Reads, decides and writes, again and again until the decision was made on the newest version.
//!
//! The decision is a closure that may run several times, each time on what is stored then. It must do nothing but
//! decide.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, WriteError};
use crate::record::Stored;
use crate::store::Store;

/// How often `modify` decides before it gives up.
const TRIES: u32 = 8;

/// How long [`Store::modify`] takes at the most: half of the time that a sync step has (`contracts.md` §5).
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest pause after the first conflict; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// What to do with a record after looking at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// Store this.
    Write(T),
    /// Leave the record as it is.
    Keep,
}

/// What [`Store::modify`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modified<T> {
    /// This is stored now.
    Written(Stored<T>),
    /// The record was left as it is.
    Kept,
}

impl Store {
    /// Reads the record at `key`, lets `decide` look at it (`None`: there is none) and stores the result, if no other
    /// writer wrote in the meantime. Otherwise it does all of that again after a random pause.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] after 8 lost races. Kind `Unavailable` also after 30 seconds in all; then,
    /// as after any failed write, whether the last write was done is unknown.
    pub async fn modify<T, F>(&self, key: &str, decide: F) -> Result<Modified<T>, WriteError>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> Change<T>,
    {
        tokio::time::timeout(DEADLINE, self.modify_until_settled(key, decide)).await.unwrap_or_else(|_| {
            let detail = "not settled within 30 seconds";
            Err(Error::new(ErrorKind::Unavailable, format!("changing the record `{key}`"), detail).into())
        })
    }

    async fn modify_until_settled<T, F>(&self, key: &str, mut decide: F) -> Result<Modified<T>, WriteError>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> Change<T>,
    {
        for attempt in 0..TRIES {
            let (value, version) = match self.get(key).await? {
                Some(Stored { value, version }) => (Some(value), Some(version)),
                None => (None, None),
            };
            let Change::Write(value) = decide(value) else {
                return Ok(Modified::Kept);
            };
            let written = match &version {
                Some(version) => self.update(key, &value, version).await,
                None => self.create(key, &value).await,
            };
            match written {
                Ok(version) => return Ok(Modified::Written(Stored { value, version })),
                Err(WriteError::Conflict) => {
                    tokio::time::sleep(pause(attempt, self.randomness().share())).await;
                }
                Err(failed) => return Err(failed),
            }
        }
        Err(WriteError::Conflict)
    }
}

/// A random pause, so that writers which met once do not meet again in step. `share` is in 0..=1.
fn pause(attempt: u32, share: f64) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(TRIES)).mul_f64(share)
}
