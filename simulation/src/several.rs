//! Plays several seeds at once, one to a thread. Plays share nothing, and their results come in the order of their seeds.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

/// One thread for each core.
#[must_use]
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Works on each seed in one of so many threads, and hands the results to `take` in the order of the seeds, each as soon as those before it
/// are there. `take` answers whether it wants more.
pub fn each<T: Send>(
    seeds: Range<u64>,
    threads: NonZeroUsize,
    work: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> bool,
) {
    let (next, end) = (AtomicU64::new(seeds.start), seeds.end);
    let (sender, results) = mpsc::sync_channel(threads.get() * 2);
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || sender.send((seed, work(seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), seeds.start);
        for (seed, result) in results {
            early.insert(seed, result);
            while let Some(result) = early.remove(&due) {
                if !take(due, result) {
                    return;
                }
                due += 1;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const THREE: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    #[test]
    fn results_come_in_the_order_of_their_seeds_whatever_each_takes() {
        let work = |seed: u64| {
            thread::sleep(Duration::from_millis((7 * seed) % 5));
            seed * 2
        };
        let mut taken = Vec::new();
        each(10..40, THREE, work, |seed, result| {
            taken.push((seed, result));
            true
        });
        assert_eq!(taken, (10..40).map(|seed| (seed, seed * 2)).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_more_is_begun_once_nothing_more_is_wanted() {
        let begun = AtomicU64::new(0);
        let count = |_| begun.fetch_add(1, Ordering::Relaxed);
        each(0..1_000_000, THREE, count, |seed, _| seed < 3);
        assert!(begun.load(Ordering::Relaxed) < 100);
    }
}
