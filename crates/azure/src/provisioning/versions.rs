//! Chooses the versions of the service API with which to read the groups of a DPS.
//!
//! Each version hides the members that name a policy of the other generation (`azure-wire-facts.md` §3), so the client
//! reads a group twice where the namespace of its DPS has certificate authorities: first with the newer version, whose
//! text a write of the newer kind starts from, then with the older one. When the group changes between the two, the
//! first reading has an older `etag`, and the service refuses a write of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The endpoints of the DPS that have said that they do not answer the older version any more. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OlderVersionGone {
    endpoints: Arc<Mutex<HashSet<String>>>,
}

impl OlderVersionGone {
    /// Remembers that a DPS does not answer the older version.
    pub(super) fn learn(&self, endpoint: &str) {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(key(endpoint));
    }

    /// Whether a DPS has said so.
    pub(super) fn is_known_of(&self, endpoint: &str) -> bool {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).contains(&key(endpoint))
    }
}

fn key(endpoint: &str) -> String {
    endpoint.trim().trim_end_matches('/').to_ascii_lowercase()
}
