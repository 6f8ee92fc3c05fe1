//! What a saved plan has of the authorities and policies that the file declares.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::condition::Condition;
use crate::ArmId;
use crate::configuration::NamespaceConfiguration;
use crate::declared::{self, Inventory, Step};

/// A declared resource that is not as the file says, and what the plan does about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedResource {
    /// ARM id of its namespace.
    pub namespace_id: ArmId,
    /// The resource, and the write; or what it waits for, or is refused for.
    pub step: Step,
    /// The same as a sentence.
    pub detail: String,
    /// Without which it is not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl PlannedResource {
    /// What is to be done about everything that the file declares in a namespace, until it is there.
    pub(super) fn all(
        configuration: &NamespaceConfiguration,
        inventory: &Inventory,
        now: OffsetDateTime,
    ) -> impl Iterator<Item = Self> {
        let planned = move |step: Step| {
            let conditions = match step.write() {
                Some(_) => Condition::all(configuration, None, now),
                None => Vec::new(),
            };
            Self { namespace_id: configuration.id.clone(), detail: step.action.to_string(), conditions, step }
        };
        declared::foresee(configuration, inventory).into_iter().map(planned)
    }

    /// Whether it is created or changed.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.step.write().is_some()
    }
}
