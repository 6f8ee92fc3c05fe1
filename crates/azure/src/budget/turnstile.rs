//! The queue before one bucket: whoever comes first goes first, and whose turn would come too late does not wait for it.
//!
//! Only the first of the queue has a timer that counts, set for the instant at which the bucket lets it through; the
//! others are woken when they become the first. Nothing polls. The mutex is held for arithmetic alone, never while
//! waiting; a place in the queue is given back when the future that holds it is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::bucket::{Bucket, Shape};

/// A bucket and those who wait for it.
#[derive(Debug)]
pub(super) struct Turnstile {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    waiting: VecDeque<Waiter>,
    next_ticket: u64,
    throttled_total: u64,
    put_off_total: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    wake: Arc<Notify>,
}

/// What is to be known of a bucket from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) capacity: u32,
    pub(super) left: u32,
    pub(super) waiting: usize,
    pub(super) throttled_total: u64,
    pub(super) put_off_total: u64,
}

impl Turnstile {
    pub(super) fn new(shape: Shape) -> Self {
        let bucket = Bucket::full(shape, Instant::now());
        let state =
            State { bucket, waiting: VecDeque::new(), next_ticket: 0, throttled_total: 0, put_off_total: 0 };
        Self { state: Mutex::new(state) }
    }

    /// Waits for a turn and draws a token. When the turn would come after `latest`, says at once how far away it is.
    pub(super) async fn pass(&self, latest: Instant) -> Result<(), Duration> {
        let Some(place) = self.enter() else { return Ok(()) };
        loop {
            match place.advance(latest) {
                Step::Go => return Ok(()),
                Step::TooLate(wait) => return Err(wait),
                // Woken or not, the next round looks at the bucket again.
                Step::Wait(until) => _ = timeout_at(until, place.wake.notified()).await,
            }
        }
    }

    /// What an answer says: a 429, and how much is left.
    pub(super) fn learn(&self, throttled: Option<Option<Duration>>, remaining: Option<u32>) {
        let mut state = self.lock();
        let now = Instant::now();
        if let Some(remaining) = remaining {
            state.bucket.told_remaining(now, remaining);
        }
        if let Some(retry_after) = throttled {
            state.bucket.told_throttled(now, retry_after);
            state.throttled_total += 1;
            // Those whose turn has moved too far leave now instead of waiting in vain.
            state.waiting.iter().for_each(|waiter| waiter.wake.notify_one());
        }
    }

    pub(super) fn reading(&self) -> Reading {
        let state = self.lock();
        Reading {
            capacity: state.bucket.capacity(),
            left: state.bucket.left(Instant::now()),
            waiting: state.waiting.len(),
            throttled_total: state.throttled_total,
            put_off_total: state.put_off_total,
        }
    }

    /// Draws at once where nobody waits, else takes the last place.
    fn enter(&self) -> Option<Place<'_>> {
        let mut state = self.lock();
        if state.waiting.is_empty() && state.bucket.draw(Instant::now()) {
            return None;
        }
        let (ticket, wake) = (state.next_ticket, Arc::new(Notify::new()));
        state.next_ticket += 1;
        state.waiting.push_back(Waiter { ticket, wake: wake.clone() });
        Some(Place { turnstile: self, ticket, wake })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Step {
    Go,
    TooLate(Duration),
    Wait(Instant),
}

/// A place in the queue. Dropping it gives it up, and wakes the next one if it was the first.
struct Place<'t> {
    turnstile: &'t Turnstile,
    ticket: u64,
    wake: Arc<Notify>,
}

impl Place<'_> {
    fn advance(&self, latest: Instant) -> Step {
        let mut state = self.turnstile.lock();
        let now = Instant::now();
        // Tickets rise along the queue.
        let ahead = state.waiting.partition_point(|waiter| waiter.ticket < self.ticket);
        if ahead == 0 && state.bucket.draw(now) {
            return Step::Go;
        }
        let ready = state.bucket.ready_at(now, ahead + 1);
        if ready > latest || now >= latest {
            state.put_off_total += 1;
            return Step::TooLate(ready.saturating_duration_since(now));
        }
        Step::Wait(if ahead == 0 { ready } else { latest })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.turnstile.lock();
        let index = state.waiting.partition_point(|waiter| waiter.ticket < self.ticket);
        state.waiting.remove(index);
        if index == 0
            && let Some(first) = state.waiting.front()
        {
            first.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
