//! Runs a play in one thread, by a clock that stands still while anything computes and jumps when all wait.
//!
//! The order in which tasks run is that of `tokio`'s one-threaded runtime, which draws nothing: only `select!` does, and neither the app nor
//! the simulated cloud meets one here (they stand in loops that serve sockets, and in receivers that wait, and nothing of a play waits
//! in those).

use time::OffsetDateTime;
use time::macros::datetime;
use tokio::time::Instant;

/// When every play begins. Any instant before the machine's own time would do; this one is a Monday.
pub const BEGIN: OffsetDateTime = datetime!(2026-03-02 08:00 UTC);

/// The time of a play. Copies tell the same time.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    began: Instant,
}

impl Time {
    /// Begins now. Only within [`run`].
    #[must_use]
    pub fn begin() -> Self {
        Self { began: Instant::now() }
    }

    /// The true time.
    #[must_use]
    pub fn now(self) -> OffsetDateTime {
        BEGIN + self.since()
    }

    /// How long the play has been going.
    #[must_use]
    pub fn since(self) -> std::time::Duration {
        self.began.elapsed()
    }

    /// A clock that is wrong by `skew`.
    #[must_use]
    pub fn clock(self, skew: time::Duration) -> ambient::Clock {
        ambient::Clock::of(move || self.now() + skew)
    }
}

/// Runs a play to its end. What it has spawned and not awaited ends with it.
///
/// # Panics
/// When no runtime can be made, as when the machine has no memory left.
pub fn run<T>(play: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(
        clippy::expect_used,
        reason = "without a runtime there is nothing to do, and nothing to clean up"
    )]
    runtime.expect("a runtime of one thread").block_on(play)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hours_pass_in_no_time_and_a_skewed_clock_stays_skewed() {
        let real = std::time::Instant::now();
        let (now, skewed) = run(async {
            let time = Time::begin();
            let clock = time.clock(time::Duration::seconds(-90));
            tokio::time::sleep(Duration::from_secs(7_200)).await;
            (time.now(), clock.now())
        });
        assert_eq!(now, BEGIN + time::Duration::hours(2));
        assert_eq!(skewed, now - time::Duration::seconds(90));
        assert!(real.elapsed() < Duration::from_secs(60), "the play has waited for real");
    }
}
