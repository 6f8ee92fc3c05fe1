//! The whole product on one machine: a simulated Azure, the stand-in for the Functions host, and `serve` as the
//! child process that the host starts, all of them talking HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ambient::rehearsal;
use azure_simulator::clock::Clock;
use azure_simulator::fleet::Fleet;
use azure_simulator::{Options, Simulator};
use certificate_management::configuration::Configuration;
use clap::Args;
use functions_host_stand_in::{Host, HostEvent, HostOptions, Sources};
use tempfile::TempDir;
use time::Duration;
use tokio::sync::mpsc;

use super::simulator::{read, read_fleet};
use super::{CLOCK, staging, unpacking};
use crate::commands::table;
use crate::commands::terminal_size::terminal_width;
use crate::settings::CONFIGURATION_FILE;
use crate::visible;

/// The configuration that fits the default fleet.
pub const DEFAULT_CONFIGURATION: &str = include_str!("demo/policysync.toml");
/// The file that says by how much the clock of a world is ahead, in its folder.
const CLOCK_FILE: &str = "clock";
/// How many events are kept to explain a failure.
const KEPT_EVENTS: usize = 40;

/// The world that `demo` and `dev` show.
#[derive(Args, Default, Clone)]
pub struct WorldArguments {
    /// A fleet of your own instead of the default one (docs/fleet.md shows the format).
    #[arg(long, value_name = "FILE", requires = "config")]
    pub fleet: Option<PathBuf>,
    /// The policysync.toml that goes with it.
    #[arg(long, value_name = "FILE", requires = "fleet")]
    pub config: Option<PathBuf>,
}

/// When the timers fire, as NCRONTAB.
#[derive(Debug, Clone, Copy)]
pub struct Schedules {
    /// When every enrollment group is reconciled.
    pub reconcile: &'static str,
    /// When the report is made.
    pub report: &'static str,
}

impl Default for Schedules {
    /// Once a year, on New Year's Day: the caller fires the timers, and they do not fire in between.
    fn default() -> Self {
        Self { reconcile: "0 0 0 1 1 *", report: "0 0 0 1 1 *" }
    }
}

/// A world that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its fleet file.
    pub fleet: &'static str,
    /// The policysync.toml that goes with it.
    pub configuration: &'static str,
}

/// The handler that the host calls.
#[derive(Default)]
pub enum HandlerOf {
    /// This very program, as a process that the host starts.
    #[default]
    ThisProgram,
    /// Another program, as a process that the host starts.
    Program(PathBuf),
    /// A handler that is no process of its own. The function gets the app settings, starts the handler, and answers the
    /// port of 127.0.0.1 on which it serves, or why it does not.
    Attached(Attach),
}

/// Starts a handler with these app settings; answers its port.
pub type Attach = Box<dyn FnOnce(&BTreeMap<String, String>) -> Result<u16, String> + Send>;

/// How this world runs.
#[derive(Default)]
pub struct LocalOptions {
    /// Its fleet and its configuration.
    pub world: WorldArguments,
    /// Another world than the default one, where `world` names none.
    pub built_in: Option<BuiltIn>,
    /// Port of the HTTP functions; any free one without it.
    pub host_port: Option<u16>,
    /// Port of the simulated Azure; any free one without it.
    pub simulator_port: Option<u16>,
    /// When everything is reconciled, and when the report is made.
    pub schedules: Schedules,
    /// Whether each event of the host is printed as it comes.
    pub print_events: bool,
    /// The handler of the functions.
    pub handler: HandlerOf,
    /// App settings beside those of the world.
    pub app_settings: BTreeMap<String, String>,
    /// A package to run from, as it is, instead of the app that is compiled in.
    pub package: Option<PathBuf>,
    /// Whether pushing the clock of the simulated Azure pushes that of the app and of the host's timers too. Else it is the
    /// clock of Azure alone, which then is ahead of everything else.
    pub one_clock: bool,
}

/// A running world. Dropping it ends every process of it.
pub struct LocalWorld {
    /// The simulated Azure.
    pub simulator: Simulator,
    /// The stand-in for the Functions host.
    pub host: Host,
    /// The configuration.
    pub configuration: Configuration,
    /// The settings of the app, which point another command at this world.
    pub settings: BTreeMap<String, String>,
    /// The file that the app reads its configuration from: that of `--config` itself, so that edits of it count, else one in `folder`.
    pub configured: PathBuf,
    /// Holds below `app` the app, and beside it a configuration that is in no file of its own, so that a package runs as it is.
    pub folder: TempDir,
    recent: Arc<Mutex<VecDeque<String>>>,
}

impl LocalWorld {
    /// Starts all of it; the handler serves when this returns.
    ///
    /// # Errors A text for a person, which names the file, port or process that failed.
    pub async fn start(options: LocalOptions) -> Result<Self, String> {
        let fleet = match (&options.world.fleet, options.built_in) {
            (None, Some(world)) => Fleet::from_toml(world.fleet).map_err(|error| describe(&error))?,
            (path, _) => read_fleet(path.as_ref())?,
        };
        let text = match &options.world.config {
            Some(path) => read(path)?,
            None => options.built_in.map_or(DEFAULT_CONFIGURATION, |world| world.configuration).to_owned(),
        };
        let place = options
            .world
            .config
            .as_ref()
            .map_or_else(|| "default".to_owned(), |path| path.display().to_string());
        let configuration = Configuration::parse(&text)
            .map_err(|error| format!("the configuration {place} cannot be used:\n{error}"))?;
        let folder =
            TempDir::with_prefix("policysync-").map_err(|error| format!("no folder for the app: {error}"))?;
        let app = folder.path().join("app");
        let configured = match &options.world.config {
            // The app has another working directory.
            Some(path) => std::path::absolute(path)
                .map_err(|error| format!("the configuration {place} has no path: {error}"))?,
            None => folder.path().join(CONFIGURATION_FILE),
        };
        let written = match options.world.config {
            Some(_) => Ok(()),
            None => std::fs::write(&configured, &text),
        };
        written
            .and_then(|()| std::fs::create_dir(&app))
            .map_err(|error| format!("no folder for the app: {error}"))?;
        match &options.package {
            Some(package) => unpacking::unpack(package, &app)?,
            None => {
                let handler = match &options.handler {
                    HandlerOf::Program(handler) => handler.clone(),
                    HandlerOf::ThisProgram | HandlerOf::Attached(_) => std::env::current_exe()
                        .map_err(|error| format!("cannot find this very program: {error}"))?,
                };
                staging::lay_out(&app, &handler)
                    .map_err(|error| format!("the app could not be laid out: {error}"))?;
            }
        }

        let shared = options.one_clock.then(|| folder.path().join(CLOCK_FILE));
        let clock = match &shared {
            Some(file) => followed(file).map_err(|error| format!("no file for the clock: {error}"))?,
            None => Clock::default(),
        };
        let simulator_options = Options { port: options.simulator_port, fleet, clock, ..Options::default() };
        let simulator = Simulator::start(simulator_options).await.map_err(|error| describe(&error))?;
        let (sender, events) = mpsc::unbounded_channel();
        let recent = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(listen(events, Arc::clone(&recent), options.print_events));
        let mut settings = with_configuration(app_settings(simulator.url(), options.schedules), &configured);
        settings.extend(shared.map(|file| (CLOCK.to_owned(), file.display().to_string())));
        settings.extend(options.app_settings);
        let attached = match options.handler {
            HandlerOf::Attached(attach) => Some(attach(&settings)?),
            HandlerOf::ThisProgram | HandlerOf::Program(_) => None,
        };
        let host_options = HostOptions {
            root: app,
            port: options.host_port,
            app_settings: settings.clone(),
            sources: Sources {
                queues: Some(simulator.queues()),
                event_hubs: Some(simulator.event_hubs()),
                event_grid: Some(simulator.event_grid()),
                clock: options.one_clock.then(|| simulator.clock_source()),
            },
            events: Some(sender),
            attached,
            ..HostOptions::default()
        };
        let world = Host::start(host_options).await.map_err(|error| describe(&error));
        let host = world.map_err(|error| format!("{error}{}", explain(&recent)))?;
        Ok(Self { simulator, host, configuration, settings, configured, folder, recent })
    }

    /// The last things that the host said, to explain a failure.
    #[must_use]
    pub fn explanation(&self) -> String {
        explain(&self.recent)
    }

    /// Ends every process of this world.
    pub async fn stop(self) {
        self.host.stop().await;
        self.simulator.stop().await;
    }
}

/// The settings that point an app, or another command, at a simulated Azure.
pub fn app_settings(simulator: &str, schedules: Schedules) -> BTreeMap<String, String> {
    let address = simulator.trim_start_matches("http://");
    let bus = format!(
        "Endpoint=sb://{address}/servicebus;SharedAccessKeyName=RootManageSharedAccessKey;\
         SharedAccessKey=c2ltdWxhdG9y;UseDevelopmentEmulator=true"
    );
    // The records are in the simulated storage, so that commands share them with the app and they outlive a handler:
    // one run can take back the assignments of another.
    let storage = format!("BlobEndpoint={simulator}/storage;AccountName=storage;AccountKey=c2ltdWxhdG9y");
    let settings = [
        ("ServiceBusConnection", bus.as_str()),
        ("POLICYSYNC_ARM_ENDPOINT", simulator),
        ("AzureWebJobsStorage", storage.as_str()),
        ("POLICYSYNC_QUEUE", "sync-requests"),
        ("POLICYSYNC_PARKED_QUEUE", "sync-requests-parked"),
        ("POLICYSYNC_RECONCILE_SCHEDULE", schedules.reconcile),
        ("POLICYSYNC_REPORT_SCHEDULE", schedules.report),
        ("IDENTITY_ENDPOINT", &format!("{simulator}/identity")),
        ("IDENTITY_HEADER", "x"),
        ("EventGridTopic__topicEndpointUri", &format!("{simulator}/eventgrid/policysync/api/events")),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The settings with the place of the configuration.
fn with_configuration(mut settings: BTreeMap<String, String>, file: &Path) -> BTreeMap<String, String> {
    settings.insert("POLICYSYNC_CONFIG".to_owned(), file.display().to_string());
    settings
}

/// A clock of the simulated Azure that the processes which follow `file` go by too.
fn followed(file: &Path) -> io::Result<Clock> {
    rehearsal::push(file, Duration::ZERO)?;
    let file = file.to_path_buf();
    Ok(Clock::followed(move |ahead| rehearsal::push(&file, ahead)))
}

/// An error with all its causes, each told once.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some errors tell their cause within their own sentence.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

fn explain(recent: &Mutex<VecDeque<String>>) -> String {
    let lines = recent.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    format!("\nThe last things that the Functions host said:\n  {}", lines.join("\n  "))
}

async fn listen(
    mut events: mpsc::UnboundedReceiver<HostEvent>,
    recent: Arc<Mutex<VecDeque<String>>>,
    print_events: bool,
) {
    while let Some(event) = events.recv().await {
        let line = event.to_string();
        if print_events {
            anstream::println!("{}", fitting(&visible::lines(&line), terminal_width()));
        }
        let mut lines = recent.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_EVENTS {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// An event on lines of so many columns, its further lines further in; `None`, as where stdout is no terminal: a line stays one.
fn fitting(event: &str, columns: Option<usize>) -> String {
    const INDENT: &str = "  ";
    match columns {
        Some(columns) => {
            let lines = event.lines().map(|line| table::wrapped(line, columns.saturating_sub(INDENT.len())));
            lines.collect::<Vec<_>>().join("\n").replace('\n', &format!("\n{INDENT}"))
        }
        None => event.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_the_terminal_and_is_one_line_in_a_log() {
        let event = "stdout: 2026-11-30T15:46:37.216428Z  INFO read diagnostic records events=9 malformed=0 groups=0 \
                     faas.name=assign-policy faas.invocation_id=7f2f0d60-70c3-4116-a313-a9d3e72a831d";
        let fitted = fitting(event, Some(80));
        assert!(fitted.lines().all(|line| line.len() <= 80) && fitted.lines().count() > 1, "{fitted}");
        assert!(fitted.lines().skip(1).all(|line| line.starts_with("  ")), "{fitted}");
        assert!(fitted.split_whitespace().eq(event.split_whitespace()), "nothing is lost: {fitted}");
        assert_eq!(fitting(event, None), event);
    }

    #[test]
    fn the_default_configuration_is_about_the_default_fleet() {
        let fleet = Fleet::default_fleet();
        let configuration = Configuration::parse(DEFAULT_CONFIGURATION).unwrap();
        assert_eq!(configuration.namespaces.len(), fleet.namespaces.len());
        for namespace in &configuration.namespaces {
            let known = fleet.namespaces.iter().find(|known| known.name == namespace.id.name()).unwrap();
            assert!(namespace.id.as_str().contains(&format!("/resourceGroups/{}/", known.resource_group)));
            assert_eq!(namespace.id.subscription(), fleet.subscription);
            for rule in &namespace.rules {
                assert!(known.policies.iter().any(|policy| policy.name == rule.policy), "{}", rule.name);
            }
        }
    }
}
