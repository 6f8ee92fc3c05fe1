//! Starts and stops the simulated Azure as a whole.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::arm_error::ArmError;
use super::clock::Clock;
use super::cloud::Cloud;
use super::control::{self, Control};
use super::device_endpoints::DeviceEndpoints;
use super::faults::{Fault, Faults};
use super::fleet::Fleet;
use super::front::Front;
use super::identity::{self, Tokens};
use super::log::Log;
use super::service_bus::queues::DEFAULT_QUEUES;
use super::service_bus::rest::{self, Rest};
use super::service_bus::{Queues, Settings};
use super::throttle::{Limits, Throttle};
use super::world::{ActionError, WorldError};
use super::{custom_topics, provisioning, resource_manager, start, storage};
use trigger_sources::{ClockSource, EventGridSource, EventHubSource, QueueSource};

/// How long to leave off when the machine can take no more connections.
const PAUSE: Duration = Duration::from_millis(100);

/// The options of a simulated Azure.
#[derive(Debug)]
pub struct Options {
    /// Port on 127.0.0.1; a free one when absent or 0.
    pub port: Option<u16>,
    /// The resources at the start.
    pub fleet: Fleet,
    /// Names and chances come from it; the same seed makes the same world.
    pub seed: u64,
    /// The faults at the start.
    pub faults: Vec<Fault>,
    /// The managed identity endpoint refuses a request that names no identity.
    pub user_assigned: bool,
    /// The budgets of callers.
    pub limits: Limits,
    /// Names of the Service Bus queues.
    pub queues: Vec<String>,
    /// Properties of those queues.
    pub queue_settings: Settings,
    /// The clock; [`Clock::followed`] makes one that callers go by too.
    pub clock: Clock,
}

impl Default for Options {
    /// The default fleet on a free port, with nothing going wrong.
    fn default() -> Self {
        Self {
            port: None,
            fleet: Fleet::default_fleet(),
            seed: 1,
            faults: Vec::new(),
            user_assigned: false,
            limits: Limits::default(),
            queues: DEFAULT_QUEUES.map(str::to_owned).to_vec(),
            // As in the deployed request queue.
            queue_settings: Settings { dead_letters_expired: true, ..Settings::default() },
            clock: Clock::default(),
        }
    }
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error(
        "port {port} is already taken; stop the program that listens there, or choose another port (0: any free one)"
    )]
    PortTaken {
        /// The port that was asked for.
        port: u16,
    },
    /// The machine refused for another reason.
    #[error("cannot listen on 127.0.0.1, port {port}; choose another port (0: any free one)")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The fleet cannot be built.
    #[error("the simulated fleet cannot be built")]
    World(#[from] WorldError),
    /// A hub has no TLS endpoint for its devices.
    #[error("a device endpoint of a simulated hub cannot be opened")]
    DeviceEndpoint(#[source] io::Error),
}

/// A running simulated Azure. It ends when it is dropped.
pub struct Simulator {
    url: String,
    clock: Clock,
    cloud: Arc<Cloud>,
    device_endpoints: Arc<DeviceEndpoints>,
    queues: Arc<Queues>,
    log: Arc<Log>,
    faults: Arc<Faults>,
    server: JoinHandle<()>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts it; when this returns it answers.
    ///
    /// # Errors
    /// When the port is taken or the fleet cannot be built.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let wanted = options.port.unwrap_or(0);
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::PortTaken { port: wanted },
            _ => StartError::Listen { port: wanted, source },
        };
        // The port comes first, so that a wrong one fails at once, and not after the keys of a fleet have been made.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let url = format!("http://{address}");

        let clock = options.clock;
        let cloud = start::cloud(options.fleet, clock.clone(), options.seed)?;
        cloud.set_base_url(url.clone());
        let device_endpoints = DeviceEndpoints::new(clock.now()).map_err(WorldError::Pki)?;
        device_endpoints.open(&cloud).await.map_err(StartError::DeviceEndpoint)?;
        let device_endpoints = Arc::new(device_endpoints);

        let queues = Queues::new(&options.queues, options.queue_settings, clock.clone());
        let log = Arc::new(Log::default());
        let faults = Arc::new(Faults::new(options.faults, options.seed));
        let tokens = Arc::new(Tokens::default());
        let control = Control {
            clock: clock.clone(),
            log: Arc::clone(&log),
            faults: Arc::clone(&faults),
            queues: Arc::clone(&queues),
            cloud: Arc::clone(&cloud),
            device_endpoints: Arc::clone(&device_endpoints),
        };
        let service_bus =
            Rest { queues: Arc::clone(&queues), clock: clock.clone(), base_url: Arc::from(url.as_str()) };
        let endpoint =
            identity::Endpoint { tokens: Arc::clone(&tokens), user_assigned: options.user_assigned };
        let services = Router::new()
            .merge(control::router(control))
            .merge(identity::router(endpoint))
            .merge(rest::router(service_bus))
            .merge(storage::router(clock.clone()))
            .merge(custom_topics::router(Arc::clone(cloud.feeds())))
            .merge(resource_manager::router(Arc::clone(&cloud)))
            .merge(provisioning::router(Arc::clone(&cloud)))
            .fallback(nothing_here);
        let front = Front {
            clock: clock.clone(),
            log: Arc::clone(&log),
            faults: Arc::clone(&faults),
            throttle: Throttle::new(options.limits),
            permissions: Arc::clone(cloud.permissions()),
            tokens,
            services: TowerToHyperService::new(services),
        };
        let server = tokio::spawn(accept(listener, Arc::new(front)));
        Ok(Self { url, clock, cloud, device_endpoints, queues, log, faults, server })
    }

    /// `http://127.0.0.1:P`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The clock of the whole cloud. Push it with [`Simulator::advance`], which wakes the receivers that wait for it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Pushes the clock forward and lets every waiting receiver look again.
    pub fn advance(&self, step: time::Duration) {
        self.clock.advance(step);
        self.queues.wake();
    }

    /// What exists, as `GET /simulator/state` shows it.
    #[must_use]
    pub fn state(&self) -> Value {
        control::state::state(&self.cloud, &self.device_endpoints)
    }

    /// A renewal of an issuing CA that the service does on its own. `id` is the ARM id of a credential policy, whose hubs
    /// stay untouched; or of a certificate authority or its policy, whose hubs get the new one by the service's push.
    ///
    /// # Errors
    /// When there is no such thing, when it has no issuing CA yet, or when it is a root.
    pub fn rotate(&self, id: &str) -> Result<(), ActionError> {
        self.cloud.rotate(id)
    }

    /// The Service Bus queues, as the real host reaches them over AMQP.
    #[must_use]
    pub fn queues(&self) -> Arc<dyn QueueSource> {
        Arc::clone(&self.queues) as Arc<dyn QueueSource>
    }

    /// The event hub of the diagnostic records.
    #[must_use]
    pub fn event_hubs(&self) -> Arc<dyn EventHubSource> {
        Arc::clone(self.cloud.feeds()) as Arc<dyn EventHubSource>
    }

    /// The events of the one Event Grid subscription.
    #[must_use]
    pub fn event_grid(&self) -> Arc<dyn EventGridSource> {
        Arc::clone(self.cloud.feeds()) as Arc<dyn EventGridSource>
    }

    /// The clock, for timers that go by it.
    #[must_use]
    pub fn clock_source(&self) -> Arc<dyn ClockSource> {
        Arc::new(self.clock.clone())
    }

    /// Every request so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The installed faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Ends it: closes the port and every connection, answered or not.
    pub async fn stop(mut self) {
        self.server.abort();
        // The task ends with the error that it was cancelled, as wanted.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn nothing_here() -> ArmError {
    let message = "Nothing is at this path. There are /subscriptions/..., /dps/{name}/..., \
         /{idScope}/registrations/..., /servicebus/{queue}/messages, /storage/{container}, /identity, /eventgrid/{topic}/api/events and \
         /simulator.";
    ArmError::new(StatusCode::NOT_FOUND, "NotFound", message)
}

/// Owns every connection, so that they end with it.
async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&front)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator cannot take a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, front: Arc<Front>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays slow");
    }
    let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let front = Arc::clone(&front);
        async move { front.answer(request.map(Body::new)).await }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
