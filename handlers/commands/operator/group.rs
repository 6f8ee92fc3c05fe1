//! `group create`: a new enrollment group with its policy in one write, so that no device ever provisions through it
//! without one. Without `--apply` it prints the plan. A group that exists is never touched.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use azure::{CreateError, Group, RawGroup};
use certificate_management::model::{EnrollmentGroup, Policy};
use certificate_management::plan::saved::{PlannedAssignment, SavedPlan, Wish};
use certificate_management::reason::Reason;
use clap::{Args, Subcommand};
use serde_json::json;

use super::assign::Problem;
use super::fail;
use super::person::{self, Person};
use super::plan;
use super::plan::survey::{Service, Survey};
use super::table::{self, Output};
use crate::assignment::journal::Journal;
use crate::assignment::write::reason_of;

/// Largest file that is read, in bytes; the service takes less.
const LARGEST_FILE: u64 = 1024 * 1024;

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new enrollment group with the policy that the rules name, or that --policy names.
    Create(Create),
}

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 the group would be created, with --apply: it was; 1 refused or failed; 64 wrong usage."
)]
struct Create {
    /// The group as JSON, as the service API of DPS takes it.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The policy; without it the file's own, or else what the rules say.
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// The provisioning service; needed where policysync.toml has several.
    #[arg(long, value_name = "DPS")]
    dps: Option<String>,
    /// Create it.
    #[arg(long)]
    apply: bool,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let Command::Create(arguments) = arguments.command;
    let person = match person::start() {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    match create(&person, &arguments).await {
        Ok(exit_code) => exit_code,
        Err(problem) => problem.tell(),
    }
}

async fn create(person: &Person, arguments: &Create) -> Result<ExitCode, Problem> {
    let group = read(&arguments.file)?;
    let mut survey = Survey::new(&person.application);
    let service = service(&mut survey, arguments.dps.as_deref()).await?;
    let entry = planned(&mut survey, &service, &group.view, arguments.policy.as_deref()).await?;
    let refused = !matches!(entry.reason, Reason::Assigned | Reason::RuleSaysNone | Reason::OptedOut);
    let journal = person.journal("group create");
    if refused && arguments.apply {
        record_refusal(person, &journal, &entry, entry.reason, &entry.detail).await;
    }
    if refused || !arguments.apply {
        show(person, &entry, if refused { "refused" } else { "planned" }, arguments.output);
        return Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let raw = match &entry.after {
        Some(policy) => group.raw.with_policy(policy),
        None => Some(group.raw.without_policy()),
    };
    let Some(raw) = raw else {
        let named = entry.after.as_deref().unwrap_or_default();
        return Err(Problem::Usage(format!("`{named}` is no whole reference to a policy")));
    };
    let record = journal.planned(&entry, person.application.now()).await;
    let record = record.map_err(|error| {
        Problem::Failed(format!("the creation could not be recorded, so it was not made: {error}"))
    })?;
    let groups = person.application.azure.enrollment_groups();
    let created = match groups.create(&service.linked.endpoint, &raw).await {
        Ok(created) => created,
        Err(error) => {
            let reason = match &error {
                CreateError::Exists(_) => Reason::GroupExists,
                CreateError::NotVerified { .. } => Reason::ServiceRejected,
                CreateError::Service(error) => reason_of(error),
            };
            if reason != Reason::ServiceUnavailable {
                record_refusal(person, &journal, &entry, reason, &error.to_string()).await;
            }
            return Err(Problem::Failed(format!("{reason}: {error}")));
        }
    };
    if let Err(error) = journal.written(record, created.view.etag).await {
        complain!("the group was created, but its record could not be completed: {error}");
    }
    show(person, &entry, "created", arguments.output);
    Ok(ExitCode::SUCCESS)
}

async fn record_refusal(
    person: &Person,
    journal: &Journal<'_>,
    entry: &PlannedAssignment,
    reason: Reason,
    detail: &str,
) {
    if let Err(error) = journal.refused(entry, reason, detail, person.application.now()).await {
        complain!("the refusal could not be recorded: {error}");
    }
}

fn read(path: &Path) -> Result<Group, Problem> {
    let place = path.display();
    let unreadable = |error: std::io::Error| Problem::Failed(format!("cannot read {place}: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_FILE {
        return Err(Problem::Failed(format!("{place} is larger than {LARGEST_FILE} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    // The text may hold keys, so the parser's words, which repeat some of it, are not shown.
    let raw = RawGroup::parse(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::Usage(format!("{place}: at {line}:{column} it is not one JSON object with each member once"))
    })?;
    Group::of(raw).ok_or_else(|| Problem::Usage(format!("{place}: it has no enrollmentGroupId")))
}

/// The DPS that is to have the group.
async fn service<'a>(survey: &mut Survey<'a>, name: Option<&str>) -> Result<Service<'a>, Problem> {
    let mut services = survey.services(name).await;
    if !survey.unreadable.is_empty() {
        return Err(Problem::Failed(survey.unreadable.join("\n")));
    }
    match (services.len(), name) {
        (1, _) => Ok(services.remove(0)),
        (0, Some(name)) => {
            Err(Problem::Usage(format!("policysync.toml has no provisioning service `{name}`")))
        }
        (0, None) => Err(Problem::Failed("policysync.toml has no provisioning service".to_owned())),
        _ => {
            let places = services
                .iter()
                .map(|service| format!("  {}  in {}", service.linked.name, service.configuration.id));
            Err(Problem::Usage(format!(
                "there are {} provisioning services; name one with --dps:\n{}",
                services.len(),
                places.collect::<Vec<_>>().join("\n")
            )))
        }
    }
}

/// What the group is to have, and whether it may. `Failed` when the world cannot be read.
async fn planned(
    survey: &mut Survey<'_>,
    service: &Service<'_>,
    view: &EnrollmentGroup,
    policy: Option<&str>,
) -> Result<PlannedAssignment, Problem> {
    let groups = survey.application.azure.enrollment_groups();
    let existing = groups.get(&service.linked.endpoint, &view.id).await.map_err(|error| {
        Problem::Failed(format!("whether the group exists cannot be told: {}: {error}", reason_of(&error)))
    })?;
    let wanted = match (policy, &view.policy) {
        (Some(flag), Some(own)) if !flag.eq_ignore_ascii_case(own) => {
            return Err(Problem::Usage(format!("--policy says `{flag}`, and the file says `{own}`")));
        }
        (flag, own) => flag.map(str::to_owned).or_else(|| own.clone()),
    };
    let origin = "the person who creates it";
    let mut plan: SavedPlan = plan::empty(survey.application);
    if let Some(existing) = existing {
        let wish = Wish { policy: wanted.as_deref(), origin };
        let refusal = (Reason::GroupExists, Reason::GroupExists.meaning().to_owned());
        plan.add_refused(service.place(), &existing.view, wish, refusal);
        return plan.left_alone.pop().ok_or_else(|| Problem::Failed("nothing was planned".to_owned()));
    }
    let Some(observation) = survey.observation(service.configuration).await else {
        return Err(Problem::Failed(survey.unreadable.join("\n")));
    };
    // A person may name a policy without its certificate authority.
    let in_full = |name: String| observation.policy_named(&name).map(Policy::reference).unwrap_or(name);
    let wanted = wanted.map(in_full);
    let new = EnrollmentGroup { policy: None, etag: None, ..view.clone() };
    match wanted.as_deref() {
        Some(policy) => {
            let wish = Wish { policy: Some(policy), origin };
            plan.add_by_wish(service.place(), &new, wish, &observation);
        }
        None => plan.add_by_rules(service.place(), &new, &observation),
    }
    let entry = plan.assignments.pop().or_else(|| plan.left_alone.pop());
    // Rules that say `none` lead to a group without a policy, of which a plan only counts.
    Ok(entry.unwrap_or_else(|| PlannedAssignment {
        namespace_id: service.configuration.id.clone(),
        provisioning_service: service.linked.name.clone(),
        enrollment_group: new.id.clone(),
        before: None,
        after: None,
        etag: None,
        rule: "the rules say none".to_owned(),
        reason: Reason::RuleSaysNone,
        detail: Reason::RuleSaysNone.meaning().to_owned(),
        policy_ca_not_after: None,
        untrusting_hubs: Vec::new(),
    }))
}

fn show(person: &Person, entry: &PlannedAssignment, outcome: &str, output: Output) {
    if output == Output::Json {
        let document = json!({
            "schema": "policysync-creation/v1",
            "outcome": outcome,
            "run": person.run.to_string(),
            "nextStep": entry.reason.next_step(),
            "group": entry,
        });
        return say!("{}", table::json(&document));
    }
    let rows = [
        ("group", format!("{}/{}", entry.provisioning_service, entry.enrollment_group)),
        ("policy", plan::print::policy(entry.after.as_deref())),
        ("by", entry.rule.clone()),
        ("outcome", outcome.to_owned()),
        ("reason", format!("{}: {}", entry.reason, entry.detail)),
        ("next step", entry.reason.next_step().to_owned()),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), table::wrapped(&value, 90)]).to_vec();
    say!("{}", table::table(&["creation", ""], rows));
    match outcome {
        "planned" => say!("\nNothing was written: the same with --apply creates it."),
        "created" => say!("\n{}", person.about_records()),
        _ => {}
    }
}
