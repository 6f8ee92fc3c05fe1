//! What one read tells every caller in this process, and for how long that is used: callers that come at once share one
//! read, and an answer that has grown old is read again. All ages are here.
//!
//! Not here are tokens, which say themselves when they end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long the API versions on offer are used, and the knowledge that a DPS does not answer an older one: they change with
/// releases of the service.
pub const VERSIONS_FOR: Duration = Duration::from_secs(60 * 60);
/// How long the hubs and DPS of a subscription are used, and what a run has read of a namespace: a walk may take longer than
/// what it saw at its beginning is true.
pub const LISTS_FOR: Duration = Duration::from_secs(5 * 60);

type Cell<T> = Arc<OnceCell<Arc<T>>>;
/// When each read was begun, by its key in lower case.
type Entries<T> = HashMap<String, (Instant, Cell<T>)>;

/// Answers by their key, in any case. Clones share them.
#[derive(Debug)]
pub struct Remembered<T> {
    age: Duration,
    entries: Arc<Mutex<Entries<T>>>,
}

impl<T> Clone for Remembered<T> {
    fn clone(&self) -> Self {
        Self { age: self.age, entries: Arc::clone(&self.entries) }
    }
}

impl<T> Remembered<T> {
    /// Nothing yet. An answer is used until it is of this age, counted from the beginning of its read.
    #[must_use]
    pub fn new(age: Duration) -> Self {
        Self { age, entries: Arc::default() }
    }

    /// The answer: the one that is there, or that of `read`. A read that fails is remembered for no caller.
    ///
    /// # Errors
    /// That of `read`.
    pub async fn get<E, F: Future<Output = Result<T, E>>>(
        &self,
        key: &str,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>, E> {
        let cell = self.cell(key);
        cell.get_or_try_init(|| async { read().await.map(Arc::new) }).await.cloned()
    }

    fn cell(&self, key: &str) -> Cell<T> {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // What is old is needed by no caller, and lists of a large fleet take memory.
        entries.retain(|_, (begun, _)| now.saturating_duration_since(*begun) < self.age);
        let (_, cell) = entries.entry(key.to_ascii_lowercase()).or_insert_with(|| (now, Arc::default()));
        Arc::clone(cell)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const AGE: Duration = Duration::from_secs(60);

    /// Each read gives the number of reads so far.
    async fn count(remembered: &Remembered<u32>, key: &str, reads: &AtomicU32) -> u32 {
        let read = || async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(reads.fetch_add(1, Ordering::Relaxed) + 1)
        };
        *remembered.get(key, read).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_read_once_for_all_until_it_is_old() {
        let (remembered, reads) = (Remembered::new(AGE), AtomicU32::new(0));
        let clone = remembered.clone();
        let at_once = tokio::join!(count(&remembered, "S", &reads), count(&clone, "s", &reads));
        assert_eq!(at_once, (1, 1), "in any case, by any clone");
        tokio::time::advance(AGE - Duration::from_secs(1)).await;
        assert_eq!(count(&remembered, "s", &reads).await, 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(count(&remembered, "s", &reads).await, 2, "what has changed is seen");
        assert_eq!(count(&remembered, "t", &reads).await, 3, "of another key");
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_failed_is_made_again_and_what_is_old_takes_no_memory() {
        let remembered = Remembered::new(AGE);
        assert_eq!(remembered.get("s", || async { Err::<u32, _>("503") }).await, Err("503"));
        let list = remembered.get("s", || async { Ok::<_, &str>(7) }).await.unwrap();
        assert_eq!((*list, Arc::strong_count(&list)), (7, 2));
        tokio::time::advance(AGE).await;
        remembered.get("t", || async { Ok::<_, &str>(8) }).await.unwrap();
        assert_eq!(Arc::strong_count(&list), 1);
    }
}
