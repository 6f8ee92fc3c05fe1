//! Performs what a plan has of authorities and policies, before the assignments that may need them.
//!
//! It looks again, and does only those writes that are still what the plan said; of the others it says what they are now.

use certificate_management::ArmId;
use certificate_management::configuration::Mode;
use certificate_management::declared::{Action, Resource, Step};
use certificate_management::plan::saved::SavedPlan;
use certificate_management::plural;
use serde::Serialize;

use crate::authorities::Authorities;
use crate::authorities::pass::Passes;
use crate::commands::operator::declaring::Declaring;
use crate::commands::table::Table;
use crate::commands::terminal::line;

/// The outcome of a write to an authority or a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The service has done it.
    Written,
    /// It is as declared already.
    AsDeclared,
    /// What is to be done is not what the plan said: nothing was written.
    Refused,
    /// The write, or a look, failed, or did not come to an end in time.
    Failed,
}

/// An authority or a policy of the plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PerformedResource {
    namespace_id: ArmId,
    #[serde(flatten)]
    resource: Resource,
    /// The outcome.
    outcome: Outcome,
    /// Whether the configuration has its namespace in audit mode.
    in_audit: bool,
    detail: String,
}

impl PerformedResource {
    /// Whether it is as planned, so that no person has to come back to it.
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Written | Outcome::AsDeclared)
    }
}

/// Performs the writes to authorities and policies of a plan; a row for each, and one for each write that the plan lacks.
pub async fn perform(authorities: &Authorities<'_>, plan: &SavedPlan, tells: bool) -> Vec<PerformedResource> {
    let mut rows = Vec::new();
    for namespace in plan.declaring_namespaces() {
        let planned: Vec<Step> = plan.declared_writes(namespace).cloned().collect();
        let configuration = authorities.fleet.configuration.namespace(namespace);
        let in_audit = configuration.is_some_and(|configuration| configuration.mode == Mode::Audit);
        let row = |(resource, outcome, detail)| PerformedResource {
            namespace_id: namespace.clone(),
            resource,
            outcome,
            in_audit,
            detail,
        };
        let failed = |why: &str| {
            planned.iter().map(|step| (step.resource.clone(), Outcome::Failed, why.to_owned())).collect()
        };
        let outcomes: Vec<_> = match configuration {
            None => failed("policysync.toml does not have its namespace"),
            Some(configuration) => {
                let run = Declaring::of(authorities, configuration).telling(tells);
                let mut run = run.only(planned.clone());
                match run.go_on().await {
                    Ok(steps) => outcomes(&planned, &steps, &run.passes),
                    Err(error) => failed(&error.to_string()),
                }
            }
        };
        rows.extend(outcomes.into_iter().map(row));
    }
    rows
}

/// What became of each planned write, and of those that are to be done and that the plan lacks, by the last look of the run.
fn outcomes(planned: &[Step], steps: &[Step], passes: &Passes) -> Vec<(Resource, Outcome, String)> {
    let mut outcomes: Vec<_> = planned.iter().map(|step| outcome(step, steps, passes)).collect();
    let is_planned = |step: &&Step| planned.iter().any(|one| one.resource.is(&step.resource));
    for step in steps.iter().filter(|step| step.write().is_some() && !is_planned(step)) {
        let detail = format!("it is not in the plan: {}", step.action);
        outcomes.push((step.resource.clone(), Outcome::Refused, detail));
    }
    outcomes
}

fn outcome(planned: &Step, steps: &[Step], passes: &Passes) -> (Resource, Outcome, String) {
    let resource = planned.resource.clone();
    let now = steps.iter().find(|step| step.resource.is(&resource)).map(|step| &step.action);
    let is_taken = passes.taken.contains(&resource);
    let (outcome, detail) = match now {
        Some(Action::Keep) if is_taken => (Outcome::Written, planned.action.to_string()),
        Some(Action::Keep) => (Outcome::AsDeclared, "nothing to do".to_owned()),
        _ if passes.failed.contains_key(&resource) => (Outcome::Failed, passes.failed[&resource].why.clone()),
        // What a person has to do next is no failure of what was planned.
        Some(Action::Wait { on }) if is_taken && on.next_step().is_some() => {
            (Outcome::Written, format!("{}; {on}", planned.action))
        }
        Some(action) if is_taken => {
            (Outcome::Failed, format!("the service has taken it, and then: {action}"))
        }
        Some(action) => (Outcome::Refused, format!("the plan says: {}; now: {action}", planned.action)),
        None => (Outcome::Refused, "policysync.toml does not declare it any more".to_owned()),
    };
    (resource, outcome, detail)
}

/// The outcome in a sentence.
pub fn verdict(rows: &[PerformedResource]) -> String {
    let count = |wanted: Outcome| rows.iter().filter(|row| row.outcome == wanted).count();
    let written = count(Outcome::Written);
    format!(
        "{written} {} written, {} as declared already, {} refused, {} failed.",
        plural::agreeing(written, "authority or policy", "authorities and policies"),
        count(Outcome::AsDeclared),
        count(Outcome::Refused),
        count(Outcome::Failed)
    )
}

/// The rows as a table.
pub fn table(rows: &[PerformedResource]) -> Table {
    let cells = |row: &PerformedResource| {
        let outcome = match row.outcome {
            Outcome::Written => "written",
            Outcome::AsDeclared => "as-declared",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        };
        vec![
            line(&format!("{}/{}", row.namespace_id.name(), row.resource)),
            if row.in_audit { format!("{outcome} (audit)") } else { outcome.to_owned() },
            line(&row.detail),
        ]
    };
    Table::of(&["authority or policy", "outcome", "detail"], rows.iter().map(cells)).titled(2).states(1)
}

#[cfg(test)]
mod tests {
    use certificate_management::declared::{Hindrance, Waiting, Write};

    use super::*;
    use crate::authorities::NotWritten;

    fn policy() -> Resource {
        Resource::Policy { name: "short-lived".to_owned(), authority: None }
    }

    fn step(action: Action) -> Step {
        Step { resource: policy(), action }
    }

    fn change(from: u32) -> Action {
        Action::Write(Write::LeafValidity { from, to: 10 })
    }

    #[test]
    fn each_way_that_a_planned_write_can_end_has_its_outcome() {
        let signature = || Action::Wait { on: Waiting::Signature { of: "short-lived".to_owned() } };
        let service = || Action::Wait { on: Waiting::Service { state: "Accepted".to_owned() } };
        let refused = || Action::Refuse { because: Hindrance::Failed { state: "Failed".to_owned() } };
        let (taken, not_taken) = (true, false);
        for (is_taken, fails, now, expected) in [
            (taken, false, Some(Action::Keep), Outcome::Written),
            (not_taken, false, Some(Action::Keep), Outcome::AsDeclared),
            (not_taken, true, Some(change(30)), Outcome::Failed),
            (not_taken, true, Some(Action::Keep), Outcome::AsDeclared),
            (taken, true, Some(refused()), Outcome::Failed),
            (taken, false, Some(signature()), Outcome::Written),
            (taken, false, Some(service()), Outcome::Failed),
            (not_taken, false, Some(change(25)), Outcome::Refused),
            (not_taken, false, Some(signature()), Outcome::Refused),
            (not_taken, false, None, Outcome::Refused),
        ] {
            let mut passes = Passes::default();
            passes.taken.extend(is_taken.then(policy));
            let failure = NotWritten { why: "400".to_owned(), may_pass: false };
            passes.failed.extend(fails.then(|| (policy(), failure)));
            let steps: Vec<Step> = now.clone().map(step).into_iter().collect();
            let (_, outcome, detail) = outcome(&step(change(30)), &steps, &passes);
            assert_eq!(outcome, expected, "{is_taken} {fails} {now:?}: {detail}");
        }
        let moved = outcomes(&[step(change(30))], &[step(change(25))], &Passes::default());
        assert!(moved[0].2.contains("instead of 30") && moved[0].2.contains("instead of 25"), "{moved:?}");
    }

    #[test]
    fn a_write_that_the_plan_lacks_is_told_and_not_done() {
        let other = Step { resource: Resource::Credential, action: change(1) };
        let outcomes = outcomes(&[step(change(30))], &[step(Action::Keep), other], &Passes::default());
        let told: Vec<_> = outcomes.iter().map(|(resource, outcome, _)| (resource, *outcome)).collect();
        assert_eq!(told, [(&policy(), Outcome::AsDeclared), (&Resource::Credential, Outcome::Refused)]);
    }
}
