//! The arithmetic of one token bucket over given instants: no clock of its own, no waiting.
//!
//! The service counts in the same way, but its count is not ours alone: people and other programs of the same
//! identity draw from it too. So ours is an upper bound, lowered by whatever the service says.

use std::time::Duration;

use tokio::time::Instant;

use crate::pause::{self, LONGEST_PAUSE};

/// One token in the unit of account. A bucket that gains `n` tokens a second gains `n` units a nanosecond, so that
/// counting is exact however often it is done.
const TOKEN: u128 = 1_000_000_000;

/// The size of a bucket and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Calls that a full bucket holds.
    pub(super) capacity: u32,
    /// Calls that flow in per second; at least 1.
    pub(super) refill_per_second: u32,
}

impl Shape {
    /// The part of the capacity that is left to people: a fifth.
    pub(super) fn reserve(self) -> u32 {
        self.capacity.div_ceil(5)
    }
}

/// A bucket as we believe it to be.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    shape: Shape,
    level: u128,
    /// Up to when the refill is counted in `level`. A closed bucket is one at its line whose refill begins later.
    counted_to: Instant,
}

impl Bucket {
    pub(super) fn full(shape: Shape, now: Instant) -> Self {
        let level = u128::from(shape.capacity) * TOKEN;
        Self { shape, level, counted_to: now }
    }

    /// Draws one token, unless that would touch the reserve.
    pub(super) fn draw(&mut self, now: Instant) -> bool {
        self.refill(now);
        let allowed = self.level >= self.line() + TOKEN;
        if allowed {
            self.level -= TOKEN;
        }
        allowed
    }

    /// When the `turn`-th draw from now on is possible, the first being 1, if nobody else draws.
    pub(super) fn ready_at(&self, now: Instant, turn: usize) -> Instant {
        let mut bucket = self.clone();
        bucket.refill(now);
        let missing = (bucket.line() + turn as u128 * TOKEN).saturating_sub(bucket.level);
        let nanoseconds = missing.div_ceil(u128::from(self.shape.refill_per_second.max(1)));
        let wait = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        // Counting starts where the refill does: now, or at the end of the closure.
        bucket.counted_to.checked_add(wait).unwrap_or_else(|| now + LONGEST_PAUSE)
    }

    /// Takes over what the service says is left, if that is less. It says whole tokens, so its count is up to one ahead
    /// of ours from then on; that is lost once, not with each answer.
    pub(super) fn told_remaining(&mut self, now: Instant, remaining: u32) {
        self.refill(now);
        self.level = self.level.min(u128::from(remaining) * TOKEN);
    }

    /// Takes over a 429: nothing is drawn for as long as the service asks. Afterwards there is the refill only, since a
    /// service that had to refuse should not meet a burst when it opens again.
    pub(super) fn told_throttled(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.refill(now);
        self.level = self.level.min(self.line());
        let until = now + pause::believed(retry_after.unwrap_or_default());
        self.counted_to = self.counted_to.max(until);
    }

    /// Whole tokens in the bucket, the reserve included.
    pub(super) fn left(&self, now: Instant) -> u32 {
        let mut bucket = self.clone();
        bucket.refill(now);
        u32::try_from(bucket.level / TOKEN).unwrap_or(u32::MAX)
    }

    pub(super) fn capacity(&self) -> u32 {
        self.shape.capacity
    }

    fn line(&self) -> u128 {
        u128::from(self.shape.reserve()) * TOKEN
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.counted_to).as_nanos();
        let gained = elapsed.saturating_mul(u128::from(self.shape.refill_per_second));
        self.level = self.level.saturating_add(gained).min(u128::from(self.shape.capacity) * TOKEN);
        self.counted_to = self.counted_to.max(now);
    }
}

#[cfg(test)]
mod tests;
