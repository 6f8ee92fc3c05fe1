//! The order in which namespaces have their turns: first those with something that an event says has changed, then those that
//! waited longest. So none waits for ever behind others that hang, nor behind others that change all the time.

use std::collections::{BTreeMap, BTreeSet};

use certificate_management::configuration::NamespaceConfiguration;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::scope::names_service;
use crate::changes::Changed;

/// Which turn was the last of each namespace, by the key of its id. Turns are counted, so no clock can be wrong about who
/// waited longest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// How many turns there were.
    taken: u64,
    namespaces: BTreeMap<String, u64>,
    /// The last turn that a namespace had before its time, because something of it had changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    early: BTreeMap<String, u64>,
    /// The names of the DPS of a namespace when they were seen last, where it has any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<String, Vec<String>>,
}

impl Turns {
    /// A namespace has its turn; whether that comes before its time.
    pub(super) fn take(&mut self, key: String, is_early: bool) {
        // The number of turns in the record may be too small, so this turn also comes after each that the record names.
        let last = self.namespaces.values().copied().max().unwrap_or_default();
        self.taken = self.taken.max(last).saturating_add(1);
        if is_early {
            self.early.insert(key.clone(), self.taken);
        }
        self.namespaces.insert(key, self.taken);
    }

    /// A namespace has these DPS; whether that is news.
    pub(super) fn saw(&mut self, key: &str, services: Vec<String>) -> bool {
        if services.is_empty() {
            return self.services.remove(key).is_some();
        }
        let before = self.services.insert(key.to_owned(), services);
        before.as_ref() != self.services.get(key)
    }

    /// How many DPS the namespaces have: those that the configuration names, or those that were seen last.
    #[must_use]
    pub fn services_of(&self, namespaces: &[NamespaceConfiguration]) -> usize {
        let of = |namespace: &NamespaceConfiguration| match namespace.provisioning_services.len() {
            0 => self.services.get(&namespace.id.key()).map_or(0, Vec::len),
            named => named,
        };
        namespaces.iter().map(of).sum()
    }

    /// The keys of the namespaces that a change is about. A DPS that no namespace is known to have may be that of any whose DPS
    /// are found by their links.
    #[must_use]
    pub fn about(&self, changed: &Changed, namespaces: &[NamespaceConfiguration]) -> BTreeSet<String> {
        let keys = |fits: &dyn Fn(&NamespaceConfiguration) -> bool| -> BTreeSet<String> {
            let fitting = namespaces.iter().filter(|namespace| fits(namespace));
            fitting.map(|namespace| namespace.id.key()).collect()
        };
        match changed {
            Changed::Namespace(id) => keys(&|namespace| namespace.id == *id),
            Changed::ProvisioningService(name) => {
                let is_known = |namespace: &NamespaceConfiguration| {
                    let seen = self.services.get(&namespace.id.key());
                    names_service(namespace, name)
                        || seen.is_some_and(|seen| seen.iter().any(|known| known.eq_ignore_ascii_case(name)))
                };
                let known = keys(&is_known);
                if known.is_empty() {
                    keys(&|namespace| namespace.provisioning_services.is_empty())
                } else {
                    known
                }
            }
        }
    }

    /// The namespaces that have their turn before their time: those that changes are about. Each of them once in a whole walk:
    /// until every other one has had a turn since, it waits like they do.
    #[must_use]
    pub fn early(&self, changes: &[Changed], namespaces: &[NamespaceConfiguration]) -> BTreeSet<String> {
        let keys: Vec<String> = namespaces.iter().map(|namespace| namespace.id.key()).collect();
        let last = |key: &String| self.namespaces.get(key).copied().unwrap_or_default();
        let is_due = |key: &String| {
            let early = self.early.get(key).copied().unwrap_or_default();
            early == 0 || keys.iter().all(|other| other == key || last(other) > early)
        };
        let changed = changes.iter().flat_map(|changed| self.about(changed, namespaces));
        changed.filter(is_due).collect()
    }

    /// The namespaces in the order in which they have their turns now. The list of those that never had one begins at a
    /// place that moves on from minute to minute, which matters when no turn can be recorded.
    #[must_use]
    pub fn order<'a>(
        &self,
        namespaces: &'a [NamespaceConfiguration],
        early: &BTreeSet<String>,
        now: OffsetDateTime,
    ) -> Vec<&'a NamespaceConfiguration> {
        let mut order: Vec<&NamespaceConfiguration> = namespaces.iter().collect();
        if let Ok(count @ 1..) = i64::try_from(order.len()) {
            let first = (now.unix_timestamp() / 60).rem_euclid(count);
            order.rotate_left(usize::try_from(first).unwrap_or_default());
        }
        order.sort_by_cached_key(|namespace| {
            let key = namespace.id.key();
            (!early.contains(&key), self.namespaces.get(&key).copied())
        });
        order
    }

    /// Forgets namespaces that the configuration does not name any more.
    pub(super) fn keep(&mut self, namespaces: &[NamespaceConfiguration]) {
        let keys: BTreeSet<String> = namespaces.iter().map(|namespace| namespace.id.key()).collect();
        self.namespaces.retain(|key, _| keys.contains(key));
        self.early.retain(|key, _| keys.contains(key));
        self.services.retain(|key, _| keys.contains(key));
    }
}

#[cfg(test)]
mod tests;
