//! A place for an instance: one lives there, or none for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::instance::Instance;

/// A place for an instance.
pub struct Slot {
    /// How wrong the clock there is.
    pub skew: time::Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Instance>>,
    /// Until when the platform wants none there, as time since the beginning.
    away_until: Duration,
}

impl Slot {
    /// An empty place.
    #[must_use]
    pub fn new(skew: time::Duration) -> Self {
        Self { skew, state: Mutex::default() }
    }

    /// The instance that lives there.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Instance>> {
        self.lock().current.clone().filter(|instance| !instance.life.is_over())
    }

    /// Puts an instance there, or none.
    pub fn put(&self, instance: Option<Arc<Instance>>) {
        self.lock().current = instance;
    }

    /// Takes the instance away, and wants none before `until`.
    pub fn take_away(&self, until: Duration) {
        self.lock().away_until = until;
        if let Some(instance) = self.current() {
            instance.life.end();
        }
    }

    /// Until when there is to be none.
    #[must_use]
    pub fn away_until(&self) -> Duration {
        self.lock().away_until
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
