//! Makes batches wait until they are large enough (`minMessageBatchSize`, `minEventBatchSize`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Items that were received and not yet handed over.
#[derive(Debug)]
pub struct Gathering<T> {
    held: VecDeque<T>,
    /// Since when the items wait.
    since: Option<Instant>,
    limits: Limits,
}

/// How large a batch is, and how long it waits to become so.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Fewest items, unless the patience is over.
    pub least: usize,
    /// Most items.
    pub most: usize,
    /// How long items wait for others.
    pub patience: Duration,
}

impl<T> Gathering<T> {
    /// Nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { held: VecDeque::new(), since: None, limits }
    }

    /// Adds items that came at `now`.
    pub fn add(&mut self, items: impl IntoIterator<Item = T>, now: Instant) {
        self.held.extend(items);
        if !self.held.is_empty() {
            self.since.get_or_insert(now);
        }
    }

    /// A batch, if there are enough items or they have waited long enough.
    pub fn take(&mut self, now: Instant) -> Option<Vec<T>> {
        let enough = self.held.len() >= self.limits.least.max(1);
        if !enough && self.left(now) != Some(Duration::ZERO) {
            return None;
        }
        let count = self.held.len().min(self.limits.most);
        let batch = self.held.drain(..count).collect();
        // The items that are left over start to wait anew.
        self.since = (!self.held.is_empty()).then_some(now);
        Some(batch)
    }

    /// How long the items may still wait; `None`: there are none.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        self.since.map(|since| self.limits.patience.saturating_sub(now.saturating_duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathering(least: usize, most: usize) -> Gathering<usize> {
        Gathering::new(Limits { least, most, patience: Duration::from_secs(30) })
    }

    #[test]
    fn a_least_of_one_waits_for_nothing() {
        let mut gathering = gathering(1, 2);
        let now = Instant::now();
        assert_eq!((gathering.take(now), gathering.left(now)), (None, None));
        gathering.add(0..3, now);
        assert_eq!(gathering.take(now), Some(vec![0, 1]));
        assert_eq!(gathering.take(now), Some(vec![2]));
        assert_eq!(gathering.take(now), None);
    }

    #[test]
    fn a_batch_waits_for_its_fewest_items_until_its_time_is_over() {
        let mut gathering = gathering(3, 4);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        gathering.add([0], start);
        gathering.add([1], at(20));
        assert_eq!(gathering.take(at(29)), None);
        assert_eq!(gathering.left(at(29)), Some(Duration::from_secs(1)));
        assert_eq!(gathering.take(at(30)), Some(vec![0, 1]));
        gathering.add(2..7, at(31));
        assert_eq!(gathering.take(at(31)), Some(vec![2, 3, 4, 5]));
        assert_eq!(gathering.take(at(60)), None, "the one that was left over waits anew");
        assert_eq!(gathering.take(at(61)), Some(vec![6]));
    }
}
