//! Plays the Functions host for `sync-policies` alone: takes messages from the queue, posts them in batches to two
//! processes (one batch at a time each, as the real host does), completes all on success and gives all back on failure.
//!
//! It is a worse host than the real one. It delivers every message several times: once under its lock, and again at
//! random later instants, to either process, with any other messages. Lost locks, crashed hosts and callers who send
//! twice have the same effect.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use trigger_sources::{LockedMessage, QueueSource};

use crate::envelope;
use crate::handler::Handler;

/// The queue of requests and follow-ups.
pub const QUEUE: &str = "sync-requests";
const FUNCTION: &str = "sync-policies";
const BINDING: &str = "requests";
/// How long an idle worker waits for a message before it looks for repeats again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The latest instant of a repeat. Half of the repeats come at once, so that they meet the first delivery while it is
/// worked on.
const LATEST_REPEAT: Duration = Duration::from_secs(20);
const SOON_REPEAT: Duration = Duration::from_secs(2);

/// How messages are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivering {
    /// Most messages of a batch.
    pub batch_size: usize,
    /// How often each message is delivered, when nothing fails.
    pub deliveries: usize,
    /// Whether batches are smaller at random, so that there are more of them.
    pub any_size: bool,
    /// Chance that the host dies together with its process: then no host gives the batch back, and it comes again only
    /// when its locks are lost, after the follow-ups that it has sent.
    pub host_dies: f64,
}

/// The figures of the deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivered {
    /// Different messages.
    pub messages: usize,
    /// Messages in batches, repeats included.
    pub deliveries: usize,
    /// Batches.
    pub batches: usize,
    /// Batches that failed, because their process was killed or said so.
    pub failed_batches: usize,
    /// Batches for which a process that was up answered a failure.
    pub refused_batches: usize,
    /// Messages whose lock was lost before they were settled: the queue delivers them again.
    pub lost_locks: usize,
    /// The longest batch.
    pub longest_batch: Duration,
    /// The highest delivery count of a message, repeats of ours not counted.
    pub highest_delivery_count: u32,
}

/// A message to be delivered again.
struct Repeat {
    message: LockedMessage,
    not_before: Instant,
}

struct Pool {
    random: Rng,
    repeats: Vec<Repeat>,
    seen: BTreeMap<i64, LockedMessage>,
    delivered: Delivered,
    failures: Vec<String>,
}

/// The stand-in for the host.
pub struct Host {
    queue: Arc<dyn QueueSource>,
    delivering: Delivering,
    pool: Mutex<Pool>,
    stopped: AtomicBool,
}

impl Host {
    /// A host that has delivered nothing yet.
    pub fn new(queue: Arc<dyn QueueSource>, delivering: Delivering, random: Rng) -> Self {
        let pool = Pool {
            random,
            repeats: Vec::new(),
            seen: BTreeMap::new(),
            delivered: Delivered::default(),
            failures: Vec::new(),
        };
        Self { queue, delivering, pool: Mutex::new(pool), stopped: AtomicBool::new(false) }
    }

    /// Delivers to one process until [`Host::stop`].
    pub async fn deliver_to(&self, handler: &Handler) {
        while !self.stopped.load(Ordering::Relaxed) {
            let (repeats, most) = self.take_repeats();
            let wait = if repeats.is_empty() { LOOK_AGAIN } else { Duration::ZERO };
            let fresh = self.queue.receive(QUEUE, most - repeats.len(), wait).await;
            if fresh.is_empty() && repeats.is_empty() {
                continue;
            }
            self.plan_repeats(&fresh);
            let mut batch: Vec<LockedMessage> = repeats.iter().chain(&fresh).cloned().collect();
            self.pool().random.shuffle(&mut batch);
            let since = Instant::now();
            let answer = handler.call(FUNCTION, envelope::batch(FUNCTION, BINDING, &batch)).await;
            self.settle(&fresh, repeats, batch.len(), since.elapsed(), answer.err()).await;
        }
    }

    /// Lets the workers end after the batch that they are at.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether no delivery is planned.
    pub fn has_no_repeats(&self) -> bool {
        self.pool().repeats.is_empty()
    }

    /// The figures so far.
    pub fn delivered(&self) -> Delivered {
        let pool = self.pool();
        Delivered { messages: pool.seen.len(), ..pool.delivered }
    }

    /// The answers of processes that were up and refused a batch.
    pub fn failures(&self) -> Vec<String> {
        self.pool().failures.clone()
    }

    /// Plans one more delivery of every message that was ever seen. Answers how many.
    pub fn replay_everything(&self) -> usize {
        let mut pool = self.pool();
        let now = Instant::now();
        let all: Vec<Repeat> =
            pool.seen.values().map(|message| Repeat { message: message.clone(), not_before: now }).collect();
        let count = all.len();
        pool.repeats.extend(all);
        count
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some of the repeats that are due, and how many messages the batch may have. A batch never has repeats only, so
    /// that many of them do not keep new messages waiting until their locks are lost.
    fn take_repeats(&self) -> (Vec<LockedMessage>, usize) {
        let mut pool = self.pool();
        let most = match self.delivering.any_size {
            true => 1 + pool.random.usize(..self.delivering.batch_size),
            false => self.delivering.batch_size,
        };
        let room = most
            .div_ceil(2)
            .min(most.saturating_sub(1))
            .max(usize::from(most == 1 && pool.random.usize(..2) == 0));
        let now = Instant::now();
        let mut due: Vec<usize> =
            (0..pool.repeats.len()).filter(|index| pool.repeats[*index].not_before <= now).collect();
        pool.random.shuffle(&mut due);
        due.truncate(room);
        due.sort_unstable();
        let taken = due.into_iter().rev().map(|index| pool.repeats.swap_remove(index).message).collect();
        (taken, most)
    }

    fn plan_repeats(&self, fresh: &[LockedMessage]) {
        let mut pool = self.pool();
        for message in fresh {
            let highest = &mut pool.delivered.highest_delivery_count;
            *highest = message.delivery_count.max(*highest);
            // A message that comes back after a failed batch has its repeats planned already.
            if pool.seen.insert(message.sequence_number, message.clone()).is_some() {
                continue;
            }
            for _ in 1..self.delivering.deliveries {
                let not_before = Instant::now() + delay(&mut pool.random);
                pool.repeats.push(Repeat { message: message.clone(), not_before });
            }
        }
    }

    async fn settle(
        &self,
        fresh: &[LockedMessage],
        repeats: Vec<LockedMessage>,
        size: usize,
        took: Duration,
        failure: Option<String>,
    ) {
        let mut lost = 0;
        let dies = failure.is_some() && self.pool().random.f64() < self.delivering.host_dies;
        for message in fresh.iter().filter(|_| !dies) {
            let settled = match failure {
                None => self.queue.complete(QUEUE, &message.lock_token).await,
                Some(_) => self.queue.abandon(QUEUE, &message.lock_token).await,
            };
            lost += usize::from(!settled);
        }
        let mut pool = self.pool();
        let Pool { random, repeats: planned, delivered, failures, .. } = &mut *pool;
        delivered.batches += 1;
        delivered.deliveries += size;
        delivered.lost_locks += lost;
        delivered.longest_batch = delivered.longest_batch.max(took);
        let Some(failure) = failure else { return };
        delivered.failed_batches += 1;
        if failure.starts_with(|first: char| first.is_ascii_digit()) {
            delivered.refused_batches += 1;
            failures.push(failure);
        }
        let again = |message| Repeat { message, not_before: Instant::now() + delay(random) };
        planned.extend(repeats.into_iter().map(again));
    }
}

/// How long until a message comes once more.
fn delay(random: &mut Rng) -> Duration {
    let longest = if random.bool() { SOON_REPEAT } else { LATEST_REPEAT };
    longest.mul_f64(random.f64())
}
