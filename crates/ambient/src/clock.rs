//! The one clock of the app. Code that does I/O asks it, and hands the time to pure code.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;

/// Tells the time, UTC. Cheap to clone; all clones are one clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// The clock of the operating system; in a rehearsal, as far ahead of it as the followed file says.
    #[must_use]
    pub fn of_system() -> Self {
        #[cfg(feature = "rehearsal")]
        let now = crate::rehearsal::now;
        #[cfg(not(feature = "rehearsal"))]
        let now = OffsetDateTime::now_utc;
        Self::of(now)
    }

    /// A clock that follows `now`, such as the clock of the simulated Azure.
    pub fn of(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
