//! `policies apply`: shows what is to be done about the authorities and policies that the file declares, and with
//! `--apply` does it, in the order that the service needs.
//!
//! A run looks, does what can be done, waits a while and looks again, until nothing goes on by itself. A run that was
//! killed is taken up by the same command again.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use azure::{LongRunningOperation, OperationStatus};
use certificate_management::ArmId;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::declared::{Action, Resource, Step, Waiting};
use certificate_management::plan::permit;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::authorities::Authorities;
use crate::commands::operator::fail;
use crate::commands::operator::person::{self, Person};
use crate::commands::table::{self, Output};
use crate::commands::terminal::line;

/// Longest time that a run goes on after its first look: as long as Azure's own tools wait.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Pause before the next look where the service names none.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest pause before the next look.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Width of the last column, so that a table fits on 80 columns where names are short.
const DETAIL: usize = 34;

/// The exit code when something waits that is not done by this command.
const WAITS: u8 = 3;

#[derive(Args)]
#[command(after_help = "Exit codes: 0 everything is as declared, or, without --apply, would be after it; \
    1 something is refused or failed, a namespace could not be read, or POLICYSYNC_MODE=audit is set; \
    3 something waits for a person, or for the service after ten minutes.")]
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
    let person = &match person::start() {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    let output = arguments.output;
    if let (true, Err(message)) = (arguments.apply, person.may_write()) {
        return fail(&message);
    }
    let is_meant = |namespace: &&NamespaceConfiguration| {
        arguments.namespace.as_ref().is_none_or(|name| {
            name.eq_ignore_ascii_case(namespace.id.name()) || name.eq_ignore_ascii_case(namespace.id.as_str())
        })
    };
    let meant: Vec<_> = person.fleet.configuration.namespaces.iter().filter(is_meant).collect();
    if let (Some(name), []) = (&arguments.namespace, meant.as_slice()) {
        return fail(&format!("policysync.toml has no namespace `{name}`"));
    }
    let mut outcomes = Vec::new();
    for configuration in meant {
        outcomes.push(one(person, configuration, arguments).await);
    }
    show(person, &outcomes, arguments.apply, output);
    exit_code(&outcomes, arguments.apply)
}

/// One namespace, until nothing goes on by itself there.
async fn one(person: &Person, configuration: &NamespaceConfiguration, arguments: &Arguments) -> Outcome {
    let authorities = Authorities {
        fleet: &person.fleet,
        store: &person.store,
        run: person.run.to_string(),
        woken_by: person.woken_by("policies apply"),
        by: permit::Writer::Person { even_in_audit: arguments.even_in_audit },
    };
    let mut run = Run {
        authorities: &authorities,
        configuration,
        tells: arguments.output == Output::Table,
        operations: Vec::new(),
        failed: HashMap::new(),
        taken: Vec::new(),
    };
    let looked = match arguments.apply {
        true => run.go_on().await,
        false => authorities.look(configuration).await.map(|look| look.steps),
    };
    let (steps, unreadable) = match looked {
        Ok(steps) => (steps, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let told = |step: Step| {
        let failed = run.failed.get(&step.resource).filter(|_| step.action != Action::Keep).cloned();
        let next_step = match &step.action {
            Action::Wait { on } => on.next_step(),
            Action::Refuse { because } => Some(because.next_step()),
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
        written: run.taken.iter().map(Resource::name).collect(),
        unreadable,
    }
}

/// A run on one namespace.
struct Run<'a> {
    authorities: &'a Authorities<'a>,
    configuration: &'a NamespaceConfiguration,
    /// Whether it prints what it does.
    tells: bool,
    /// The operations that have not ended, each with what it is about.
    operations: Vec<(Resource, LongRunningOperation)>,
    /// What the service said against a write, by the resource. It is not tried again in this run.
    failed: HashMap<Resource, String>,
    /// What the service has taken. It is not written again in this run, though a look may not show it yet: a read may be
    /// older than the write.
    taken: Vec<Resource>,
}

impl Run<'_> {
    /// Looks, writes and waits until nothing goes on by itself; answers what is to be done then.
    async fn go_on(&mut self) -> Result<Vec<Step>, azure::Error> {
        let end = Instant::now() + PATIENCE;
        loop {
            let steps = self.authorities.look(self.configuration).await?.steps;
            for step in &steps {
                self.write(step).await;
            }
            let is_over = self.operations.is_empty() && !steps.iter().any(|step| self.goes_on(step));
            if is_over || Instant::now() >= end {
                return Ok(steps);
            }
            sleep(self.pause()).await;
            self.ask().await;
        }
    }

    /// Does the write of a step, unless there is none or the service has answered it in this run already.
    async fn write(&mut self, step: &Step) {
        let is_answered = self.failed.contains_key(&step.resource) || self.taken.contains(&step.resource);
        let Some(write) = step.write().filter(|_| !is_answered) else { return };
        if self.tells {
            say!("{}: {}", line(&step.resource.to_string()), line(&write.to_string()));
        }
        match self.authorities.write(self.configuration, &step.resource, write).await {
            Ok(operation) => {
                self.taken.push(step.resource.clone());
                if operation.url.is_some() {
                    self.operations.push((step.resource.clone(), operation));
                }
            }
            Err(why) => {
                self.failed.insert(step.resource.clone(), why);
            }
        }
    }

    /// Whether a step will come on without a person.
    fn goes_on(&self, step: &Step) -> bool {
        match &step.action {
            Action::Wait { on: Waiting::Service { .. } | Waiting::LinkBeingMade } => true,
            Action::Wait { on: Waiting::Resource { name } } => {
                !self.failed.keys().any(|failed| failed.name().eq_ignore_ascii_case(name))
            }
            Action::Write(_) => !self.failed.contains_key(&step.resource),
            Action::Wait { .. } | Action::Keep | Action::Refuse { .. } => false,
        }
    }

    /// Asks once about each open operation, since only it tells why the service did not do what it had taken. Whether it
    /// was done shows at the resource, so an operation that cannot be asked about is no loss.
    async fn ask(&mut self) {
        for (resource, operation) in std::mem::take(&mut self.operations) {
            match self.authorities.fleet.azure.arm().operation_status(&operation).await {
                Ok(OperationStatus::Failed { code, message }) => {
                    self.failed.insert(resource, format!("{code}: {message}"));
                }
                Ok(OperationStatus::Running { .. }) => self.operations.push((resource, operation)),
                Ok(OperationStatus::Succeeded | OperationStatus::Unknown) | Err(_) => {}
            }
        }
    }

    /// How long the service asks to wait, within bounds.
    fn pause(&self) -> Duration {
        let asked = self.operations.iter().filter_map(|(_, operation)| operation.retry_after_seconds).max();
        asked.map_or(PAUSE, Duration::from_secs).clamp(PAUSE, LONGEST_PAUSE)
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
        (false, _) if to_write => say!("Nothing was written: the same with --apply does it."),
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
