//! The order in which the namespaces have their turns: those that waited longest come first, so that none waits for
//! ever behind others that hang.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ambient::Clock;
use certificate_management::configuration::NamespaceConfiguration;
use serde::{Deserialize, Serialize};
use state::Store;
use time::OffsetDateTime;

/// Which turn was the last of each namespace, by the key of its id. Turns are counted, so no clock can be wrong about who
/// waited longest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// How many turns there were.
    taken: u64,
    namespaces: BTreeMap<String, u64>,
}

impl Turns {
    /// A namespace has its turn.
    fn take(&mut self, namespace: &NamespaceConfiguration) {
        // The number of turns in the record may be too small, so this turn also comes after each that the record names.
        let last = self.namespaces.values().copied().max().unwrap_or_default();
        self.taken = self.taken.max(last).saturating_add(1);
        self.namespaces.insert(namespace.id.key(), self.taken);
    }

    /// The namespaces in the order in which they have their turns now. The list of those that never had one begins at a
    /// place that moves on from minute to minute, which matters when no turn can be recorded.
    #[must_use]
    pub fn order<'a>(
        &self,
        namespaces: &'a [NamespaceConfiguration],
        now: OffsetDateTime,
    ) -> Vec<&'a NamespaceConfiguration> {
        let mut order: Vec<&NamespaceConfiguration> = namespaces.iter().collect();
        if let Ok(count @ 1..) = i64::try_from(order.len()) {
            let first = (now.unix_timestamp() / 60).rem_euclid(count);
            order.rotate_left(usize::try_from(first).unwrap_or_default());
        }
        order.sort_by_key(|namespace| self.namespaces.get(&namespace.id.key()).copied());
        order
    }

    /// Forgets namespaces that the configuration does not name any more.
    fn keep(&mut self, namespaces: &[NamespaceConfiguration]) {
        self.namespaces.retain(|key, _| namespaces.iter().any(|namespace| namespace.id.key() == *key));
    }
}

/// The record of the turns that the walks of one function give.
pub struct Roster<'a> {
    store: &'a Store,
    clock: &'a Clock,
    key: String,
    turns: Mutex<Turns>,
    /// How many of the turns are on record. Held while the record is written.
    recorded: tokio::sync::Mutex<u64>,
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
        let recorded = tokio::sync::Mutex::new(turns.taken);
        Self { store, clock, key, turns: Mutex::new(turns), recorded }
    }

    /// The namespaces in the order in which they have their turns now.
    #[must_use]
    pub fn order<'n>(&self, namespaces: &'n [NamespaceConfiguration]) -> Vec<&'n NamespaceConfiguration> {
        self.lock().order(namespaces, self.clock.now())
    }

    /// A namespace has its turn, which is on record when this returns: a walk that dies of it is not begun again with it.
    /// Turns that begin at the same time are written down together. When that fails, the next walk goes on from what was
    /// written before.
    pub async fn take(&self, namespace: &NamespaceConfiguration) {
        let taken = {
            let mut turns = self.lock();
            turns.take(namespace);
            turns.taken
        };
        let mut recorded = self.recorded.lock().await;
        if *recorded >= taken {
            return;
        }
        let turns = self.lock().clone();
        match self.store.put(&self.key, &turns).await {
            Ok(_) => *recorded = turns.taken,
            Err(error) => tracing::warn!("which namespaces had their turn cannot be recorded: {error}"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::configuration::Configuration;
    use proptest::prelude::*;

    use super::*;

    fn namespaces(count: usize) -> Vec<NamespaceConfiguration> {
        let tables: Vec<String> = (0..count)
            .map(|index| {
                format!(
                    "[[namespace]]\nid = \"/subscriptions/s/resourceGroups/r/providers/Microsoft.DeviceRegistry/namespaces/n{index}\"\n"
                )
            })
            .collect();
        Configuration::parse(&tables.concat()).unwrap().namespaces
    }

    proptest! {
        /// A walk that begins only `fits` visits each time still visits every namespace once in ⌈n / fits⌉ walks, for
        /// any record and any clock.
        #[test]
        fn none_waits_longer_than_it_must(
            count in 1..12_usize,
            fits in 1..5_usize,
            taken in 0..100_u64,
            before in proptest::collection::vec(proptest::option::of(0..1_000_u64), 12),
            clock in proptest::collection::vec(0..2_000_000_000_i64, 12),
        ) {
            let all = namespaces(count);
            let known = all.iter().zip(before).filter_map(|(namespace, turn)| Some((namespace.id.key(), turn?)));
            let mut turns = Turns { taken, namespaces: known.collect() };
            let mut visited = std::collections::BTreeSet::new();
            for now in clock.into_iter().take(count.div_ceil(fits)) {
                let order = turns.order(&all, OffsetDateTime::from_unix_timestamp(now).unwrap());
                prop_assert_eq!(order.len(), count);
                for namespace in order.into_iter().take(fits) {
                    visited.insert(namespace.id.key());
                    turns.take(namespace);
                }
            }
            prop_assert_eq!(visited.len(), count);
        }
    }

    #[test]
    fn without_a_record_the_first_one_changes_with_time() {
        let all = namespaces(3);
        let first = |minute: i64| {
            let now = OffsetDateTime::from_unix_timestamp(minute * 60).unwrap();
            Turns::default().order(&all, now)[0].id.name().to_owned()
        };
        assert_eq!([0, 1, 2, 3].map(first), ["n0", "n1", "n2", "n0"]);
    }

    #[tokio::test]
    async fn a_walk_that_is_killed_has_left_each_turn_that_it_began() {
        let all = namespaces(5);
        let (store, clock) = (Store::memory(), Clock::of_system());
        let roster = Roster::open(&store, &clock, "f", &all).await;
        tokio::join!(roster.take(&all[0]), roster.take(&all[1]));
        // It dies here.
        let order = Roster::open(&store, &clock, "f", &all).await;
        let mut last: Vec<_> =
            order.order(&all)[3..].iter().map(|namespace| namespace.id.name().to_owned()).collect();
        last.sort();
        assert_eq!(last, ["n0", "n1"]);
    }

    #[test]
    fn the_record_is_a_contract() {
        let mut turns = Turns::default();
        turns.take(&namespaces(1)[0]);
        let text = serde_json::to_string(&turns).unwrap();
        let key = "/subscriptions/s/resourcegroups/r/providers/microsoft.deviceregistry/namespaces/n0";
        assert_eq!(text, format!(r#"{{"taken":1,"namespaces":{{"{key}":1}}}}"#));
        assert_eq!(serde_json::from_str::<Turns>(&text).unwrap(), turns);
    }

    #[test]
    fn a_namespace_that_is_not_configured_any_more_is_forgotten() {
        let all = namespaces(3);
        let mut turns = Turns::default();
        all.iter().for_each(|namespace| turns.take(namespace));
        turns.keep(&all[..1]);
        assert_eq!(turns.namespaces.len(), 1);
    }
}
