//! Requests of which a look found no record. They leave the sync when another look finds none either: between what a look
//! has read and its step, the message of a request may come and make its record anew, and then the request stays.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Look, SyncRecord};

/// The requests that one look found no record of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// The number of that look.
    pub look: u32,
    /// A digest of each id, so that the record stays small. Two ids with one digest leave a look too early or too late.
    pub requests: Vec<String>,
}

impl SyncRecord {
    /// A look has found no record of these requests.
    pub(super) fn lacks(&mut self, look: &Look, missing: &[String]) {
        let before = self.missing.take();
        let was_missing = |id: &String| {
            let another = before.as_ref().filter(|before| before.look != look.attempt);
            another.is_some_and(|before| before.requests.contains(&digest(id)))
        };
        let leaves = |id: &String| missing.contains(id) && was_missing(id);
        self.requests.retain(|id| !leaves(id));
        self.waiting.retain(|id| !leaves(id));
        let requests: Vec<String> = missing.iter().filter(|id| self.knows(id)).map(|id| digest(id)).collect();
        self.missing = (!requests.is_empty()).then_some(Missing { look: look.attempt, requests });
    }

    /// Requests have come, so each of them has a record.
    pub(super) fn has<'r>(&mut self, ids: impl Iterator<Item = &'r str>) {
        if let Some(missing) = &mut self.missing {
            let come: Vec<String> = ids.map(digest).collect();
            missing.requests.retain(|known| !come.contains(known));
        }
        self.missing = self.missing.take().filter(|missing| !missing.requests.is_empty());
    }
}

fn digest(id: &str) -> String {
    Sha256::digest(id).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
