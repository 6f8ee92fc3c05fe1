//! The record of the turns that namespaces have had in the walks of one function, from which the next walk goes on.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use ambient::Clock;
use certificate_management::configuration::NamespaceConfiguration;
use state::Store;

pub use super::order::Turns;
use crate::changes::Changed;
use crate::observation::LinkedService;

/// The record of the turns that the walks of one function give.
pub struct Roster<'a> {
    store: &'a Store,
    clock: &'a Clock,
    key: String,
    known: Mutex<Known>,
    /// The states of the record that is stored. Held while the record is written.
    recorded: tokio::sync::Mutex<u64>,
    /// What events say has changed.
    changes: Vec<Changed>,
    /// The namespaces that have their turn before their time because of that.
    early: BTreeSet<String>,
}

/// The turns, and how often they have changed.
#[derive(Default)]
struct Known {
    turns: Turns,
    changed: u64,
}

impl<'a> Roster<'a> {
    /// Reads the record of a function. When it cannot be read, the log says so, and the walk goes in the order of the
    /// configuration.
    pub async fn open(
        store: &'a Store,
        clock: &'a Clock,
        function: &str,
        namespaces: &[NamespaceConfiguration],
    ) -> Self {
        let key = format!("walks/{function}");
        let mut turns = match store.get::<Turns>(&key).await {
            Ok(stored) => stored.map(|stored| stored.value).unwrap_or_default(),
            Err(error) => {
                tracing::warn!("which namespace waited longest cannot be read: {error}");
                Turns::default()
            }
        };
        turns.keep(namespaces);
        let known = Mutex::new(Known { turns, changed: 0 });
        let recorded = tokio::sync::Mutex::new(0);
        Self { store, clock, key, known, recorded, changes: Vec::new(), early: BTreeSet::new() }
    }

    /// The same for a walk that begins with what events say has changed.
    #[must_use]
    pub fn with_changes(self, changes: Vec<Changed>, namespaces: &[NamespaceConfiguration]) -> Self {
        let early = self.lock().turns.early(&changes, namespaces);
        Self { changes, early, ..self }
    }

    /// The namespaces in the order in which they have their turns now.
    #[must_use]
    pub fn order<'n>(&self, namespaces: &'n [NamespaceConfiguration]) -> Vec<&'n NamespaceConfiguration> {
        self.lock().turns.order(namespaces, &self.early, self.clock.now())
    }

    /// As far as it is known, how many DPS these namespaces have.
    #[must_use]
    pub fn services_of(&self, namespaces: &[NamespaceConfiguration]) -> usize {
        self.lock().turns.services_of(namespaces)
    }

    /// The keys of the namespaces that a change is about.
    #[must_use]
    pub fn about(&self, changed: &Changed, namespaces: &[NamespaceConfiguration]) -> BTreeSet<String> {
        self.lock().turns.about(changed, namespaces)
    }

    /// Whether a DPS comes before the others of its namespace.
    pub(super) fn is_changed(&self, service: &LinkedService) -> bool {
        self.changes.iter().any(
            |changed| matches!(changed, Changed::ProvisioningService(name) if name.eq_ignore_ascii_case(&service.name)),
        )
    }

    /// A namespace has its turn, which is on record when this returns: a walk that dies of it is not begun again with it.
    /// Turns that begin at the same time are written down together. When that fails, the next walk goes on from what was
    /// written before.
    pub async fn take(&self, namespace: &NamespaceConfiguration) {
        let changed = {
            let mut known = self.lock();
            let key = namespace.id.key();
            let is_early = self.early.contains(&key);
            known.turns.take(key, is_early);
            known.changed += 1;
            known.changed
        };
        self.write(changed).await;
    }

    /// The DPS of a namespace were seen. They are written down with the next turn, or at the end of the walk.
    pub(super) fn saw(&self, namespace: &NamespaceConfiguration, services: &[LinkedService]) {
        let names = services.iter().map(|service| service.name.to_ascii_lowercase()).collect();
        let mut known = self.lock();
        if known.turns.saw(&namespace.id.key(), names) {
            known.changed += 1;
        }
    }

    /// The walk is over.
    pub(super) async fn close(&self) {
        let changed = self.lock().changed;
        self.write(changed).await;
    }

    /// Writes the record, unless this state of it is stored.
    async fn write(&self, changed: u64) {
        let mut recorded = self.recorded.lock().await;
        if *recorded >= changed {
            return;
        }
        let (turns, changed) = {
            let known = self.lock();
            (known.turns.clone(), known.changed)
        };
        match self.store.put(&self.key, &turns).await {
            Ok(_) => *recorded = changed,
            Err(error) => tracing::warn!("which namespaces had their turn cannot be recorded: {error}"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scope::tests::namespaces;
    use super::*;

    fn names(order: &[&NamespaceConfiguration]) -> Vec<String> {
        order.iter().map(|namespace| namespace.id.name().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_walk_that_is_killed_has_left_each_turn_that_it_began() {
        let all = namespaces(5);
        let (store, clock) = (Store::memory(), Clock::of_system());
        let roster = Roster::open(&store, &clock, "f", &all).await;
        tokio::join!(roster.take(&all[0]), roster.take(&all[1]));
        // It dies here.
        let order = Roster::open(&store, &clock, "f", &all).await;
        let mut last = names(&order.order(&all)[3..]);
        last.sort();
        assert_eq!(last, ["n0", "n1"]);
    }

    #[tokio::test]
    async fn what_changed_has_the_first_turn_and_the_record_says_that_it_was_early() {
        let all = namespaces(3);
        let (store, clock) = (Store::memory(), Clock::of_system());
        let first = async || {
            let roster = Roster::open(&store, &clock, "f", &all).await;
            let changes = vec![Changed::ProvisioningService("D1".to_owned())];
            let roster = roster.with_changes(changes, &all);
            let order = roster.order(&all);
            roster.take(order[0]).await;
            order[0].id.name().to_owned()
        };
        assert_eq!(first().await, "n1");
        assert_ne!(first().await, "n1", "the walk before has died of it");
    }
}
