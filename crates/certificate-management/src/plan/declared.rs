//! What a saved plan has of the authorities and policies that the file declares.

use serde::{Deserialize, Serialize};

use super::saved::{IN_AUDIT, SavedPlan};
use crate::ArmId;
use crate::configuration::{Mode, NamespaceConfiguration};
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
}

impl SavedPlan {
    /// Adds what is to be done about everything that the file declares in a namespace, until it is there.
    pub fn add_declared(&mut self, configuration: &NamespaceConfiguration, inventory: &Inventory) {
        let is_in_audit = configuration.mode == Mode::Audit;
        let planned = |step: Step| {
            let note = if is_in_audit && step.write().is_some() { IN_AUDIT } else { "" };
            let detail = format!("{}{note}", step.action);
            PlannedResource { namespace_id: configuration.id.clone(), detail, step }
        };
        self.declared.extend(declared::foresee(configuration, inventory).into_iter().map(planned));
    }

    /// The writes to declared resources of a namespace, in the order that the service needs.
    pub fn declared_writes(&self, namespace: &ArmId) -> impl Iterator<Item = &Step> {
        let planned = self.declared.iter().filter(move |planned| planned.namespace_id == *namespace);
        planned.map(|planned| &planned.step).filter(|step| step.write().is_some())
    }

    /// The namespaces with a write to a declared resource, each once.
    #[must_use]
    pub fn declaring_namespaces(&self) -> Vec<&ArmId> {
        let mut found: Vec<&ArmId> = Vec::new();
        for planned in self.declared.iter().filter(|planned| planned.step.write().is_some()) {
            if !found.contains(&&planned.namespace_id) {
                found.push(&planned.namespace_id);
            }
        }
        found
    }
}
