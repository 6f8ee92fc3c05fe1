//! Pauses between looks, and the times after which the machine gives up waiting. It clamps every pause that a service
//! asks for.

use time::{Duration, OffsetDateTime};

use super::Context;

/// How far the clocks of two instances, or of an instance and a service, may be apart.
pub const CLOCKS_APART: Duration = Duration::minutes(2);
/// Longest time between a claim and the end of its POST: the app ends every invocation before that.
pub const POST_TAKES: Duration = Duration::minutes(1);
/// How old a claim without an operation is before its POST is sent again. More than [`CLOCKS_APART`] and [`POST_TAKES`]
/// together, so that on no clock it passes while the first POST is under way.
pub const CLAIM_DEADLINE: Duration = Duration::minutes(4);
/// Most POSTs of one sync that may have had effect. After that many the machine does not repeat a POST whose answer was
/// lost. A POST that the service refused does not count.
pub const MOST_POSTS: u32 = 3;
/// How long requests gather before the first look.
pub const FIRST_LOOK: Duration = Duration::seconds(1);
/// Pause between a POST and the look for its evidence when the service names none.
pub const AFTER_POST: Duration = Duration::seconds(5);
/// How long a look that another run has begun is left alone, once.
pub const LEFT_ALONE: Duration = Duration::seconds(20);
/// Shortest pause that a service can ask for.
pub const SHORTEST_PAUSE: Duration = Duration::seconds(1);
/// Longest pause between two looks.
pub const LONGEST_PAUSE: Duration = Duration::minutes(2);
/// The report takes the follow-up of a look for lost that is overdue by this much. More than [`CLOCKS_APART`] and
/// [`LONGEST_PAUSE`] together.
pub const LOST_AFTER: Duration = Duration::minutes(5);

/// The pause before look number `attempt`, from 1: it doubles from two seconds up to [`LONGEST_PAUSE`]. A share that
/// depends on the name of the sync spreads it, so that many syncs do not look in step.
#[must_use]
pub fn growing(attempt: u32, name: &str) -> Duration {
    let doubled = Duration::seconds(2).saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let share =
        f64::from(name.bytes().fold(7u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))) / 1024.0;
    doubled.min(LONGEST_PAUSE) * (1.0 + share)
}

/// Clamps the pause that a service asks for to between [`SHORTEST_PAUSE`] and [`LONGEST_PAUSE`].
#[must_use]
pub fn clamped(asked: Duration) -> Duration {
    asked.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// When a look is due after a pause, for a queue whose clock is ahead by what is known of it.
#[must_use]
pub(super) fn due(pause: Duration, context: &Context) -> OffsetDateTime {
    after(context.now, pause.saturating_add(context.early))
}

/// The time after a pause, or the end of the calendar where that is beyond it.
#[must_use]
pub(super) fn after(now: OffsetDateTime, pause: Duration) -> OffsetDateTime {
    now.saturating_add(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<Duration> = (0..40).chain([u32::MAX]).map(|attempt| growing(attempt, "a")).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(pauses[0] >= Duration::seconds(2) && pauses[0] <= Duration::seconds(3));
        assert!(*pauses.last().unwrap() <= LONGEST_PAUSE * 1.25);
        assert_ne!(growing(3, "a"), growing(3, "b"));
    }

    #[test]
    fn what_a_service_asks_for_is_clamped() {
        for (asked, pause) in [
            (Duration::ZERO, SHORTEST_PAUSE),
            (Duration::seconds(7), Duration::seconds(7)),
            (Duration::DAY, LONGEST_PAUSE),
            (Duration::seconds(900_000_000_000), LONGEST_PAUSE),
            (Duration::MAX, LONGEST_PAUSE),
            (Duration::MIN, SHORTEST_PAUSE),
        ] {
            assert_eq!(clamped(asked), pause);
        }
    }

    #[test]
    fn a_claim_outlives_its_post_on_every_clock_and_a_lost_look_is_late_on_every_clock() {
        assert!(CLAIM_DEADLINE > CLOCKS_APART + POST_TAKES);
        assert!(LOST_AFTER > CLOCKS_APART + LONGEST_PAUSE * 1.25);
    }
}
