//! Counts the reads of Resource Manager that one piece of work makes, whatever else draws from the same buckets meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static TALLY: Tally;
}

/// A count of reads. Clones are the same count.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<AtomicU32>);

impl Tally {
    /// Does the work, and counts each attempt of a read that gets its turn within it. Of work within work only the inner
    /// one is counted.
    pub async fn of<F: Future>(&self, work: F) -> F::Output {
        TALLY.scope(self.clone(), work).await
    }

    /// Reads so far.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// A read has got its turn.
    pub(super) fn count() {
        // Work that no tally counts is no error.
        let _ = TALLY.try_with(|tally| tally.0.fetch_add(1, Ordering::Relaxed));
    }
}
