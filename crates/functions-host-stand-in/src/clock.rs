//! The clock of the host: that of this machine, or as far ahead of it as a source says.

use std::fmt;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use trigger_sources::ClockSource;

/// Tells the time. Cheap to clone.
#[derive(Clone, Default)]
pub struct HostClock(Option<Arc<dyn ClockSource>>);

impl HostClock {
    /// A clock that follows a source, or without one that of this machine.
    #[must_use]
    pub fn of(source: Option<Arc<dyn ClockSource>>) -> Self {
        Self(source)
    }

    /// The time, UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc().saturating_add(self.ahead())
    }

    /// By how much it is ahead of the clock of this machine.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |source| source.ahead())
    }

    /// Returns once it is ahead by another time than `known`; never without a source.
    pub async fn pushed(&self, known: Duration) {
        match &self.0 {
            Some(source) => source.pushed(known).await,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for HostClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HostClock").field(&self.ahead()).finish()
    }
}
