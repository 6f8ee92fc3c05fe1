//! The events that the simulated cloud sends by itself: Event Grid events for changes of ARM resources and from a
//! custom topic, and the diagnostic records of provisioning services in an event hub (`azure-wire-facts.md` §5).

mod event_grid;
mod event_hubs;
mod resource_changes;

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::clock::Clock;
use event_grid::Subscription;
use event_hubs::EventHubs;

/// The event hub that the diagnostic setting of every provisioning service sends to.
pub const DPS_OPERATIONS: &str = "dps-operations";

/// How often a waiting receiver looks again. The simulated clock can be pushed forward at any moment without notice.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The feeds. They implement the sources that the stand-in for the Functions host receives from.
pub struct Feeds {
    clock: Clock,
    grid: Mutex<Subscription>,
    hubs: Mutex<EventHubs>,
    changed: Notify,
    before_look: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeds").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Feeds {
    /// Empty feeds on a clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            grid: Mutex::default(),
            hubs: Mutex::default(),
            changed: Notify::new(),
            before_look: OnceLock::new(),
        }
    }

    /// Runs `bring_up_to_date` before each look for something due: an operation may have ended since. Only the first
    /// call counts.
    pub(crate) fn before_each_look(&self, bring_up_to_date: impl Fn() + Send + Sync + 'static) {
        // A second caller would be a mistake without consequences: the world is made once.
        let _ = self.before_look.set(Box::new(bring_up_to_date));
    }

    fn grid(&self) -> MutexGuard<'_, Subscription> {
        self.grid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event_hubs(&self) -> MutexGuard<'_, EventHubs> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks until `look` finds something or `wait` (real time) is over.
    async fn wait_for<T>(&self, wait: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listen before looking, so that nothing falls in between.
            changed.as_mut().enable();
            if let Some(bring_up_to_date) = self.before_look.get() {
                bring_up_to_date();
            }
            if let Some(found) = look(self) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(left.min(LOOK_AGAIN)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
