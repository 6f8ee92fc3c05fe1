//! Removes records that were not changed for long, so that the number of records stays bounded.

use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::blob;
use crate::error::{Error, ErrorKind};
use crate::key;
use crate::store::{Store, within_deadline};

/// The result of [`Store::purge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// How many records were removed.
    pub removed: usize,
    /// Whether more are due: the call removes only so many.
    pub is_cut: bool,
}

impl Store {
    /// Removes records under `prefix` (whole segments, without a trailing `/`) that were last written before `before`,
    /// at most `most` of them. A record that is written in that very instant may be removed all the same: use it where
    /// an age of months makes that harmless.
    ///
    /// # Errors
    /// Any error of the service; what was removed until then stays removed.
    pub async fn purge(&self, prefix: &str, before: OffsetDateTime, most: usize) -> Result<Purged, Error> {
        let old = self.older_than(prefix, before, most).await?;
        let removed = old.len().min(most);
        for key in &old[..removed] {
            self.delete(key).await?;
        }
        Ok(Purged { removed, is_cut: old.len() > most })
    }

    /// The same for records of which some stay at any age: reads each, and removes it only if `may_go` says so. A
    /// record that cannot be read stays. Reads `most` records at the most, and answers those that stay.
    ///
    /// # Errors
    /// Any error of the service; what was removed until then stays removed.
    pub async fn purge_where<T: DeserializeOwned>(
        &self,
        prefix: &str,
        before: OffsetDateTime,
        most: usize,
        may_go: impl Fn(&T) -> bool,
    ) -> Result<(Purged, Vec<T>), Error> {
        let old = self.older_than(prefix, before, most).await?;
        let (mut removed, mut stays) = (0, Vec::new());
        for key in old.iter().take(most) {
            match self.get::<T>(key).await {
                Ok(Some(stored)) if may_go(&stored.value) => {
                    self.delete(key).await?;
                    removed += 1;
                }
                Ok(Some(stored)) => stays.push(stored.value),
                Ok(None) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((Purged { removed, is_cut: old.len() > most }, stays))
    }

    /// Keys of records that were last written before `before`: at most one more than `most`, which tells that there are more.
    async fn older_than(
        &self,
        prefix: &str,
        before: OffsetDateTime,
        most: usize,
    ) -> Result<Vec<String>, Error> {
        let path = key::checked(prefix)?;
        let doing = format!("looking for old records under `{prefix}`");
        within_deadline(&doing, async {
            let backend = self.backend();
            let mut found = backend.list(Some(&path));
            let mut old = Vec::new();
            while old.len() <= most {
                match found.try_next().await {
                    Ok(Some(object)) if object.last_modified.timestamp() < before.unix_timestamp() => {
                        old.push(object.location.to_string());
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) if blob::container::is_missing(&error) => break,
                    Err(error) => return Err(Error::from_backend(&doing, &error)),
                }
            }
            Ok(old)
        })
        .await
    }
}
