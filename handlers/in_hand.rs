//! Limits how many records of requests the process holds at once. A sync knows up to 1,500 of them, with their hubs,
//! and a batch may have follow-ups of many full syncs: their looks take turns, so that memory does not grow with the
//! batch.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most records at once. A look at 1,500 of them takes 56 MiB with the program itself, so one full sync goes alone, and
/// many small ones go beside each other.
const MOST: u32 = 2_000;

/// Gives looks the right to hold their requests.
#[derive(Debug, Clone)]
pub struct InHand(Arc<Semaphore>);

/// The right to hold on to some records; given back when it is dropped.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "it is held")] Option<OwnedSemaphorePermit>);

impl Default for InHand {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST as usize)))
    }
}

impl InHand {
    /// Waits until there is room for so many records. Looks go in the order in which they came. A look with more
    /// records than fit goes alone.
    pub async fn take(&self, records: usize) -> Held {
        let wanted = u32::try_from(records).unwrap_or(MOST).clamp(1, MOST);
        // Only a closed semaphore fails, and this one is never closed.
        Held(Arc::clone(&self.0).acquire_many_owned(wanted).await.ok())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn full_syncs_go_one_after_the_other_and_small_ones_beside_each_other() {
        let room = InHand::default();
        let small: Vec<Held> = futures::future::join_all((0..20).map(|_| room.take(100))).await;
        assert!(room.take(1).now_or_never().is_none(), "2,000 are in hand");
        drop(small);
        let full = room.take(1_500).await;
        assert!(room.take(1_500).now_or_never().is_none());
        assert!(room.take(500).now_or_never().is_some());
        drop(full);
        assert!(room.take(usize::MAX).now_or_never().is_some(), "what never fits goes alone");
    }

    /// A look whose time is over gives up its place.
    #[tokio::test]
    async fn a_look_that_does_not_wait_any_more_holds_no_other_up() {
        let room = InHand::default();
        let first = room.take(1_500).await;
        let mut second = Box::pin(room.take(1_500));
        assert!(second.as_mut().now_or_never().is_none());
        drop(second);
        assert!(room.take(500).now_or_never().is_some());
        drop(first);
        assert!(room.take(2_000).now_or_never().is_some());
    }
}
