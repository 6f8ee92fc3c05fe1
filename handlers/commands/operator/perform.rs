//! Performs a plan, entry by entry, and prints the outcome of each.
//!
//! It reads each group again right before its write, and writes only to the version that the plan saw. So a plan can be
//! performed again after an interruption: entries that were written are not written again.

pub mod declared;

use certificate_management::ArmId;
use certificate_management::configuration::Mode;
use certificate_management::plan::hindrance::Next;
use certificate_management::plan::saved::{PlannedAssignment, SavedPlan, Step};
use certificate_management::plural;
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use serde::Serialize;
use serde_json::json;

use self::declared::PerformedResource;
use crate::assignment::writer::{self, NotWritten, Target, Writer};
use crate::commands::bar::Bar;
use crate::commands::operator::person::Person;
use crate::commands::operator::plan::print;
use crate::commands::operator::plan::survey::{Service, Survey};
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;
use crate::failure;

/// The outcome of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was written and read back.
    Written,
    /// It is as planned already.
    AlreadyAssigned,
    /// The group has changed, or does not allow the write: nothing was written.
    Refused,
    /// A call failed.
    Failed,
}

/// An entry of the plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PerformedEntry {
    namespace_id: ArmId,
    provisioning_service: String,
    enrollment_group: String,
    before: Option<String>,
    after: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the configuration has its namespace in audit mode.
    in_audit: bool,
    reason: Reason,
    detail: String,
}

impl PerformedEntry {
    fn of(entry: &PlannedAssignment, outcome: Outcome, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            namespace_id: entry.namespace_id.clone(),
            provisioning_service: entry.provisioning_service.clone(),
            enrollment_group: entry.enrollment_group.clone(),
            before: entry.before.clone(),
            after: entry.after.clone(),
            outcome,
            in_audit: false,
            reason,
            detail: detail.into(),
        }
    }

    /// Whether the group is as planned, so that no person has to come back to it.
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Written | Outcome::AlreadyAssigned)
    }
}

/// Performs the assignments of a plan, with a line that shows how far it is; a row for each, in their order.
pub async fn perform(writer: &Writer<'_>, plan: &SavedPlan) -> Vec<PerformedEntry> {
    let bar = Bar::start("{bar:24} {pos}/{len} ({elapsed}) {msg}", plan.assignments.len() as u64);
    let begins = |number: usize, entry: &PlannedAssignment| {
        bar.set_position(number as u64);
        bar.set_message(print::name(entry));
    };
    in_silence(writer, plan, begins).await
}

/// The same, for a caller that shows by itself which entry begins.
pub async fn in_silence(
    writer: &Writer<'_>,
    plan: &SavedPlan,
    begins: impl Fn(usize, &PlannedAssignment),
) -> Vec<PerformedEntry> {
    let mut survey = Survey::new(writer.fleet);
    let services = if plan.assignments.is_empty() { Vec::new() } else { survey.services(None).await };
    let mut rows = Vec::new();
    for (number, entry) in plan.assignments.iter().enumerate() {
        begins(number, entry);
        let configuration = writer.fleet.configuration.namespace(&entry.namespace_id);
        let in_audit = configuration.is_some_and(|namespace| namespace.mode == Mode::Audit);
        rows.push(PerformedEntry { in_audit, ..one(&mut survey, writer, &services, entry).await });
    }
    rows
}

async fn one(
    survey: &mut Survey<'_>,
    writer: &Writer<'_>,
    services: &[Service<'_>],
    entry: &PlannedAssignment,
) -> PerformedEntry {
    let service = services.iter().find(|service| {
        service.configuration.id == entry.namespace_id && service.linked.is_named(&entry.provisioning_service)
    });
    let Some(service) = service else {
        let detail = match survey.unreadable.as_slice() {
            [] => "policysync.toml does not have its namespace with this provisioning service".to_owned(),
            problems => problems.join("; "),
        };
        let reason = match survey.unreadable.is_empty() {
            true => Reason::NamespaceNotConfigured,
            false => Reason::GroupUnreadable,
        };
        return PerformedEntry::of(entry, Outcome::Failed, reason, detail);
    };
    let groups = survey.fleet.azure.enrollment_groups(service.linked.generation);
    let group = match groups.get(&service.linked.endpoint, &entry.enrollment_group).await {
        Ok(group) => group,
        Err(error) => {
            let reason = failure::reason(&error, About::EnrollmentGroup);
            return PerformedEntry::of(entry, Outcome::Failed, reason, error.to_string());
        }
    };
    let Some(observation) = survey.observation(service.configuration).await else {
        let detail = survey.unreadable.last().cloned().unwrap_or_default();
        return PerformedEntry::of(entry, Outcome::Failed, Reason::NamespaceUnreadable, detail);
    };
    let step = entry.recheck(group.as_ref().map(|group| &group.view), service.place(), &observation);
    let (reason, detail) = match (step, &group) {
        (Step::Done, _) => {
            return PerformedEntry::of(
                entry,
                Outcome::AlreadyAssigned,
                Reason::AlreadyAssigned,
                "nothing to do",
            );
        }
        (Step::Refuse { reason, detail }, _) => (reason, detail),
        (Step::Write, None) => (Reason::GroupGone, Reason::GroupGone.meaning().to_owned()),
        (Step::Write, Some(group)) => {
            let target = Target::Existing(group);
            match writer.perform(service.configuration, &service.linked, target, entry).await {
                writer::Outcome::Written { unrecorded } => {
                    let detail = with(entry.detail.clone(), unrecorded);
                    return PerformedEntry::of(entry, Outcome::Written, entry.reason, detail);
                }
                // A person approved the plan for the group as it was, so the command does not decide again.
                writer::Outcome::NotWritten(NotWritten {
                    reason, next: Next::DecideAgain, detail, ..
                }) => (reason, detail),
                writer::Outcome::NotWritten(NotWritten { reason, next, detail, unrecorded }) => {
                    let outcome = if next.may_pass() { Outcome::Failed } else { Outcome::Refused };
                    return PerformedEntry::of(entry, outcome, reason, with(detail, unrecorded));
                }
            }
        }
    };
    let unrecorded = writer.refuse(entry, reason, &detail).await;
    PerformedEntry::of(entry, Outcome::Refused, reason, with(detail, unrecorded))
}

/// Adds to a detail why the outcome could not be recorded.
fn with(detail: String, unrecorded: Option<String>) -> String {
    match unrecorded {
        Some(why) => format!("{detail} ({why})"),
        None => detail,
    }
}

/// Records the groups that a plan leaves alone although a person asked for them.
pub async fn record_left_alone(writer: &Writer<'_>, plan: &SavedPlan) {
    for entry in &plan.left_alone {
        if let Some(why) = writer.refuse(entry, entry.reason, &entry.detail).await {
            complain!("{}: {} ({why})", print::name(entry), entry.detail);
        }
    }
}

/// Whether everything is as planned, so that no person has to come back to it.
pub fn is_done(declared: &[PerformedResource], rows: &[PerformedEntry]) -> bool {
    declared.iter().all(PerformedResource::is_done) && rows.iter().all(PerformedEntry::is_done)
}

/// Prints the outcome.
pub fn show(
    person: &Person,
    plan: &SavedPlan,
    declared: &[PerformedResource],
    rows: &[PerformedEntry],
    output: Output,
) {
    if output == Output::Table {
        return screen(declared, rows, &person.about_records()).print();
    }
    let document = json!({
        "schema": "policysync-outcome/v1",
        "run": person.run.to_string(),
        "recordsKept": person.keeps_records,
        "done": is_done(declared, rows),
        "declared": declared,
        "groups": rows,
        "leftAlone": plan.left_alone,
    });
    say!("{}", table::json(&document));
}

/// What a person sees of the outcome.
fn screen(declared: &[PerformedResource], rows: &[PerformedEntry], about_records: &str) -> Screen {
    let count = |wanted: Outcome| rows.iter().filter(|row| row.outcome == wanted).count();
    let verdict = match (rows.is_empty(), declared.is_empty()) {
        (true, true) => "Nothing to do.".to_owned(),
        (true, false) => self::declared::verdict(declared),
        (false, _) => format!(
            "{} written, {} as planned already, {} refused, {} failed.",
            plural::count(count(Outcome::Written), "group"),
            count(Outcome::AlreadyAssigned),
            count(Outcome::Refused),
            count(Outcome::Failed)
        ),
    };
    let tone = if is_done(declared, rows) { Tone::Good } else { Tone::Bad };
    let cells = |row: &PerformedEntry| {
        let outcome = match row.outcome {
            Outcome::Written => "written",
            Outcome::AlreadyAssigned => "already-assigned",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        };
        vec![
            line(&format!("{}/{}", row.provisioning_service, row.enrollment_group)),
            if row.in_audit { format!("{outcome} (audit)") } else { outcome.to_owned() },
            print::policy(&row.namespace_id, row.before.as_deref()),
            print::policy(&row.namespace_id, row.after.as_deref()),
            row.reason.to_string(),
            line(&row.detail),
        ]
    };
    let header = ["group", "outcome", "from", "to", "reason", "detail"];
    let screen = Screen::verdict(tone, verdict)
        .table(self::declared::table(declared))
        .table(Table::of(&header, rows.iter().map(cells)).titled(2).states(1));
    // Only a run that wrote something can be taken back.
    match count(Outcome::Written) > 0 {
        true => screen.text(about_records),
        false => screen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, POLICY, SERVICE};

    fn row(outcome: Outcome, reason: Reason, detail: &str) -> PerformedEntry {
        PerformedEntry {
            namespace_id: ArmId::parse(NAMESPACE).unwrap(),
            provisioning_service: SERVICE.to_owned(),
            enrollment_group: GROUP.to_owned(),
            before: None,
            after: Some(format!("contoso-manufacturing-west-europe/{POLICY}")),
            outcome,
            in_audit: outcome == Outcome::Written,
            reason,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn the_golden_outcome_fits_the_width() {
        let rows = [
            row(Outcome::Written, Reason::Assigned, "its hubs trust the policy"),
            row(
                Outcome::Refused,
                Reason::GroupMoved,
                "the group was changed after the plan was made: its etag is another one",
            ),
        ];
        golden::compare(
            "apply",
            &screen(
                &[],
                &rows,
                "Run 01M85A71M08CPV9XGR0PSFA70F: `policysync assign --revert 01M85A71M08CPV9XGR0PSFA70F` plans the way back.",
            ),
            &[],
        );
        assert_eq!(screen(&[], &[], "").plain(80), "Nothing to do.");
    }
}
