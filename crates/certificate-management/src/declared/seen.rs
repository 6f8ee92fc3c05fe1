//! What a run of the app saw of the declared resources of a namespace, for the report.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::inventory::Inventory;
use super::judge::plan;
use super::memory::Memory;
use super::step::Step;
use crate::configuration::NamespaceConfiguration;

/// What there was, and what had been written by the end of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When the look began.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What there was.
    pub inventory: Inventory,
    /// The last writes.
    pub memory: Memory,
}

impl Seen {
    /// What is to be done about each declared resource.
    #[must_use]
    pub fn steps(&self, configuration: &NamespaceConfiguration) -> Vec<Step> {
        self.memory.heed(plan(configuration, &self.inventory), self.at)
    }
}
