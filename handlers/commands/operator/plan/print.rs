//! Shows a plan to the person who is to approve it.

use certificate_management::ArmId;
use certificate_management::configuration::Mode;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::saved::{PlannedAssignment, PlannedResource, SavedPlan};
use certificate_management::reason::Reason;

use crate::commands::table::{self, Output};
use crate::commands::terminal::line;
use crate::fleet::Fleet;

/// The plan as text.
pub fn text(fleet: &Fleet, plan: &SavedPlan, output: Output) -> String {
    if output == Output::Json {
        return table::json(plan);
    }
    let mut parts = Vec::new();
    if !plan.declared.is_empty() {
        let header = ["authority or policy", "do", "detail"];
        let row = |planned: &PlannedResource| {
            vec![
                line(&format!("{}/{}", planned.namespace_id.name(), planned.step.resource)),
                planned.step.action.word().to_owned(),
                wrapped(&line(&planned.detail)),
            ]
        };
        parts.push(table::table(&header, plan.declared.iter().map(row).collect()));
    }
    if plan.assignments.is_empty() {
        parts.push("No assignment would be written.".to_owned());
    } else {
        let header = ["would be written", "from", "to", "by", "detail"];
        let row = |entry: &PlannedAssignment| {
            vec![
                name(entry),
                policy(entry.before.as_deref()),
                policy(entry.after.as_deref()),
                table::wrapped(&line(&entry.rule), 30),
                wrapped(&entry.detail),
            ]
        };
        parts.push(table::table(&header, plan.assignments.iter().map(row).collect()));
    }
    if !plan.left_alone.is_empty() {
        let header = ["left alone", "has", "wanted", "reason", "detail"];
        let row = |entry: &PlannedAssignment| {
            vec![
                name(entry),
                policy(entry.before.as_deref()),
                policy(entry.after.as_deref()),
                entry.reason.to_string(),
                wrapped(&entry.detail),
            ]
        };
        parts.push(table::table(&header, plan.left_alone.iter().map(row).collect()));
    }
    for sync in &plan.syncs {
        parts.push(format!(
            "A sync of {} is needed:\n  {}\nIt is not part of the plan, since it cannot be undone. {}",
            sync.namespace_id.name(),
            sync.untrusting.join("\n  "),
            next_step::of(Reason::PolicyMissing, &situation(fleet, &sync.namespace_id))
        ));
    }
    if !plan.unreadable.is_empty() {
        parts.push(format!("Not everything could be read:\n  {}", plan.unreadable.join("\n  ")));
    }
    let to_declare = plan.declared.iter().filter(|planned| planned.is_written()).count();
    if to_declare > 0 {
        parts.push(format!("{to_declare} authorities and policies to create or change."));
    }
    parts.push(format!(
        "{} to write, {} left alone, {} as they should be.",
        plan.assignments.len(),
        plan.left_alone.len(),
        plan.unchanged
    ));
    parts.join("\n\n")
}

fn situation<'f>(fleet: &'f Fleet, namespace: &ArmId) -> Situation<'f> {
    match fleet.configuration.namespace(namespace) {
        Some(configuration) => {
            Situation::of(configuration, fleet.kill_switch, Caller::Person).at(fleet.now())
        }
        None => Situation::of_fleet(fleet.kill_switch, Caller::Person),
    }
}

/// Whether a namespace that the plan writes to is in audit mode by the file.
pub fn is_in_audit(fleet: &Fleet, plan: &SavedPlan) -> bool {
    let written = plan.assignments.iter().map(|entry| &entry.namespace_id);
    let declared = plan.declared.iter().filter(|planned| planned.is_written());
    let mut all = written.chain(declared.map(|planned| &planned.namespace_id));
    all.any(|id| fleet.configuration.namespace(id).is_some_and(|namespace| namespace.mode == Mode::Audit))
}

/// A group by both of its names.
pub fn name(entry: &PlannedAssignment) -> String {
    line(&format!("{}/{}", entry.provisioning_service, entry.enrollment_group))
}

/// A policy, or that there is none.
pub fn policy(name: Option<&str>) -> String {
    line(name.unwrap_or("(none)"))
}

fn wrapped(text: &str) -> String {
    table::wrapped(text, 60)
}
