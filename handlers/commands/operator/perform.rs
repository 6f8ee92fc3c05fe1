//! Performs a plan, entry by entry, and tells what became of each.
//!
//! Each entry is looked at again right before its write, and each write holds only for the version that the plan saw. So
//! a plan can be performed again after an interruption: what is done is done.

use certificate_management::plan::saved::{PlannedAssignment, SavedPlan, Step};
use certificate_management::reason::Reason;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::application::Application;
use crate::assignment::journal::Journal;
use crate::assignment::write::{WriteError, reason_of, write};
use crate::commands::operator::person::Person;
use crate::commands::operator::plan::print;
use crate::commands::operator::plan::survey::{Service, Survey};
use crate::commands::table::{self, Output};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was written and read back.
    Written,
    /// It is as planned already.
    AlreadyAssigned,
    /// The world moved, or does not allow it: nothing was written.
    Refused,
    /// A call failed.
    Failed,
}

/// One line of the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    provisioning_service: String,
    enrollment_group: String,
    before: Option<String>,
    after: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    reason: Reason,
    detail: String,
}

impl Row {
    fn of(entry: &PlannedAssignment, outcome: Outcome, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            provisioning_service: entry.provisioning_service.clone(),
            enrollment_group: entry.enrollment_group.clone(),
            before: entry.before.clone(),
            after: entry.after.clone(),
            outcome,
            reason,
            detail: detail.into(),
        }
    }

    /// Whether nobody needs to come back to it.
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Written | Outcome::AlreadyAssigned)
    }
}

/// Performs the assignments of a plan; a row for each, in their order.
pub async fn perform(person: &Person, command: &str, plan: &SavedPlan) -> Vec<Row> {
    let mut survey = Survey::new(&person.application);
    let journal = person.journal(command);
    let services = if plan.assignments.is_empty() { Vec::new() } else { survey.services(None).await };
    let bar = ProgressBar::new(plan.assignments.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("   {bar:30} {pos}/{len} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    let mut rows = Vec::new();
    for entry in &plan.assignments {
        bar.set_message(print::name(entry));
        rows.push(one(&mut survey, &journal, &services, entry).await);
        bar.inc(1);
    }
    bar.finish_and_clear();
    rows
}

async fn one(
    survey: &mut Survey<'_>,
    journal: &Journal<'_>,
    services: &[Service<'_>],
    entry: &PlannedAssignment,
) -> Row {
    let application = survey.application;
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
        return Row::of(entry, Outcome::Failed, reason, detail);
    };
    let endpoint = &service.linked.endpoint;
    let group = match application.azure.enrollment_groups().get(endpoint, &entry.enrollment_group).await {
        Ok(group) => group,
        Err(error) => return Row::of(entry, Outcome::Failed, reason_of(&error), error.to_string()),
    };
    let Some(observation) = survey.observation(service.configuration).await else {
        let detail = survey.unreadable.last().cloned().unwrap_or_default();
        return Row::of(entry, Outcome::Failed, Reason::NamespaceUnreadable, detail);
    };
    let step = entry.recheck(group.as_ref().map(|group| &group.view), service.place(), &observation);
    let (reason, detail) = match (step, &group) {
        (Step::Done, _) => {
            return Row::of(entry, Outcome::AlreadyAssigned, Reason::AlreadyAssigned, "nothing to do");
        }
        (Step::Refuse { reason, detail }, _) => (reason, detail),
        (Step::Write, None) => (Reason::GroupGone, Reason::GroupGone.meaning().to_owned()),
        (Step::Write, Some(group)) => match write(application, journal, endpoint, group, entry).await {
            Ok(()) => return Row::of(entry, Outcome::Written, entry.reason, entry.detail.clone()),
            // It is done; only whoever looks for the record needs to know.
            Err(error @ WriteError::Incomplete(_)) => {
                return Row::of(entry, Outcome::Written, error.reason(), error.to_string());
            }
            Err(error) => match error.reason() {
                reason @ (Reason::GroupMoved
                | Reason::GroupGone
                | Reason::WriteWouldChangeMore
                | Reason::SymmetricKeysUnreadable) => (reason, error.to_string()),
                // The service has refused it, and a person will ask about that later.
                reason @ (Reason::NotPermitted | Reason::ServiceRejected) => {
                    let detail = recorded(journal, application, entry, (reason, error.to_string())).await;
                    return Row::of(entry, Outcome::Failed, reason, detail);
                }
                reason => return Row::of(entry, Outcome::Failed, reason, error.to_string()),
            },
        },
    };
    let detail = recorded(journal, application, entry, (reason, detail)).await;
    Row::of(entry, Outcome::Refused, reason, detail)
}

/// Records a refusal; its detail, with what went wrong about the record.
async fn recorded(
    journal: &Journal<'_>,
    application: &Application,
    entry: &PlannedAssignment,
    (reason, detail): (Reason, String),
) -> String {
    match journal.refused(entry, reason, &detail, application.now()).await {
        Ok(()) => detail,
        Err(error) => format!("{detail} (the refusal could not be recorded: {error})"),
    }
}

/// Records what a plan leaves alone although somebody asked for it.
pub async fn record_left_alone(person: &Person, command: &str, plan: &SavedPlan) {
    let journal = person.journal(command);
    for entry in &plan.left_alone {
        let refusal = (entry.reason, entry.detail.clone());
        let said = recorded(&journal, &person.application, entry, refusal).await;
        if said != entry.detail {
            complain!("{}: {said}", print::name(entry));
        }
    }
}

/// The outcome as text.
pub fn text(person: &Person, plan: &SavedPlan, rows: &[Row], output: Output) -> String {
    let count = |wanted: Outcome| rows.iter().filter(|row| row.outcome == wanted).count();
    if output == Output::Json {
        return table::json(&json!({
            "schema": "policysync-outcome/v1",
            "run": person.run.to_string(),
            "recordsKept": person.keeps_records,
            "done": rows.iter().all(Row::is_done),
            "groups": rows,
            "leftAlone": plan.left_alone,
        }));
    }
    if rows.is_empty() {
        return "Nothing to do.".to_owned();
    }
    let cells = |row: &Row| {
        let outcome = match row.outcome {
            Outcome::Written => "written",
            Outcome::AlreadyAssigned => "already-assigned",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        };
        vec![
            format!("{}/{}", row.provisioning_service, row.enrollment_group),
            print::policy(row.before.as_deref()),
            print::policy(row.after.as_deref()),
            outcome.to_owned(),
            row.reason.to_string(),
            table::wrapped(&row.detail, 60),
        ]
    };
    let header = ["group", "from", "to", "outcome", "reason", "detail"];
    format!(
        "{}\n\n{} written, {} as planned already, {} refused, {} failed.{}",
        table::table(&header, rows.iter().map(cells).collect()),
        count(Outcome::Written),
        count(Outcome::AlreadyAssigned),
        count(Outcome::Refused),
        count(Outcome::Failed),
        // There is no way back from nothing.
        if count(Outcome::Written) > 0 { format!("\n{}", person.about_records()) } else { String::new() }
    )
}
