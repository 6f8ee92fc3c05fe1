//! `group create`: creates an enrollment group with its policy in one write, so that no device ever provisions through
//! it without one. Without `--apply` it prints the plan. It never touches a group that exists.

mod creation;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use azure::{Group, RawGroup};
use certificate_management::generation::Generation;
use certificate_management::model::{EnrollmentGroup, Policy};
use certificate_management::plan::saved::{PlannedAssignment, Wish};
use certificate_management::plan::{self, plan_assignment};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use clap::{Args, Subcommand};

use self::creation::Creation;
use super::command_failure::CommandFailure;
use super::fail;
use super::intent::Intent;
use super::person::{self, Person};
use super::plan::survey::{Service, Survey};
use super::table::Output;
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
    let obstacle = obstacle(&mut survey, &service, &entry).await;
    let writer = person.writer("group create", arguments.even_in_audit, &arguments.intent, None);
    let show = |outcome, entry: &PlannedAssignment| {
        Creation::of(person, &service, &group.view, outcome, (entry, obstacle))
            .show(person, arguments.output);
    };
    if !matches!(entry.reason, Reason::Assigned | Reason::RuleSaysNone | Reason::OptedOut) {
        if arguments.apply {
            writer
                .refuse(&entry, entry.reason, &entry.detail)
                .await
                .iter()
                .for_each(|why| complain!("{why}"));
        }
        show(creation::Outcome::Refused, &entry);
        return Ok(ExitCode::FAILURE);
    }
    if !arguments.apply {
        show(creation::Outcome::Planned, &entry);
        return Ok(ExitCode::SUCCESS);
    }
    match writer.perform(service.configuration, &service.linked, Target::New(&group), &entry).await {
        Outcome::Written { unrecorded } => {
            unrecorded.iter().for_each(|why| complain!("{why}"));
            show(creation::Outcome::Created, &entry);
            Ok(ExitCode::SUCCESS)
        }
        Outcome::NotWritten(NotWritten { reason, next, detail, unrecorded }) => {
            unrecorded.iter().for_each(|why| complain!("{why}"));
            (entry.reason, entry.detail) = (reason, detail);
            let outcome = match next.may_pass() {
                true => creation::Outcome::Failed,
                false => creation::Outcome::Refused,
            };
            show(outcome, &entry);
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

/// Why the service does not push the policy to the hubs that the group waits for; `None`: it waits for none, or not for the service.
async fn obstacle(
    survey: &mut Survey<'_>,
    service: &Service<'_>,
    entry: &PlannedAssignment,
) -> Option<Reason> {
    let observation = survey.observation(service.configuration).await?;
    let policy = observation
        .policies
        .iter()
        .find(|policy| entry.after.as_deref().is_some_and(|name| policy.is_named(name)))?;
    let is_pushed = policy.generation() == Generation::CertificateAuthorities;
    if entry.reason != Reason::WaitingForTrust || !is_pushed {
        return None;
    }
    plan::obstacle_of_group(&observation, policy, &entry.untrusting_hubs).map(|obstacle| obstacle.reason)
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
