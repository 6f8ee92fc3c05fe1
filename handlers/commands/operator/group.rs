//! `group create`: creates an enrollment group with its policy in one write, so that no device ever provisions through
//! it without one. Without `--apply` it prints the plan. It never touches a group that exists.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use azure::{Group, RawGroup};
use certificate_management::configuration::Mode;
use certificate_management::model::{EnrollmentGroup, Policy};
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::plan_assignment;
use certificate_management::plan::saved::{PlannedAssignment, Wish};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use clap::{Args, Subcommand};
use serde_json::json;

use super::command_failure::CommandFailure;
use super::fail;
use super::intent::Intent;
use super::person::{self, Person};
use super::plan;
use super::plan::survey::{Service, Survey};
use super::screen::Screen;
use super::table::{self, Output, Table};
use super::terminal::line;
use super::tone::Tone;
use crate::assignment::writer::{NotWritten, Outcome, Target};
use crate::failure;

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
    /// Create it also where policysync.toml has the namespace in audit mode.
    #[arg(long, requires = "apply")]
    even_in_audit: bool,
    #[command(flatten)]
    intent: Intent,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let Command::Create(arguments) = arguments.command;
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    match create(&person, &arguments).await {
        Ok(exit_code) => exit_code,
        Err(failure) => failure.tell(),
    }
}

async fn create(person: &Person, arguments: &Create) -> Result<ExitCode, CommandFailure> {
    if arguments.apply {
        person.may_write().map_err(CommandFailure::Failed)?;
    }
    let group = read(&arguments.file)?;
    let mut survey = Survey::new(&person.fleet);
    let service = service(&mut survey, arguments.dps.as_deref()).await?;
    let mut entry = planned(&mut survey, &service, &group.view, arguments.policy.as_deref()).await?;
    let writer = person.writer("group create", arguments.even_in_audit, &arguments.intent, None);
    let creation = |outcome| Creation { person, service: &service, outcome };
    if !matches!(entry.reason, Reason::Assigned | Reason::RuleSaysNone | Reason::OptedOut) {
        if arguments.apply {
            writer
                .refuse(&entry, entry.reason, &entry.detail)
                .await
                .iter()
                .for_each(|why| complain!("{why}"));
        }
        creation("refused").show(&entry, arguments.output);
        return Ok(ExitCode::FAILURE);
    }
    if !arguments.apply {
        creation("planned").show(&entry, arguments.output);
        return Ok(ExitCode::SUCCESS);
    }
    match writer.perform(service.configuration, &service.linked, Target::New(&group), &entry).await {
        Outcome::Written { unrecorded } => {
            unrecorded.iter().for_each(|why| complain!("{why}"));
            creation("created").show(&entry, arguments.output);
            Ok(ExitCode::SUCCESS)
        }
        Outcome::NotWritten(NotWritten { reason, next, detail, unrecorded }) => {
            unrecorded.iter().for_each(|why| complain!("{why}"));
            (entry.reason, entry.detail) = (reason, detail);
            creation(if next.may_pass() { "failed" } else { "refused" }).show(&entry, arguments.output);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(path: &Path) -> Result<Group, CommandFailure> {
    let place = path.display();
    let unreadable = |error: std::io::Error| CommandFailure::Failed(format!("cannot read {place}: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_FILE {
        return Err(CommandFailure::Failed(format!("{place} is larger than {LARGEST_FILE} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    // The text may hold keys, and the parser's message repeats some of it, so the error leaves that out.
    let raw = RawGroup::parse(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CommandFailure::Usage(format!(
            "{place}: at {line}:{column} it is not one JSON object with each member once"
        ))
    })?;
    Group::of(raw).ok_or_else(|| CommandFailure::Usage(format!("{place}: it has no enrollmentGroupId")))
}

/// The DPS on which to create the group.
async fn service<'a>(survey: &mut Survey<'a>, name: Option<&str>) -> Result<Service<'a>, CommandFailure> {
    let mut services = survey.services(name).await;
    if !survey.unreadable.is_empty() {
        return Err(CommandFailure::Failed(survey.unreadable.join("\n")));
    }
    match (services.len(), name) {
        (1, _) => Ok(services.remove(0)),
        (0, Some(name)) => {
            Err(CommandFailure::Usage(format!("policysync.toml has no provisioning service `{name}`")))
        }
        (0, None) => Err(CommandFailure::Failed("policysync.toml has no provisioning service".to_owned())),
        _ => {
            let places = services
                .iter()
                .map(|service| format!("  {}  in {}", service.linked.name, service.configuration.id));
            Err(CommandFailure::Usage(format!(
                "there are {} provisioning services; name one with --dps:\n{}",
                services.len(),
                places.collect::<Vec<_>>().join("\n")
            )))
        }
    }
}

/// Plans the new group. `Failed` when Azure cannot be read.
async fn planned(
    survey: &mut Survey<'_>,
    service: &Service<'_>,
    view: &EnrollmentGroup,
    policy: Option<&str>,
) -> Result<PlannedAssignment, CommandFailure> {
    let groups = survey.fleet.azure.enrollment_groups(service.linked.generation);
    let existing = groups.get(&service.linked.endpoint, &view.id).await.map_err(|error| {
        let reason = failure::reason(&error, About::EnrollmentGroup);
        CommandFailure::Failed(format!("whether the group exists cannot be told: {reason}: {error}"))
    })?;
    let wanted = match (policy, &view.policy) {
        (Some(flag), Some(own)) if !flag.eq_ignore_ascii_case(own) => {
            return Err(CommandFailure::Usage(format!("--policy says `{flag}`, and the file says `{own}`")));
        }
        (flag, own) => flag.map(str::to_owned).or_else(|| own.clone()),
    };
    let origin = "the person who creates it";
    let place = service.place();
    if let Some(existing) = existing {
        let wish = Wish { policy: wanted.as_deref(), origin };
        let refusal = (Reason::GroupExists, Reason::GroupExists.meaning().to_owned());
        return Ok(PlannedAssignment::refused(place, &existing.view, wish, refusal));
    }
    let Some(observation) = survey.observation(service.configuration).await else {
        return Err(CommandFailure::Failed(survey.unreadable.join("\n")));
    };
    // A person may name a policy without its certificate authority.
    let in_full = |name: String| observation.policy_named(&name).map(Policy::reference).unwrap_or(name);
    let wanted = wanted.map(in_full);
    let new = EnrollmentGroup { policy: None, etag: None, ..view.clone() };
    let planned = match wanted.as_deref() {
        Some(policy) => {
            let wish = Wish { policy: Some(policy), origin };
            PlannedAssignment::by_wish(place, &new, wish, &observation)
        }
        None => {
            let plan = plan_assignment(&new, place.hubs, place.configuration, &observation);
            PlannedAssignment::by_rules(place, &new, &plan, &observation)
        }
    };
    Ok(planned.entry)
}

/// Prints the outcome of a creation.
struct Creation<'a> {
    person: &'a Person,
    service: &'a Service<'a>,
    outcome: &'static str,
}

impl Creation<'_> {
    fn show(&self, entry: &PlannedAssignment, output: Output) {
        let outcome = self.outcome;
        let configuration = self.service.configuration;
        let in_audit = configuration.mode == Mode::Audit;
        let situation = Situation::of(configuration, self.person.fleet.kill_switch, Caller::Person)
            .at(self.person.fleet.now());
        let next = next_step::of(entry.reason, &situation.in_generation(self.service.linked.generation));
        if output == Output::Json {
            let document = json!({
                "schema": "policysync-creation/v1",
                "outcome": outcome,
                "inAudit": in_audit,
                "run": self.person.run.to_string(),
                "nextStep": next,
                "group": entry,
            });
            return say!("{}", table::json(&document));
        }
        let mode = match in_audit {
            true => "audit: it is created with --even-in-audit only",
            false => "enforce",
        };
        let rows = [
            ("group", format!("{}/{}", entry.provisioning_service, entry.enrollment_group)),
            ("policy", plan::print::policy(entry.after.as_deref())),
            ("by", entry.rule.clone()),
            ("mode", mode.to_owned()),
            ("outcome", outcome.to_owned()),
            ("reason", format!("{}: {}", entry.reason, entry.detail)),
            ("next step", next),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), line(&value)]);
        let name = line(&entry.enrollment_group);
        let screen = match outcome {
            "planned" => {
                Screen::verdict(Tone::Strong, format!("{name} would be created; nothing was written."))
            }
            "created" => Screen::verdict(Tone::Good, format!("{name} was created.")),
            other => Screen::verdict(Tone::Bad, format!("{name} was not created: {other}.")),
        };
        let screen = screen.table(Table::of(&["creation", ""], rows));
        let screen = match outcome {
            "planned" => {
                screen.text(next_step::to_apply("creates it", in_audit, self.person.fleet.kill_switch))
            }
            "created" => screen.text(self.person.about_records()),
            _ => screen,
        };
        screen.print();
    }
}
