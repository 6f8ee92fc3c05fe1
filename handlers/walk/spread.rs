//! How a walk that needs a large part of a budget is spread over its time, so that other clients of the same identity find the
//! bucket of a subscription filled for most of it. A walk that needs less goes as fast as the budget lets it.

use std::time::Duration;

use azure::budget::READS_PER_SECOND;

/// A walk that needs more than one part in so many of what a subscription gives in the time of the walk is spread. One that needs
/// less has left the budget alone again after a third of that time at the latest.
const LARGE_PART: u128 = 3;

/// What is known of the visits to the namespaces of one subscription.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Visits in all.
    pub(super) visits: usize,
    /// Visits that have not begun.
    pub(super) waiting: usize,
    /// Visits that have ended.
    pub(super) ended: usize,
    /// Reads of Resource Manager that those took.
    pub(super) reads: u64,
}

impl Load {
    /// How long after a visit the next one begins, when so much of the time is over; nothing: as soon as there is room for it.
    /// What a visit takes is what those have taken that have ended.
    pub(super) fn pause(&self, over: Duration, elapsed: Duration) -> Duration {
        let left = over.saturating_sub(elapsed);
        match u32::try_from(self.waiting) {
            Ok(waiting @ 1..) if self.is_large(over) => left / waiting,
            _ => Duration::ZERO,
        }
    }

    /// Whether all visits together need a large part of what the subscription gives.
    fn is_large(&self, over: Duration) -> bool {
        let needed_by_ended = u128::from(self.reads) * self.visits as u128 * 1000;
        let given = u128::from(READS_PER_SECOND) * over.as_millis();
        self.ended > 0 && needed_by_ended * LARGE_PART > given * self.ended as u128
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nine minutes give 13,500 reads, and a third of them is 4,500.
    const OVER: Duration = Duration::from_secs(9 * 60);

    #[test]
    fn a_third_of_what_the_subscription_gives_is_a_large_part() {
        let of = |visits| Load { visits, waiting: visits - 4, ended: 4, reads: 4 * 13 };
        for small in [4, 10, 100, 346] {
            assert_eq!(
                of(small).pause(OVER, Duration::ZERO),
                Duration::ZERO,
                "{small} namespaces are read at once"
            );
        }
        assert_eq!(of(347).pause(OVER, Duration::ZERO), OVER / 343);
        assert_eq!(of(1_000).pause(OVER, Duration::ZERO), OVER / 996);
    }

    #[test]
    fn before_a_visit_has_ended_nothing_is_known_and_after_its_time_nothing_is_held_up() {
        let load = Load { visits: 1_000, waiting: 996, ended: 0, reads: 0 };
        assert_eq!(load.pause(OVER, Duration::ZERO), Duration::ZERO);
        let late = Load { ended: 900, reads: 900 * 13, ..load };
        assert_eq!(late.pause(OVER, OVER), Duration::ZERO);
        assert_eq!(late.pause(OVER, OVER * 2), Duration::ZERO);
        assert_eq!(Load { waiting: 0, ..late }.pause(OVER, Duration::ZERO), Duration::ZERO);
        assert_eq!(late.pause(Duration::ZERO, Duration::ZERO), Duration::ZERO);
    }

    proptest! {
        /// Whatever visits take, and however long one has to wait for room, the pauses of all that wait end with the time.
        #[test]
        fn the_last_visit_begins_within_the_time(
            visits in 1..2_000_usize,
            reads in 0..100_000_u64,
            late in 0..500_u64,
        ) {
            let mut load = Load { visits, waiting: visits, ended: 1, reads };
            let (mut elapsed, mut begins_at) = (Duration::ZERO, Duration::ZERO);
            while load.waiting > 0 {
                begins_at = elapsed;
                load.waiting -= 1;
                // The next one begins when it may and there is room for it.
                elapsed += load.pause(OVER, elapsed).max(Duration::from_millis(late));
            }
            let late_in_all = Duration::from_millis(late) * u32::try_from(visits).unwrap();
            prop_assert!(begins_at <= OVER.max(late_in_all) + Duration::from_millis(late), "{:?}", begins_at);
        }
    }
}
