//! Chooses the versions of the service API with which to read the groups of a DPS.
//!
//! Each version hides the members that name a policy of the other generation (`azure-wire-facts.md` §3), so the client
//! reads a group twice where the namespace of its DPS has certificate authorities: first with the newer version, whose
//! text a write of the newer kind starts from, then with the older one. When the group changes between the two, the
//! first reading has an older `etag`, and the service refuses a write of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::remembered::VERSIONS_FOR;

/// The endpoints of the DPS that have said that they do not answer the older version any more, and when. After
/// [`VERSIONS_FOR`] each is asked again. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OlderVersionGone {
    endpoints: Arc<Mutex<HashMap<String, Instant>>>,
}

impl OlderVersionGone {
    /// Remembers that a DPS does not answer the older version.
    pub(super) fn learn(&self, endpoint: &str) {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(key(endpoint), Instant::now());
    }

    /// Whether a DPS has said so of late.
    pub(super) fn is_known_of(&self, endpoint: &str) -> bool {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.get(&key(endpoint)).is_some_and(|said_at| said_at.elapsed() < VERSIONS_FOR)
    }
}

fn key(endpoint: &str) -> String {
    endpoint.trim().trim_end_matches('/').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_answered_no_older_version_is_asked_again_when_that_is_old() {
        let gone = OlderVersionGone::default();
        gone.clone().learn("https://Contoso-dps/ ");
        tokio::time::advance(VERSIONS_FOR - Duration::from_secs(1)).await;
        assert!(gone.is_known_of("https://contoso-dps"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!gone.is_known_of("https://contoso-dps"));
    }
}
