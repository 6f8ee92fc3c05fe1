//! What another version of `policysync.toml` would do: which namespaces come and go, what their settings become, and what becomes of
//! each enrollment group, by the plan that the app makes of it.

mod groups;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

pub use self::groups::{Fate, GroupChange, GroupEffect, GroupFate};
use crate::ArmId;
use crate::configuration::{Configuration, Mode, NamespaceConfiguration};

/// The schema of a difference.
pub const DIFFERENCE_SCHEMA: &str = "configuration-difference/v1";

/// What changes from one version to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// [`DIFFERENCE_SCHEMA`].
    pub schema: &'static str,
    /// Namespaces that only the new version names.
    pub added: Vec<ArmId>,
    /// Namespaces that the new version does not name any more.
    pub removed: Vec<ArmId>,
    /// Namespaces of both whose settings differ.
    pub changed: Vec<NamespaceChange>,
    /// Keys beside the namespaces that differ, e.g. `retention_days`.
    pub keys: Vec<String>,
    /// What changes for enrollment groups; `None`: Azure was not looked at.
    pub groups: Option<Vec<GroupEffect>>,
    /// What could not be read, each as a sentence: groups there are told only where both versions find them.
    pub unreadable: Vec<String>,
}

/// What changes in the settings of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceChange {
    /// Its ARM id.
    pub namespace_id: ArmId,
    /// From which mode to which; `None`: it stays.
    pub mode: Option<(Mode, Mode)>,
    /// The other keys that differ, e.g. `rule`.
    pub keys: Vec<String>,
}

impl Difference {
    /// What changes in the files. Nothing is known of groups.
    #[must_use]
    pub fn of(before: &Configuration, after: &Configuration) -> Self {
        let only = |of: &Configuration, not_of: &Configuration| -> Vec<ArmId> {
            let ids = of.namespaces.iter().map(|namespace| &namespace.id);
            ids.filter(|id| not_of.namespace(id).is_none()).cloned().collect()
        };
        let changes = after.namespaces.iter().filter_map(|after| change(before.namespace(&after.id)?, after));
        let mut keys = differing(before, after);
        keys.retain(|key| key != "namespace");
        Self {
            schema: DIFFERENCE_SCHEMA,
            added: only(after, before),
            removed: only(before, after),
            changed: changes.collect(),
            keys,
            groups: None,
            unreadable: Vec::new(),
        }
    }

    /// The same with what becomes of groups, and what could not be read.
    #[must_use]
    pub fn with_groups(self, before: &[GroupFate], after: &[GroupFate], unreadable: Vec<String>) -> Self {
        let groups = Some(groups::effects(before, after, unreadable.is_empty()));
        Self { groups, unreadable, ..self }
    }

    /// Whether the versions say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
            && self.keys.is_empty()
            && self.groups.as_ref().is_none_or(Vec::is_empty)
    }
}

fn change(before: &NamespaceConfiguration, after: &NamespaceConfiguration) -> Option<NamespaceChange> {
    let mode = (before.mode != after.mode).then_some((before.mode, after.mode));
    let mut keys = differing(before, after);
    keys.retain(|key| key != "mode");
    let change = NamespaceChange { namespace_id: after.id.clone(), mode, keys };
    (change.mode.is_some() || !change.keys.is_empty()).then_some(change)
}

/// The keys of two tables that differ. What is left out counts as its default.
fn differing<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    // A configuration consists of texts, numbers, lists and tables with texts as keys, so it is always JSON.
    let members = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (members(before), members(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

#[cfg(test)]
mod tests;
