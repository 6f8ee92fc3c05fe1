//! The requests that have no record, as a look found.

use serde::{Deserialize, Serialize};

use crate::digest;

/// The requests that one look found no record of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// The number of that look.
    pub look: u32,
    /// A digest of each id, so that the record stays small. Two ids with one digest leave a look too early or too late.
    pub requests: Vec<String>,
}

impl Missing {
    /// The requests whose records the look of this number has not found; `None` when it has found all.
    pub(super) fn of<'i>(look: u32, ids: impl Iterator<Item = &'i str>) -> Option<Self> {
        Some(Self { look, requests: ids.map(digest::of::<4>).collect() })
            .filter(|missing| !missing.requests.is_empty())
    }

    /// Whether a look with another number has not found the record of a request either.
    pub(super) fn was_so_before(&self, look: u32, id: &str) -> bool {
        self.look != look && self.requests.contains(&digest::of::<4>(id))
    }

    /// The same without these requests, whose records exist; `None` when nothing is left.
    pub(super) fn without<'i>(mut self, ids: impl Iterator<Item = &'i str>) -> Option<Self> {
        let found: Vec<String> = ids.map(digest::of::<4>).collect();
        self.requests.retain(|known| !found.contains(known));
        Some(self).filter(|missing| !missing.requests.is_empty())
    }
}
