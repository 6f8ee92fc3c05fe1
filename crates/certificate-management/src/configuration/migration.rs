//! `[[namespace.migration]]`: which policy of the second generation takes the place of one of the first.
//!
//! It says which two policies mean the same, so that a rule need not be changed on the day of the move: where a rule
//! names `from`, new groups get `to` as soon as their hubs trust it, and `from` until then. A person moves groups that
//! name `from` already, with `apply` or `assign --migrate`; a function moves them only where a rule says `reassign`.

use serde::{Deserialize, Serialize};

use super::NamespaceConfiguration;

/// One policy and its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Name of a credential policy.
    pub from: String,
    /// Name of the certificate policy that takes its place, `authority/policy`.
    pub to: String,
}

impl Migration {
    /// The key that is wrong, and what is wrong with it.
    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        if self.from.is_empty() || self.from.contains('/') {
            return Some(("from", format!("`{}` is not the name of a credential policy", self.from)));
        }
        let is_full = self.to.split('/').count() == 2 && self.to.split('/').all(|name| !name.is_empty());
        (!is_full).then(|| ("to", format!("`{}` is not `authority/policy`", self.to)))
    }
}

impl NamespaceConfiguration {
    /// The migration of the policy that a group or a rule names.
    #[must_use]
    pub fn migration(&self, policy: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.from.eq_ignore_ascii_case(policy))
    }
}
