//! Shows a plan to the person who is to approve it.

use certificate_management::plan::saved::{PlannedAssignment, PlannedResource, SavedPlan};

use crate::commands::table::{self, Output};
use crate::commands::terminal::line;

/// The plan as text.
pub fn text(plan: &SavedPlan, output: Output) -> String {
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
            "A sync is needed:\n  {}\nIt is not part of the plan, since it cannot be undone. Ask for it with\n  \
             policysync submit --namespace {}",
            sync.untrusting.join("\n  "),
            sync.namespace_id
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
