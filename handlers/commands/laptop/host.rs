//! `host`: the stand-in for the Azure Functions host alone, over any folder and any custom handler.
//!
//! Everything that it starts ends with it: at Ctrl-C, SIGTERM or SIGHUP, when the reader of its output goes away, and
//! when anything in here panics, since dropping the host kills the handler's whole process group.

mod printer;
mod signals;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use functions_host_stand_in::{
    Host, HostEvent, HostOptions, LocalSettings, LogLevel, LogSource, local_settings,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::fail;
use printer::Printer;
use signals::Signals;

/// The port that `func start` takes too.
const DEFAULT_PORT: u16 = 7071;
/// How long the end may take before the process goes anyway.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
#[command(
    after_help = "docs/host.md shows a whole app in Rust, Go and Python; docs/host-differences.md says what \
                        the stand-in does not do."
)]
pub struct Arguments {
    /// The app: a folder with a host.json and one folder per function.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// The port for HTTP functions and /admin; 0 for any free one [default: Host.LocalHttpPort of
    /// local.settings.json, or 7071].
    #[arg(long)]
    port: Option<u16>,
    /// Nothing fires by itself; fire functions with POST /admin/functions/{name}.
    #[arg(long)]
    manual: bool,
    /// What is printed on stdout: lines for a person, or one JSON object per event.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Lines for a person.
    Table,
    /// One JSON object per event; the lines of log go to stderr.
    Json,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot wait for Ctrl-C: {error}")),
    };
    let environment = |name: &str| std::env::var(name).ok();
    let local = match local_settings(&arguments.root, environment) {
        Ok(local) => local,
        Err(error) => return fail(&error.to_string()),
    };
    let (sender, events) = unbounded_channel();
    let mut printer = Printer::start(events, arguments.output);
    if let Some(local) = &local {
        tell(&sender, local);
    }
    let local = local.unwrap_or_default();
    let options = HostOptions {
        root: arguments.root,
        port: Some(arguments.port.or(local.port).unwrap_or(DEFAULT_PORT)),
        manual: arguments.manual,
        app_settings: local.values,
        events: Some(sender),
        ..HostOptions::default()
    };
    // A host that is dropped while it starts takes its handler with it.
    let started = tokio::select! {
        host = Host::start(options) => Some(host),
        () = signals.any() => None,
        () = printer.stopped() => None,
    };
    let ended = match started {
        Some(Ok(host)) => {
            printer.show(host.functions());
            let ended = tokio::select! {
                () = signals.any() => Ok(()),
                () = printer.stopped() => Ok(()),
                why = host.ended() => Err(why),
            };
            // Killing is quick; the command does not wait for a process that the system cannot end.
            let _ = tokio::time::timeout(PATIENCE, host.stop()).await;
            ended
        }
        Some(Err(error)) => Err(error.to_string()),
        None => Ok(()),
    };
    let _ = tokio::time::timeout(PATIENCE, printer.stopped()).await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

/// Says which settings the host took from `local.settings.json` and which not: names only, since values are secrets.
fn tell(events: &UnboundedSender<HostEvent>, local: &LocalSettings) {
    let log = |level, message| {
        // When the printer has ended, `run` ends the host.
        let _ = events.send(HostEvent::Log { source: LogSource::Host, level, message });
    };
    let count = local.values.len();
    let settings = if count == 1 { "app setting" } else { "app settings" };
    log(LogLevel::Information, format!("local.settings.json: {count} {settings}"));
    for name in &local.overridden {
        log(
            LogLevel::Warning,
            format!("local.settings.json: {name} is left out, since the environment holds it: it wins"),
        );
    }
    for name in &local.without_value {
        log(LogLevel::Warning, format!("local.settings.json: {name} is left out, since its value is null"));
    }
}
