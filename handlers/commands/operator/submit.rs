//! `submit`: submits a sync request from a command line, as `POST /api/sync-requests` takes it.
//!
//! - [`request`]: the request that the flags ask for.
//! - [`dry_run`]: shows what would become of it, from a look at Azure.
//! - [`follow`]: waits for its outcome.
//! - [`evidence`]: finds its outcome on the hubs, where its record is in another process.
//! - [`progress`]: shows a person how far it is.
//!
//! A person runs it as themselves: they need permission to send to the queue and to write records, and for `--dry-run`
//! to read Azure.

mod dry_run;
mod evidence;
mod follow;
mod progress;
mod request;

use std::process::ExitCode;
use std::time::Duration;

use ambient::Ambient;
use azure::Service;
use azure::trace::with_traceparent;
use certificate_management::request::{RequestRecord, SyncRequest};
use clap::Args;
use serde_json::{Value, json};

use self::evidence::Evidence;
use self::follow::{Ended, Source};
use self::progress::Progress;
use super::screen::Screen;
use super::table::{self, Output};
use super::tone::Tone;
use super::{USAGE, fail, reader};
use crate::application::Application;
use crate::fleet::{Fleet, Outside};
use crate::settings::{Settings, StateSettings};
use crate::synchronization::submission::{self, SubmitError};
use crate::views::{self, RequestView};

/// Exit code when the command could not learn what became of the request.
const UNKNOWN: u8 = 3;
/// How long `--wait` waits without `--timeout`: the functions look for evidence until half an hour after a sync began.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(35 * 60);

#[derive(Args)]
pub struct Arguments {
    /// The namespace to sync, by ARM id, or by the name that it has in policysync.toml.
    #[arg(long, value_name = "ID")]
    namespace: String,
    /// A hub that the request is for, by name; all linked hubs without it. May be repeated.
    #[arg(long = "hub", value_name = "HUB")]
    hubs: Vec<String>,
    /// A policy that the request is for, by name; all policies without it. May be repeated.
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// The id of the request. The same request with the same id again is one request; a new id without it.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Sync although hubs or policies that the request does not name are out of sync too. A sync cannot be undone.
    #[arg(long)]
    allow_whole_namespace: bool,
    /// Sync although policysync.toml has a `freeze` now: for emergencies.
    #[arg(long, requires = "reason")]
    break_freeze: bool,
    /// Why, for the readers of the record.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Wait until every hub trusts, or the request ends otherwise.
    #[arg(long)]
    wait: bool,
    /// How long to wait at most; 35 minutes without it.
    #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// Look at Azure and print what would be done, and why. Nothing is written and nothing is submitted.
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(mut arguments: Arguments) -> ExitCode {
    match reader::namespace_id(&arguments.namespace).await {
        Ok(id) => arguments.namespace = id,
        Err(problem) => {
            complain!("--namespace: {problem}");
            return ExitCode::from(USAGE);
        }
    }
    let ambient = Ambient::of_system();
    let request = match request::build(&arguments, &ambient) {
        Ok(request) => request,
        Err(problems) => {
            for problem in problems {
                complain!("{problem}");
            }
            return ExitCode::from(USAGE);
        }
    };
    if arguments.dry_run {
        return dry_run::run(&request, arguments.id.is_some(), arguments.output).await;
    }
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(error) => return fail(&error.to_string()),
    };
    let application = match Application::read(&settings, Outside::of(ambient)).await {
        Ok(application) => application,
        Err(error) => return fail(&error.to_string()),
    };
    let is_shared = !matches!(settings.state, StateSettings::Memory);
    let timeout = arguments.timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let deadline = tokio::time::Instant::now() + timeout;
    // The hubs have to be read before the request is taken, to tell whether it would be refused.
    let mut evidence = (arguments.wait && !is_shared).then(|| Evidence::of(&application.fleet, &request));
    if let Some(evidence) = &mut evidence {
        let looked = tokio::time::timeout_at(deadline, evidence.observe()).await;
        if let Ok(Err(error)) = looked {
            complain!("the namespace could not be looked at yet: {error}");
        }
    }
    let request = name_caller(&application, request).await;
    let record = match submit(&application, &request).await {
        Ok(record) => record,
        Err(message) => return fail(&message),
    };
    if !arguments.wait {
        announce(&application.fleet, &record, is_shared, arguments.output);
        return ExitCode::SUCCESS;
    }
    let source = evidence
        .map_or(Source::Records { store: &application.store, record: &record }, |evidence| {
            Source::Evidence(Box::new(evidence))
        });
    let progress = Progress::start(&record, arguments.output, source.explanation());
    let ended = follow::follow(source, progress, &record, deadline).await;
    tell(&application.fleet, &ended, &record, timeout, arguments.output)
}

/// Names the person by their login, where it can be learnt; else by what the environment says. It is for readers.
async fn name_caller(application: &Application, request: SyncRequest) -> SyncRequest {
    match application.fleet.caller(Service::ResourceManager).await {
        Some(caller) => SyncRequest { requested_by: Some(caller.to_string()), ..request },
        None => request,
    }
}

/// Submits it within its own trace; answers its record.
async fn submit(application: &Application, request: &SyncRequest) -> Result<RequestRecord, String> {
    let traceparent = request.traceparent.clone().unwrap_or_default();
    match with_traceparent(traceparent, submission::submit(application, request)).await {
        Ok(record) => Ok(record),
        Err(refused @ (SubmitError::DifferentRequest(_) | SubmitError::NotConfigured(_))) => {
            Err(refused.to_string())
        }
        Err(error) => Err(format!(
            "{error}\nRun it again with --id {}: however often it is sent, that is one request.",
            request.request_id
        )),
    }
}

/// The id of the trace that leads from here to the evidence.
fn trace_id(request: &SyncRequest) -> &str {
    request.traceparent.as_deref().and_then(|text| text.split('-').nth(1)).unwrap_or("unknown")
}

/// The record as JSON, with the trace.
fn document(fleet: &Fleet, record: &RequestRecord) -> Value {
    let mut document = json!(RequestView::of(fleet, record));
    if let Some(members) = document.as_object_mut() {
        members.insert("schema".to_owned(), json!("policysync-request/v1"));
        members.insert("traceId".to_owned(), json!(trace_id(&record.request)));
    }
    document
}

fn announce(fleet: &Fleet, record: &RequestRecord, is_shared: bool, output: Output) {
    if output == Output::Json {
        say!("{}", table::json(&document(fleet, record)));
        return;
    }
    announced(record, is_shared).print();
}

/// What a person sees of a request that nothing waits for.
fn announced(record: &RequestRecord, is_shared: bool) -> Screen {
    let id = &record.request.request_id;
    let how = if is_shared { "" } else { ", which looks at the hubs" };
    Screen::default()
        .text(format!("request {id} is {}\ntrace   {}", record.outcome, trace_id(&record.request)))
        .text(format!(
            "Ask for it with GET /api/sync-requests/{id} of the app,\nor run the same command again with --id {id} --wait{how}."
        ))
}

/// What a person sees of the outcome. Why it is not the wanted one is told as a complaint.
fn screen(ended: &Ended, record: &RequestRecord) -> Screen {
    let screen = match ended {
        Ended::Final(record) if follow::is_trusted(record) => {
            Screen::verdict(Tone::Good, format!("Every hub in question trusts: {}.", record.outcome))
        }
        Ended::Final(record) => Screen::verdict(Tone::Bad, format!("The request is {}.", record.outcome)),
        Ended::TimedOut(record) => {
            Screen::verdict(Tone::Caution, format!("The request is {} so far.", record.outcome))
        }
        Ended::Unknown { .. } => Screen::verdict(Tone::Caution, "What became of the request is not known."),
    };
    screen.table(progress::hubs(record))
}

/// Prints the outcome, and answers the exit code.
fn tell(
    fleet: &Fleet,
    ended: &Ended,
    submitted: &RequestRecord,
    timeout: Duration,
    output: Output,
) -> ExitCode {
    let record = ended.record().unwrap_or(submitted);
    match output {
        Output::Json => say!("{}", table::json(&document(fleet, record))),
        Output::Table => screen(ended, record).print(),
    }
    let id = &record.request.request_id;
    match ended {
        Ended::Final(record) if follow::is_trusted(record) => ExitCode::SUCCESS,
        Ended::Final(record) => {
            let reason = record.reason.map_or_else(String::new, |reason| format!(", {reason}"));
            let detail = record.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
            let next = views::next_step(fleet, record).map_or_else(String::new, |next| format!("\n{next}"));
            fail(&format!("request {id} is {}{reason}{detail}{next}", record.outcome))
        }
        Ended::TimedOut(_) => fail(&format!(
            "request {id} was not done within {} s. It goes on; ask again with --id {id} --wait.",
            timeout.as_secs()
        )),
        Ended::Unknown { why, .. } => {
            complain!("what became of request {id} could not be learnt: {why}");
            ExitCode::from(UNKNOWN)
        }
    }
}
