//! An operation of the service, as the record of a sync remembers it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// An operation that the service has started. `Debug` leaves out the query of its address, which may hold a signature.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncOperation {
    /// The URL of its status; `None` when the service named none.
    pub url: Option<String>,
    /// Whether the service said at once that it was done.
    #[serde(default)]
    pub finished: bool,
    /// How long the service asked to wait before the first question, in seconds.
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
    /// When the service accepted it.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
}

impl fmt::Debug for SyncOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.as_deref().map(|url| url.split(['?', '#']).next().unwrap_or_default());
        f.debug_struct("SyncOperation")
            .field("place", &place)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}
