//! The simulated clock: starts at real time, runs at its speed, and can be pushed forward.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

/// A clock that every part of one simulated cloud shares.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    advanced: Arc<Mutex<Duration>>,
}

impl Clock {
    /// The simulated time, UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.advanced()
    }

    /// By how much the clock is ahead of real time.
    #[must_use]
    pub fn advanced(&self) -> Duration {
        *self.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pushes the clock forward. A negative step is ignored: what has happened stays in the past.
    pub fn advance(&self, step: Duration) {
        let mut advanced = self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        *advanced = advanced.saturating_add(step.max(Duration::ZERO));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advanced_clock_is_ahead_and_never_goes_back() {
        let clock = Clock::default();
        let shared = clock.clone();
        clock.advance(Duration::hours(5));
        shared.advance(Duration::hours(-9));
        let ahead = shared.now() - OffsetDateTime::now_utc();
        assert!((ahead - Duration::hours(5)).abs() < Duration::minutes(1), "{ahead}");
    }
}
