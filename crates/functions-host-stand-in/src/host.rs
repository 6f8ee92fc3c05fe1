//! A running host.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::app::{self, App, AppSettings, Direction, Trigger};
use super::clock::HostClock;
use super::engine::Engine;
use super::error::{FireError, HostError};
use super::events::{Events, HostEvent, InvocationReport, LogLevel};
use super::handler::{Handler, HandlerCommand, Status};
use super::invoker::Invoker;
use super::listener;
use super::options::HostOptions;
use super::port::free_port;
use super::server;
use super::zone::Zone;

/// The stand-in, running. [`Host::stop`] ends everything that it started; dropping it does so too, without waiting.
#[derive(Debug)]
pub struct Host {
    engine: Arc<Engine>,
    tasks: JoinSet<()>,
}

/// A function as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSummary {
    /// Its name.
    pub name: String,
    /// Type of its trigger; empty for functions in error.
    pub trigger: &'static str,
    /// Where an HTTP function is called.
    pub url: Option<String>,
    /// Upper-case methods that an HTTP function takes; empty: every method.
    pub methods: Vec<String>,
    /// Whether it can run.
    pub state: FunctionState,
}

/// Whether a function can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionState {
    /// It can.
    Running,
    /// It is switched off.
    Disabled,
    /// It cannot; why, in words.
    InError(String),
}

impl Host {
    /// Reads the app, starts its handler and waits until it answers, then lets triggers fire.
    ///
    /// # Errors
    /// The app's files, the port or the handler, in words. Functions in error are none: see [`Host::functions`].
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let events = Events(options.events);
        let settings = AppSettings::new(options.app_settings, true);
        let app = app::load(&options.root, &settings)?;
        let zone = match options.zone {
            Some(zone) => zone,
            None => zone_of(&settings)?,
        };
        let wanted = options.port.unwrap_or(0);
        let port_error = |source| HostError::Port { port: wanted, source };
        let listener = TcpListener::bind(("127.0.0.1", wanted)).await.map_err(port_error)?;
        let url = format!("http://{}", listener.local_addr().map_err(port_error)?);
        let limit = app.host.custom_handler.initialization_timeout;
        let handler = match options.attached {
            Some(port) => Handler::attached(format!("127.0.0.1:{port}")),
            None => {
                let executable = options.handler_executable.as_deref();
                let command =
                    HandlerCommand::resolve(&app, &settings, executable, options.clear_environment)?;
                let port = match app.host.custom_handler.port {
                    Some(port) => port,
                    None => free_port().map_err(|source| HostError::Port { port: 0, source })?,
                };
                Handler::start(command, port, limit, events.clone())
            }
        };
        let invoker = Invoker {
            handler,
            zone,
            clock: HostClock::of(options.sources.clock.clone()),
            timeout: app.host.function_timeout,
            start_limit: limit * 4,
            follow_redirects: !app.host.custom_handler.forwarding,
            traced: app.host.open_telemetry,
            events: events.clone(),
        };
        describe(&app, &events);
        // The host starts a handler three times at the most, and each start ends at its limit.
        if let Err(words) = invoker.handler.wait_ready(limit * 3 + Duration::from_secs(5)).await {
            invoker.handler.stop().await;
            return Err(HostError::Handler(words));
        }
        let engine = Arc::new(Engine::new(app, settings, invoker, url.clone(), options.timers));
        let mut tasks = JoinSet::new();
        tasks.spawn(server::run(engine.clone(), listener));
        events.tell(HostEvent::Ready { url });
        if !options.manual {
            listener::start(&engine, &options.sources, &mut tasks);
        }
        Ok(Self { engine, tasks })
    }

    /// Where HTTP functions and `/admin` are reached, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.engine.url
    }

    /// Every function of the app, those in error too.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionSummary> {
        let running = self.engine.functions.iter().map(|function| FunctionSummary {
            name: function.name.clone(),
            trigger: function.trigger_kind(),
            url: match &function.trigger {
                Trigger::Http(http) => Some(format!("{}/{}", self.engine.url, http.route.template())),
                _ => None,
            },
            methods: match &function.trigger {
                Trigger::Http(http) => http.methods.clone(),
                _ => Vec::new(),
            },
            state: FunctionState::Running,
        });
        let still = |name: &String, state| FunctionSummary {
            name: name.clone(),
            trigger: "",
            url: None,
            methods: Vec::new(),
            state,
        };
        let disabled = self.engine.app.disabled.iter().map(|name| still(name, FunctionState::Disabled));
        let broken = self.engine.app.broken.iter();
        let broken = broken.map(|broken| still(&broken.name, FunctionState::InError(broken.error.clone())));
        running.chain(disabled).chain(broken).collect()
    }

    /// Fires a function with made-up metadata, as `POST /admin/functions/{name}` does, and waits for its end
    /// (retries included). `input` is the body of the message or event; timers ignore it.
    ///
    /// # Errors
    /// Nothing was fired. A function that failed is no error: see the report.
    pub async fn fire(&self, function: &str, input: Option<String>) -> Result<InvocationReport, FireError> {
        let (function, work) = self.engine.prepare(function, input.as_deref())?;
        Ok(self.engine.invoker.run(&function, work).await)
    }

    /// The process id of the handler, while it is ready.
    #[must_use]
    pub fn handler_pid(&self) -> Option<u32> {
        match self.engine.invoker.handler.status() {
            Status::Ready { pid } => Some(pid),
            _ => None,
        }
    }

    /// Kills the handler with SIGKILL. The host starts it again at once and does not count this as an error. Returns
    /// when the killed process is gone; invocations wait until the new one is ready.
    pub async fn kill_handler(&self) {
        self.engine.invoker.handler.kill(Instant::now()).await;
    }

    /// Waits until the host ends by itself, which it does when its handler fails again and again; why, in words.
    ///
    /// A handler that ends with exit code 0 is not that: then the host stays, and every invocation fails.
    pub async fn ended(&self) -> String {
        match self.engine.invoker.handler.gone().await {
            (why, true) => why,
            (_, false) => std::future::pending().await,
        }
    }

    /// Ends everything that the host started and waits for it. Messages in work stay locked until their locks end.
    pub async fn stop(mut self) {
        self.engine.abort();
        self.tasks.shutdown().await;
        self.engine.invoker.handler.stop().await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.engine.abort();
        self.engine.invoker.handler.abort();
    }
}

/// The zone of the settings, or of this machine.
fn zone_of(settings: &AppSettings) -> Result<Zone, HostError> {
    match settings.get("WEBSITE_TIME_ZONE").or_else(|| settings.get("TZ")).filter(|name| !name.is_empty()) {
        Some(name) => Ok(name.parse()?),
        None => Ok(Zone::Local),
    }
}

/// Says what a person should know about the app before it runs.
fn describe(app: &App, events: &Events) {
    for broken in &app.broken {
        events.log(
            LogLevel::Error,
            format!("the function {:?} is in error and will not run: {}", broken.name, broken.error),
        );
    }
    for name in &app.disabled {
        events.log(LogLevel::Information, format!("the function {name:?} is disabled"));
    }
    if app.functions.is_empty() {
        let words = format!(
            "no function can run: the host looks for function.json in the direct child folders of {}",
            app.root.display()
        );
        events.log(LogLevel::Warning, words);
    }
    for function in &app.functions {
        let supported = matches!(function.trigger, Trigger::Timer(_) | Trigger::EventHub(_))
            || ["kafkaTrigger", "cosmosDBTrigger"].contains(&function.trigger_kind());
        if function.retry.is_some() && !supported && !matches!(function.trigger, Trigger::Http(_)) {
            let words = format!(
                "{}: a retry policy is not supported for {}; the host still retries in memory, while locks run out",
                function.name,
                function.trigger_kind()
            );
            events.log(LogLevel::Warning, words);
        }
        for binding in function.bindings.iter().filter(|binding| binding.direction != Direction::Out) {
            let words = format!(
                "{}: the input {:?} ({}) is not simulated: its value is null",
                function.name, binding.name, binding.kind
            );
            events.log(LogLevel::Warning, words);
        }
    }
}
