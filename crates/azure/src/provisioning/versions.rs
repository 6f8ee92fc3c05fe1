//! Which versions of the service API the groups of a DPS are read with.
//!
//! Each version hides the members that name a policy of the other generation (`azure-wire-facts.md` §3), so a group of a
//! DPS whose namespace has certificate authorities is read twice: first by the newer version, whose text a write of the
//! newer kind starts from, then by the older one. A change between the two leaves the first with an older `etag`, and a
//! write of it is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use certificate_management::generation::{Generation, NamespaceGeneration};

/// What is known of each DPS, by its endpoint. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReferencesRead {
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    generation: NamespaceGeneration,
    /// The service has said that it does not answer the older version any more.
    is_older_gone: bool,
}

impl ReferencesRead {
    pub(crate) fn set(&self, endpoint: &str, generation: NamespaceGeneration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry(key(endpoint)).or_insert(Known { generation, is_older_gone: false });
        // A DPS can serve several namespaces: whoever has certificate authorities decides what is looked for.
        if !entry.generation.has(Generation::CertificateAuthorities) {
            entry.generation = generation;
        }
    }

    /// Takes down that the older version is not answered.
    pub(super) fn forget_older(&self, endpoint: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get_mut(&key(endpoint)) {
            known.is_older_gone = true;
        }
    }

    /// The generation whose version is read first, and whether the other one is read too. Groups of a DPS of which nothing
    /// was said can name credential policies only.
    pub(super) fn of(&self, endpoint: &str) -> (Generation, bool) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key(endpoint)) {
            Some(known) if known.generation.has(Generation::CertificateAuthorities) => {
                (Generation::CertificateAuthorities, !known.is_older_gone)
            }
            _ => (Generation::Credentials, false),
        }
    }
}

fn key(endpoint: &str) -> String {
    endpoint.trim().trim_end_matches('/').to_ascii_lowercase()
}
