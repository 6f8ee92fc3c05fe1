//! Which versions of the service API the groups of a DPS are read with.
//!
//! Each version hides the members that name a policy of the other generation (`azure-wire-facts.md` §3), so a group of a
//! DPS whose namespace has certificate authorities is read twice: first by the newer version, whose text a write of the
//! newer kind starts from, then by the older one. A change between the two leaves the first with an older `etag`, and a
//! write of it is refused.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The endpoints of the DPS that have said that they do not answer the older version any more. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OlderVersionGone {
    endpoints: Arc<Mutex<HashSet<String>>>,
}

impl OlderVersionGone {
    /// Takes down that a DPS does not answer the older version.
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
