//! `policies apply`: shows what is to be done about the authorities and policies that the file declares, and with
//! `--apply` does it, in the order that the service needs.
//!
//! A run goes on until nothing does by itself. A run that was killed is taken up by the same command again.

use std::process::ExitCode;

use certificate_management::ArmId;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::declared::{Action, Resource, Step, Waiting};
use certificate_management::next_step::{self, Caller, Situation};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::commands::operator::declaring::Declaring;
use crate::commands::operator::intent::Intent;
use crate::commands::operator::person::{self, Person};
use crate::commands::operator::{fail, reader};
use crate::commands::table::{self, Output};
use crate::commands::terminal::line;

/// Width of the last column, so that a table fits on 80 columns where names are short.
const DETAIL: usize = 34;

/// The exit code when something waits that is not done by this command.
const WAITS: u8 = 3;

#[derive(Args)]
pub struct Arguments {
    /// Only this namespace, by its name or its ARM id.
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Create and change what the plan says.
    #[arg(long)]
    apply: bool,
    /// Write also where policysync.toml has the namespace in audit mode.
    #[arg(long, requires = "apply")]
    even_in_audit: bool,
    #[command(flatten)]
    intent: Intent,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// A namespace, and what became of what the file declares there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    namespace_id: ArmId,
    in_audit: bool,
    steps: Vec<Told>,
    /// What was created or changed in this run, by name.
    written: Vec<String>,
    /// Why the namespace could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// One declared resource for a reader.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(flatten)]
    step: Step,
    /// As a sentence.
    detail: String,
    /// What the service said against a write of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

pub async fn run(arguments: &Arguments) -> ExitCode {
    let person = &match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    let output = arguments.output;
    if let (true, Err(message)) = (arguments.apply, person.may_write()) {
        return fail(&message);
    }
    let meant = match reader::namespaces(&person.fleet.configuration, arguments.namespace.as_deref()) {
        Ok(meant) => meant,
        Err(message) => return fail(&message),
    };
    let mut outcomes = Vec::new();
    for configuration in meant {
        outcomes.push(one(person, configuration, arguments).await);
    }
    show(person, &outcomes, arguments.apply, output);
    exit_code(&outcomes, arguments.apply)
}

/// One namespace, until nothing goes on by itself there.
async fn one(person: &Person, configuration: &NamespaceConfiguration, arguments: &Arguments) -> Outcome {
    let authorities = person.authorities("policies apply", arguments.even_in_audit, &arguments.intent, None);
    let mut run = Declaring::of(&authorities, configuration).telling(arguments.output == Output::Table);
    let looked = match arguments.apply {
        true => run.go_on().await,
        false => authorities.look(configuration).await.map(|look| look.steps),
    };
    let (steps, unreadable) = match looked {
        Ok(steps) => (steps, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let situation =
        Situation::of(configuration, person.fleet.kill_switch, Caller::Person).at(person.fleet.now());
    let told = |step: Step| {
        let failed = run.passes.failed.get(&step.resource).filter(|_| step.action != Action::Keep);
        let failed = failed.map(|failed| failed.why.clone());
        let next_step = match &step.action {
            Action::Wait { on } => on.next_step(),
            Action::Refuse { because } => Some(next_step::of_hindrance(because, &situation)),
            Action::Write(_) if failed.is_some() => Some(
                "Correct the value that the service names in policysync.toml, and apply again.".to_owned(),
            ),
            Action::Keep | Action::Write(_) => None,
        };
        Told { detail: step.action.to_string(), failed, next_step, step }
    };
    let steps = steps.into_iter().map(told).collect();
    Outcome {
        namespace_id: configuration.id.clone(),
        in_audit: configuration.mode == Mode::Audit,
        steps,
        written: run.passes.taken.iter().map(Resource::name).collect(),
        unreadable,
    }
}

fn exit_code(outcomes: &[Outcome], applied: bool) -> ExitCode {
    let steps = || outcomes.iter().flat_map(|outcome| &outcome.steps);
    let has_failed = |told: &Told| told.failed.is_some() || matches!(told.step.action, Action::Refuse { .. });
    let waits = |told: &Told| match &told.step.action {
        Action::Wait { on: Waiting::Link | Waiting::Signature { .. } } => true,
        Action::Wait { .. } | Action::Write(_) => applied,
        Action::Keep | Action::Refuse { .. } => false,
    };
    if outcomes.iter().any(|outcome| outcome.unreadable.is_some()) || steps().any(has_failed) {
        ExitCode::FAILURE
    } else if steps().any(waits) {
        ExitCode::from(WAITS)
    } else {
        ExitCode::SUCCESS
    }
}

fn show(person: &Person, outcomes: &[Outcome], applied: bool, output: Output) {
    if output == Output::Json {
        let document = json!({
            "schema": "policysync-policies/v1",
            "run": person.run.to_string(),
            "applied": applied,
            "namespaces": outcomes,
        });
        return say!("{}", table::json(&document));
    }
    for outcome in outcomes {
        let name = line(outcome.namespace_id.name());
        if let Some(why) = &outcome.unreadable {
            complain!("namespace {name}: {why}");
            continue;
        }
        if outcome.steps.is_empty() {
            say!("Namespace {name}: policysync.toml declares no authority and no policy.\n");
            continue;
        }
        let mode = if outcome.in_audit { " (audit: written with --even-in-audit only)" } else { "" };
        say!("Namespace {name}{mode}");
        let rows = outcome.steps.iter().map(row).collect();
        say!("{}\n", table::table(&["resource", "name", "do", "detail"], rows));
    }
    let to_write = outcomes.iter().flat_map(|outcome| &outcome.steps).any(|told| told.step.write().is_some());
    let written: usize = outcomes.iter().map(|outcome| outcome.written.len()).sum();
    match (applied, written) {
        (false, _) if to_write => {
            let writes = |outcome: &&Outcome| outcome.steps.iter().any(|told| told.step.write().is_some());
            let in_audit = outcomes.iter().filter(writes).any(|outcome| outcome.in_audit);
            let next = next_step::to_apply("does it", in_audit, person.fleet.kill_switch);
            say!("Nothing was written. {next}");
        }
        (false, _) | (true, 0) => say!("Nothing was written."),
        (true, _) => say!("Run {}: {written} written.", person.run),
    }
}

fn row(told: &Told) -> Vec<String> {
    let mut detail = table::wrapped(&line(&told.detail), DETAIL);
    for more in [&told.failed, &told.next_step].into_iter().flatten() {
        detail = format!("{detail}\n{}", table::wrapped(&line(more), DETAIL));
    }
    let action = if told.failed.is_some() { "failed" } else { told.step.action.word() };
    vec![told.step.resource.kind().to_owned(), line(&told.step.resource.name()), action.to_owned(), detail]
}
