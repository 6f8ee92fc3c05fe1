//! The arithmetic of one token bucket over given instants: no clock of its own, no waiting.
//!
//! The service counts in the same way, but people and other programs of the same identity draw from its bucket too. So
//! our count is an upper bound, which the answers of the service lower.

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
    /// The part of the capacity that the budget leaves to people: a fifth.
    pub(super) fn reserve(self) -> u32 {
        self.capacity.div_ceil(5)
    }
}

/// A bucket as we believe it to be.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    shape: Shape,
    level: u128,
    /// Until when `level` includes the refill. A bucket is closed when it is at its line and its refill begins later.
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

    /// When the `turn`-th draw from now on is possible, counted from 1, if no other program draws.
    pub(super) fn ready_at(&self, now: Instant, turn: usize) -> Instant {
        let mut bucket = self.clone();
        bucket.refill(now);
        let missing = (bucket.line() + turn as u128 * TOKEN).saturating_sub(bucket.level);
        let nanoseconds = missing.div_ceil(u128::from(self.shape.refill_per_second.max(1)));
        let wait = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        // Counting starts where the refill does: now, or at the end of the closure.
        bucket.counted_to.checked_add(wait).unwrap_or_else(|| now + LONGEST_PAUSE)
    }

    /// Takes over the number of tokens that the service says are left, if that is less. The service says whole tokens,
    /// so our count may lose up to one token; it loses that once, not with each answer.
    pub(super) fn told_remaining(&mut self, now: Instant, remaining: u32) {
        self.refill(now);
        self.level = self.level.min(u128::from(remaining) * TOKEN);
    }

    /// Takes over a 429: no call draws for as long as the service asks. Afterwards calls go at the rate of the refill,
    /// since a service that had to refuse should not meet a burst when it opens again.
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
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const SMALL: Shape = Shape { capacity: 10, refill_per_second: 4 };
    const RESERVE: u32 = 2;
    const NANOSECOND: Duration = Duration::from_nanos(1);

    /// What can happen to a bucket; the duration comes before it.
    #[derive(Debug, Clone)]
    enum Event {
        Draws(u32),
        Remaining(u32),
        Throttled(Option<Duration>),
    }

    fn pause() -> impl Strategy<Value = Duration> {
        prop_oneof![Just(Duration::ZERO), (0_u64..600_000_000).prop_map(Duration::from_nanos)]
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (1_u32..12).prop_map(Event::Draws),
            1 => (0_u32..14).prop_map(Event::Remaining),
            1 => proptest::option::of((0_u64..3_000).prop_map(Duration::from_millis)).prop_map(Event::Throttled),
        ]
    }

    fn apply(bucket: &mut Bucket, now: Instant, event: &Event) {
        match event {
            Event::Draws(times) => (0..*times).for_each(|_| _ = bucket.draw(now)),
            Event::Remaining(remaining) => bucket.told_remaining(now, *remaining),
            Event::Throttled(retry_after) => bucket.told_throttled(now, *retry_after),
        }
    }

    fn bucket_after(events: &[(Duration, Event)]) -> (Bucket, Instant) {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(SMALL, now);
        for (pause, event) in events {
            now += *pause;
            apply(&mut bucket, now, event);
        }
        (bucket, now)
    }

    #[test]
    fn the_reserve_is_a_fifth_and_never_less() {
        for (capacity, reserve) in [(250, 50), (200, 40), (10, RESERVE), (1, 1), (6, 2)] {
            assert_eq!(Shape { capacity, refill_per_second: 1 }.reserve(), reserve, "{capacity}");
        }
    }

    #[test]
    fn at_the_reserve_line_the_refill_stays_usable() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Shape { capacity: 250, refill_per_second: 25 }, start);
        assert_eq!((0..300).filter(|_| bucket.draw(start)).count(), 200);
        assert_eq!(bucket.left(start), 50);
        let drawn: usize = (1..=10_000).filter(|ms| bucket.draw(start + Duration::from_millis(*ms))).count();
        assert_eq!(drawn, 250, "ten seconds of refill, drawn one by one");
    }

    #[test]
    fn a_closed_bucket_opens_when_the_service_said_and_then_goes_at_the_refill() {
        let start = Instant::now();
        let mut bucket = Bucket::full(SMALL, start);
        bucket.told_throttled(start, Some(Duration::from_secs(9)));
        bucket.told_throttled(start, Some(Duration::from_secs(3)));
        let opening = start + Duration::from_secs(9);
        assert!(!bucket.draw(opening));
        assert_eq!(bucket.ready_at(start, 1), opening + Duration::from_millis(250));
        assert!(bucket.draw(opening + Duration::from_millis(250)));
        bucket.told_throttled(opening, Some(Duration::MAX));
        assert!(bucket.ready_at(opening, 1) <= opening + LONGEST_PAUSE + Duration::from_secs(1));
    }

    #[test]
    fn a_throttle_without_a_time_takes_the_burst_away() {
        let start = Instant::now();
        let mut bucket = Bucket::full(SMALL, start);
        bucket.told_throttled(start, None);
        assert!(!bucket.draw(start));
        assert!(bucket.draw(start + Duration::from_millis(250)));
        assert!(!bucket.draw(start + Duration::from_millis(250)));
    }

    #[test]
    fn numbers_that_come_late_and_rounded_down_cost_a_lone_caller_no_rate() {
        const ONE_WAY: u64 = 120;
        let start = Instant::now();
        let (mut bucket, mut service) = (Bucket::full(SMALL, start), Bucket::full(SMALL, start));
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        for ms in 0..60_000 {
            let now = start + Duration::from_millis(ms);
            if bucket.draw(now) {
                requests.push(ms + ONE_WAY);
            }
            if requests.contains(&ms) {
                service.draw(now);
                answers.push((ms + ONE_WAY, service.left(now)));
            }
            answers
                .iter()
                .filter(|(at, _)| *at == ms)
                .for_each(|(_, left)| bucket.told_remaining(now, *left));
        }
        let most = 8 + 239;
        assert!((most - 2..=most).contains(&requests.len()), "{} of {most}", requests.len());
    }

    proptest! {
        #[test]
        fn alone_it_never_draws_more_than_four_fifths_of_the_burst_and_the_refill_in_any_window(
            steps in vec((pause(), 1_u32..12), 1..40),
        ) {
            let mut now = Instant::now();
            let mut bucket = Bucket::full(SMALL, now);
            let mut drawn = Vec::new();
            for (pause, tries) in steps {
                now += pause;
                drawn.extend((0..tries).filter(|_| bucket.draw(now)).map(|_| now));
            }
            for (first, from) in drawn.iter().enumerate() {
                for (last, to) in drawn.iter().enumerate().skip(first) {
                    let refill = (*to - *from).as_nanos() * u128::from(SMALL.refill_per_second);
                    let allowed = u128::from(SMALL.capacity - RESERVE) * TOKEN + refill;
                    prop_assert!((last - first + 1) as u128 * TOKEN <= allowed);
                }
            }
        }

        #[test]
        fn a_draw_never_leaves_less_than_the_reserve(events in vec((pause(), event()), 0..40)) {
            let (mut bucket, now) = bucket_after(&events);
            let before = bucket.left(now);
            if bucket.draw(now) {
                prop_assert!(bucket.left(now) >= RESERVE);
                prop_assert_eq!(bucket.left(now), before - 1);
            } else {
                prop_assert_eq!(bucket.left(now), before);
            }
        }

        #[test]
        fn the_time_of_a_turn_is_exact(events in vec((pause(), event()), 0..40), turns in 1_usize..30) {
            let (mut bucket, now) = bucket_after(&events);
            let predicted = bucket.clone();
            let mut at = now;
            for turn in 1..=turns {
                let next = bucket.ready_at(at, 1);
                if next > at {
                    prop_assert!(!bucket.clone().draw(next - NANOSECOND));
                }
                at = next;
                prop_assert!(bucket.draw(at));
                prop_assert_eq!(predicted.ready_at(now, turn), at);
            }
        }

        #[test]
        fn what_the_service_says_never_lets_more_through(
            events in vec((pause(), event()), 0..40), untold in vec(pause(), 40),
        ) {
            let mut now = Instant::now();
            let (mut told, mut alone) = (Bucket::full(SMALL, now), Bucket::full(SMALL, now));
            let (mut told_drawn, mut alone_drawn) = (0, 0);
            for ((pause, event), more) in events.iter().zip(untold) {
                now += *pause;
                if !matches!(event, Event::Draws(_)) {
                    apply(&mut told, now, event);
                }
                now += more;
                told_drawn += usize::from(told.draw(now));
                alone_drawn += usize::from(alone.draw(now));
                prop_assert!(told_drawn <= alone_drawn);
            }
        }

        #[test]
        fn after_being_told_there_is_no_more_than_that(
            events in vec((pause(), event()), 0..40), remaining in 0_u32..14,
        ) {
            let (mut bucket, now) = bucket_after(&events);
            let before = bucket.left(now);
            bucket.told_remaining(now, remaining);
            prop_assert_eq!(bucket.left(now), before.min(remaining));
        }
    }
}
