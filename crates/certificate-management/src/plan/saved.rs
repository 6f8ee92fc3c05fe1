//! A plan that a person can read, keep, approve and have performed later: `policysync-plan/v1`.
//!
//! It holds what was seen when it was made, so that `apply` can tell whether a group has changed since. `apply`
//! performs [`SavedPlan::declared`] and [`SavedPlan::assignments`] only; the rest says why other groups are not among them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::condition::{Condition, Demands};
pub use super::declared::PlannedResource;
pub use super::entry::{Place, Planned, PlannedAssignment, Step, Wish};
use super::{Observation, plan_assignment};
use crate::ArmId;
use crate::configuration::NamespaceConfiguration;
use crate::declared::{self, Inventory};
use crate::digest;
use crate::hold::Hold;
use crate::model::EnrollmentGroup;
use crate::reason::Reason;

/// The schema of a saved plan.
pub const PLAN_SCHEMA: &str = "policysync-plan/v1";

/// How many bytes of its SHA-256 name a plan.
const HASH: usize = 16;

/// A plan as it is saved. A plan with an unknown member is refused: `apply` performs a plan exactly or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// The version of Policysync that made it.
    pub tool_version: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// The authorities and policies that the file declares and that are not as it says: the writes in the order that the
    /// service needs, and what waits or is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<PlannedResource>,
    /// The writes to enrollment groups.
    pub assignments: Vec<PlannedAssignment>,
    /// The groups that are not written although a reader may expect it, and why.
    pub left_alone: Vec<PlannedAssignment>,
    /// How many groups are as they should be.
    pub unchanged: usize,
    /// The namespaces where a hub does not trust a policy. A person asks for the sync separately, since it cannot be
    /// undone.
    pub syncs: Vec<NeededSync>,
    /// What could not be read, each as a sentence. The plan has no entry for it.
    pub unreadable: Vec<String>,
}

/// A namespace that needs a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NeededSync {
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The policies that hubs do not trust, e.g. `short-lived on hub-a: stale`.
    pub untrusting: Vec<String>,
}

impl SavedPlan {
    /// A plan without entries.
    #[must_use]
    pub fn empty(tool_version: &str, made_at: OffsetDateTime) -> Self {
        Self {
            schema: PLAN_SCHEMA.to_owned(),
            tool_version: tool_version.to_owned(),
            made_at,
            declared: Vec::new(),
            assignments: Vec::new(),
            left_alone: Vec::new(),
            unchanged: 0,
            syncs: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Adds what is to be done about everything that the file declares in a namespace, until it is there.
    pub fn add_declared(&mut self, configuration: &NamespaceConfiguration, inventory: &Inventory) {
        self.declared.extend(PlannedResource::all(configuration, inventory, self.made_at));
    }

    /// The hash by which records name this plan: the same for the same plan, however its file is laid out.
    #[must_use]
    pub fn hash(&self) -> String {
        // A plan is made of texts, numbers and lists: it is always JSON.
        digest::of::<HASH>(serde_json::to_string(self).unwrap_or_default())
    }

    /// Leaves alone each group that a hold keeps from being written. `hold` finds it, by the names of the DPS and of the group.
    pub fn leave_held<'h>(&mut self, hold: impl Fn(&str, &str) -> Option<&'h Hold>, reverts: Option<&str>) {
        let planned = std::mem::take(&mut self.assignments);
        for mut entry in planned {
            match hold(&entry.provisioning_service, &entry.enrollment_group) {
                Some(hold) if reverts.is_none() || hold.reverts.as_deref() != reverts => {
                    entry.reason = Reason::Held;
                    entry.detail = hold.why();
                    entry.conditions.clear();
                    self.left_alone.push(entry);
                }
                _ => self.assignments.push(entry),
            }
        }
    }

    /// What it asks of the person who has it performed.
    #[must_use]
    pub fn demands(&self) -> Demands {
        let assignments = self.assignments.iter().map(|entry| (&entry.namespace_id, &entry.conditions));
        let declared = self.declared.iter().filter(|planned| planned.is_written());
        let declared = declared.map(|planned| (&planned.namespace_id, &planned.conditions));
        let each = declared.chain(assignments).map(|(id, conditions)| Demands::of_write(id, conditions));
        each.fold(Demands::default(), Demands::and)
    }

    /// The writes to declared resources of a namespace, in the order that the service needs.
    pub fn declared_writes(&self, namespace: &ArmId) -> impl Iterator<Item = &declared::Step> {
        let planned = self.declared.iter().filter(move |planned| planned.namespace_id == *namespace);
        planned.filter(|planned| planned.is_written()).map(|planned| &planned.step)
    }

    /// The namespaces with a write to a declared resource, each once.
    #[must_use]
    pub fn declaring_namespaces(&self) -> Vec<&ArmId> {
        let mut found: Vec<&ArmId> = Vec::new();
        for planned in self.declared.iter().filter(|planned| planned.is_written()) {
            if !found.contains(&&planned.namespace_id) {
                found.push(&planned.namespace_id);
            }
        }
        found
    }

    /// Adds a group as the rules want it.
    pub fn add_by_rules(&mut self, place: Place<'_>, group: &EnrollmentGroup, observation: &Observation) {
        let plan = plan_assignment(group, place.hubs, place.configuration, observation);
        if plan.write.is_none() && self.add_by_migration(place, group, observation) {
            return;
        }
        self.add(place, group, PlannedAssignment::by_rules(place, group, &plan, observation));
    }

    /// Adds a group that names a policy for which `[[namespace.migration]]` states a successor; answers whether it does. A
    /// group that is not moved is left alone with the reason.
    pub fn add_by_migration(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        observation: &Observation,
    ) -> bool {
        let successor =
            group.policy.as_deref().and_then(|name| observation.successor(place.configuration, name));
        let origin = "[[namespace.migration]]";
        match successor {
            None => return false,
            Some(Ok(policy)) => {
                let reference = policy.reference();
                self.add_by_wish(place, group, Wish { policy: Some(&reference), origin }, observation);
            }
            Some(Err(refusal)) => {
                let to = group.policy.as_deref().and_then(|name| place.configuration.migration(name));
                let wish = Wish { policy: to.map(|migration| migration.to.as_str()), origin };
                self.add_refused(place, group, wish, refusal);
            }
        }
        true
    }

    /// Adds a group as a person wants it: [`PlannedAssignment::by_wish`].
    pub fn add_by_wish(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
    ) {
        self.add(place, group, PlannedAssignment::by_wish(place, group, wish, observation));
    }

    /// Adds a group as a person wants it who takes an assignment back, and holds the group then: [`PlannedAssignment::by_revert`].
    pub fn add_by_revert(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        observation: &Observation,
    ) {
        self.add(place, group, PlannedAssignment::by_revert(place, group, wish, observation));
    }

    /// Adds a group that is not written, whatever the rules or a person want.
    pub fn add_refused(
        &mut self,
        place: Place<'_>,
        group: &EnrollmentGroup,
        wish: Wish<'_>,
        refusal: (Reason, String),
    ) {
        self.left_alone.push(PlannedAssignment::refused(place, group, wish, refusal));
    }

    /// Adds the sync that a namespace needs, if it does.
    pub fn add_sync(&mut self, configuration: &NamespaceConfiguration, observation: &Observation) {
        let pairs = observation.pairs();
        let untrusting = pairs.iter().filter(|pair| pair.needs_sync());
        let untrusting: Vec<String> = untrusting
            .map(|pair| format!("{} on {}: {}", pair.policy.name, pair.hub.name, pair.assessment.why))
            .collect();
        if !untrusting.is_empty() {
            self.syncs.push(NeededSync { namespace_id: configuration.id.clone(), untrusting });
        }
    }

    fn add(&mut self, place: Place<'_>, group: &EnrollmentGroup, planned: Planned) {
        let Planned { mut entry, writes } = planned;
        match entry.reason {
            _ if writes => {
                entry.conditions = Condition::all(place.configuration, Some(&group.tags), self.made_at);
                self.assignments.push(entry);
            }
            Reason::AlreadyAssigned | Reason::RuleSaysNone => self.unchanged += 1,
            _ => self.left_alone.push(entry),
        }
    }
}
