//! Finds the records that were written last, so that a reader of a growing number of records reads few of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use futures::TryStreamExt;

use crate::blob;
use crate::error::Error;
use crate::key;
use crate::store::{Store, within_deadline};

impl Store {
    /// The keys of the `most` records under `prefix` (whole segments, without a trailing `/`) that were written last,
    /// the newest first. It lists every key, and holds `most` of them.
    ///
    /// # Errors
    /// Any error of the service.
    pub async fn newest(&self, prefix: &str, most: usize) -> Result<Vec<String>, Error> {
        let path = key::checked(prefix)?;
        let doing = format!("listing the newest records under `{prefix}`");
        within_deadline(&doing, async {
            let backend = self.backend();
            let mut found = backend.list(Some(&path));
            // The oldest of those that are kept is on top, to make room.
            let mut kept = BinaryHeap::new();
            loop {
                match found.try_next().await {
                    Ok(Some(object)) => {
                        kept.push(Reverse((object.last_modified, object.location.to_string())));
                        if kept.len() > most {
                            kept.pop();
                        }
                    }
                    Ok(None) => break,
                    Err(error) if blob::container::is_missing(&error) => break,
                    Err(error) => return Err(Error::from_backend(&doing, &error)),
                }
            }
            Ok(kept.into_sorted_vec().into_iter().map(|Reverse((_, key))| key).collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_written_come_first_and_no_more_than_asked_for() {
        let store = Store::memory();
        for key in ["r/c", "r/a", "r/b", "other/x"] {
            store.put(key, &1).await.unwrap();
            // The backend's clock has to have moved on.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(store.newest("r", 2).await.unwrap(), ["r/b", "r/a"]);
        assert_eq!(store.newest("r", 9).await.unwrap().len(), 3);
        assert!(store.newest("none", 9).await.unwrap().is_empty());
    }
}
