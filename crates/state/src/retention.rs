//! Records that nobody changed for long are removed, so that what is kept stays bounded.

use futures::TryStreamExt;
use time::OffsetDateTime;

use crate::blob;
use crate::error::Error;
use crate::key;
use crate::store::{Store, within_deadline};

/// What [`Store::purge`] did.
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
    /// As the service has it; what was removed until then stays removed.
    pub async fn purge(&self, prefix: &str, before: OffsetDateTime, most: usize) -> Result<Purged, Error> {
        let path = key::checked(prefix)?;
        let doing = format!("removing old records under `{prefix}`");
        let old = within_deadline(&doing, async {
            let backend = self.backend();
            let mut found = backend.list(Some(&path));
            let mut old = Vec::new();
            loop {
                match found.try_next().await {
                    // One more than may be removed tells that there are more.
                    Ok(Some(_)) if old.len() > most => break,
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
        .await?;
        let removed = old.len().min(most);
        for key in &old[..removed] {
            self.delete(key).await?;
        }
        Ok(Purged { removed, is_cut: old.len() > most })
    }
}
