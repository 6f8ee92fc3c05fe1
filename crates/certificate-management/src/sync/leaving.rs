//! A request without a record leaves the sync when a second look finds none either. The message of the request may come
//! between the reading of a look and its step and make the record anew; then the request stays.

use super::{Look, Missing, SyncRecord};

impl SyncRecord {
    /// A look has found no record of these requests.
    pub(super) fn lacks(&mut self, look: &Look, missing: &[String]) {
        let before = self.missing.take();
        let was_missing =
            |id: &str| before.as_ref().is_some_and(|before| before.was_so_before(look.attempt, id));
        let leaves = |id: &String| missing.contains(id) && was_missing(id);
        self.requests.retain(|id| !leaves(id));
        self.waiting.retain(|id| !leaves(id));
        let left = missing.iter().map(String::as_str).filter(|id| self.knows(id));
        self.missing = Missing::of(look.attempt, left);
    }

    /// Requests have come, so each of them has a record.
    pub(super) fn has<'r>(&mut self, ids: impl Iterator<Item = &'r str>) {
        self.missing = self.missing.take().and_then(|missing| missing.without(ids));
    }
}
