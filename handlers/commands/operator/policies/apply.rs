//! `policies apply`: shows what is to be done about the authorities and policies that the file declares, and with
//! `--apply` does it, in the order that the service needs.
//!
//! A run goes on until nothing does by itself. A run that was killed is taken up by the same command again.

use std::process::ExitCode;

use certificate_management::ArmId;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::declared::{Action, Resource, Step, Waiting};
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::condition::Demands;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::commands::operator::declaring::Declaring;
use crate::commands::operator::intent::Intent;
use crate::commands::operator::person::{self, Person};
use crate::commands::operator::{fail, reader};
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

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
    /// Whether a window of `freeze` is open.
    #[serde(skip)]
    is_frozen: bool,
    steps: Vec<Told>,
    /// What was created or changed in this run, by name.
    written: Vec<String>,
    /// Why the namespace could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

impl Outcome {
    /// What its writes ask of the person who has them done.
    fn demands(&self) -> Demands {
        let writes = self.steps.iter().filter(|told| told.step.write().is_some()).count();
        let mode = if self.in_audit { Mode::Audit } else { Mode::Enforce };
        Demands::of_namespace(&self.namespace_id, writes, mode, self.is_frozen)
    }
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
    ExitCode::from(exit_code_of(&outcomes, arguments.apply))
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
        is_frozen: situation.is_frozen,
        steps,
        written: run.passes.taken.iter().map(Resource::name).collect(),
        unreadable,
    }
}

fn exit_code_of(outcomes: &[Outcome], applied: bool) -> u8 {
    let steps = || outcomes.iter().flat_map(|outcome| &outcome.steps);
    let has_failed = |told: &Told| told.failed.is_some() || matches!(told.step.action, Action::Refuse { .. });
    let waits = |told: &Told| match &told.step.action {
        Action::Wait { on: Waiting::Link | Waiting::Signature { .. } } => true,
        Action::Wait { .. } | Action::Write(_) => applied,
        Action::Keep | Action::Refuse { .. } => false,
    };
    if outcomes.iter().any(|outcome| outcome.unreadable.is_some()) || steps().any(has_failed) {
        1
    } else if steps().any(waits) {
        WAITS
    } else {
        0
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
    screen(&person.run.to_string(), outcomes, applied, person.fleet.kill_switch).print();
    for outcome in outcomes {
        if let Some(why) = &outcome.unreadable {
            complain!("namespace {}: {why}", line(outcome.namespace_id.name()));
        }
    }
}

fn screen(run: &str, outcomes: &[Outcome], applied: bool, kill_switch: bool) -> Screen {
    let (tone, verdict) = verdict(run, outcomes, applied, kill_switch);
    let mut screen = Screen::verdict(tone, verdict);
    for outcome in outcomes.iter().filter(|outcome| outcome.unreadable.is_none()) {
        let name = line(outcome.namespace_id.name());
        if outcome.steps.is_empty() {
            screen = screen
                .text(format!("Namespace {name}: policysync.toml declares no authority and no policy."));
            continue;
        }
        let mode = match (outcome.in_audit, outcome.written.is_empty()) {
            (false, _) => "",
            (true, true) => " (audit: written with --even-in-audit only)",
            (true, false) => " (audit)",
        };
        let table = Table::of(&["name", "resource", "do", "detail"], outcome.steps.iter().map(row));
        screen = screen.heading(format!("Namespace {name}{mode}")).table(table.titled(2).states(2));
    }
    screen
}

fn verdict(run: &str, outcomes: &[Outcome], applied: bool, kill_switch: bool) -> (Tone, String) {
    let steps = || outcomes.iter().flat_map(|outcome| &outcome.steps);
    let to_write = steps().filter(|told| told.step.write().is_some()).count();
    let written: usize = outcomes.iter().map(|outcome| outcome.written.len()).sum();
    let is_right = exit_code_of(outcomes, applied) == 0;
    let tone = if is_right { Tone::Strong } else { Tone::Caution };
    let verdict = match (applied, written) {
        (false, _) if to_write > 0 => {
            let demands = outcomes.iter().map(Outcome::demands).fold(Demands::default(), Demands::and);
            let next = next_step::to_apply("does it", &demands, kill_switch);
            format!("{to_write} to write; nothing was written. {next}")
        }
        (false, _) | (true, 0) => "Nothing was written.".to_owned(),
        (true, _) => format!("{written} written, by run {run}."),
    };
    (tone, verdict)
}

fn row(told: &Told) -> Vec<String> {
    let next_step = told.next_step.as_ref().map(|next| format!("→ {next}"));
    let detail = [Some(told.detail.clone()), told.failed.clone(), next_step];
    let detail: Vec<String> = detail.into_iter().flatten().map(|text| line(&text)).collect();
    let action = if told.failed.is_some() { "failed" } else { told.step.action.word() };
    let resource = &told.step.resource;
    vec![line(&resource.name()), resource.kind().to_owned(), action.to_owned(), detail.join("\n")]
}

#[cfg(test)]
mod tests {
    use certificate_management::declared::{Hindrance, Write};

    use super::*;
    use crate::commands::golden::{self, NAMESPACE};

    fn told(name: &str, action: Action, failed: Option<&str>, next_step: Option<&str>) -> Told {
        let resource =
            Resource::Policy { name: name.to_owned(), authority: Some("assembly-lines-ica".to_owned()) };
        Told {
            detail: action.to_string(),
            step: Step { resource, action },
            failed: failed.map(str::to_owned),
            next_step: next_step.map(str::to_owned),
        }
    }

    #[test]
    fn the_golden_plan_of_what_is_declared_fits_the_width() {
        let steps = vec![
            told("short-lived-7-days", Action::Write(Write::LeafValidity { from: 30, to: 7 }), None, None),
            told(
                "long-lived-90-days",
                Action::Write(Write::CertificatePolicy { leaf_validity_days: 90 }),
                Some("InvalidValue: the service takes at most 30 days for an authority with this issuer"),
                Some("Correct the value that the service names in policysync.toml, and apply again."),
            ),
            told("kept", Action::Keep, None, None),
            told(
                "refused",
                Action::Refuse { because: Hindrance::NoRoot },
                None,
                Some("Declare the root first."),
            ),
        ];
        let outcome = Outcome {
            namespace_id: ArmId::parse(NAMESPACE).unwrap(),
            in_audit: true,
            is_frozen: false,
            steps,
            written: Vec::new(),
            unreadable: None,
        };
        golden::compare(
            "policies-apply",
            &screen("01M85A71M08CPV9XGR0PSFA70F", &[outcome], false, false),
            &[],
        );
    }
}
