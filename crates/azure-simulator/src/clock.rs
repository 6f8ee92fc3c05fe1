//! The simulated clock: starts at the time of the machine, runs at its speed, and can be pushed forward.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

/// A clock that every part of one simulated cloud shares.
#[derive(Clone)]
pub struct Clock {
    machine: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    advanced: Arc<Mutex<Duration>>,
}

impl Default for Clock {
    /// On the clock of the operating system.
    fn default() -> Self {
        Self::over(OffsetDateTime::now_utc)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

impl Clock {
    /// A clock for which `machine` is the time of the machine, on which its clients run.
    pub fn over(machine: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self { machine: Arc::new(machine), advanced: Arc::default() }
    }

    /// The simulated time, UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.of_machine() + self.advanced()
    }

    /// The time of the machine, which clients go by.
    #[must_use]
    pub fn of_machine(&self) -> OffsetDateTime {
        (self.machine)()
    }

    /// By how much the clock is ahead of the machine.
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
    fn a_clock_goes_by_the_machine_that_it_was_given() {
        let clock = Clock::over(|| OffsetDateTime::UNIX_EPOCH);
        clock.advance(Duration::HOUR);
        assert_eq!(clock.now(), OffsetDateTime::UNIX_EPOCH + Duration::HOUR);
        assert_eq!(clock.of_machine(), OffsetDateTime::UNIX_EPOCH);
    }

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
