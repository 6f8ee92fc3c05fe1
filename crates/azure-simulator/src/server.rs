//! Starts and stops the simulated Azure on a port.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use trigger_sources::{ClockSource, EventGridSource, EventHubSource, QueueSource};

use super::clock::Clock;
use super::faults::Faults;
use super::front::Front;
use super::in_process::InProcess;
use super::log::Log;
use super::options::Options;
use super::world::{ActionError, WorldError};

/// How long to leave off when the machine can take no more connections.
const PAUSE: Duration = Duration::from_millis(100);

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
    inside: InProcess,
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
        let inside = InProcess::new(options, &url)?;
        inside.open_device_endpoints().await.map_err(StartError::DeviceEndpoint)?;
        let server = tokio::spawn(accept(listener, Arc::clone(inside.front())));
        Ok(Self { url, inside, server })
    }

    /// `http://127.0.0.1:P`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The clock of the whole cloud. Push it with [`Simulator::advance`], which wakes the receivers that wait for it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.inside.clock()
    }

    /// Pushes the clock forward and lets every waiting receiver look again.
    pub fn advance(&self, step: time::Duration) {
        self.inside.advance(step);
    }

    /// What exists, as `GET /simulator/state` shows it.
    #[must_use]
    pub fn state(&self) -> Value {
        self.inside.state()
    }

    /// As [`InProcess::rotate`].
    ///
    /// # Errors
    /// When there is no such thing, when it has no issuing CA yet, or when it is a root.
    pub fn rotate(&self, id: &str) -> Result<(), ActionError> {
        self.inside.rotate(id)
    }

    /// The Service Bus queues, as the real host reaches them over AMQP.
    #[must_use]
    pub fn queues(&self) -> Arc<dyn QueueSource> {
        self.inside.queues()
    }

    /// The event hub of the diagnostic records.
    #[must_use]
    pub fn event_hubs(&self) -> Arc<dyn EventHubSource> {
        self.inside.event_hubs()
    }

    /// The events of the one Event Grid subscription.
    #[must_use]
    pub fn event_grid(&self) -> Arc<dyn EventGridSource> {
        self.inside.event_grid()
    }

    /// The clock, for timers that go by it.
    #[must_use]
    pub fn clock_source(&self) -> Arc<dyn ClockSource> {
        Arc::new(self.inside.clock().clone())
    }

    /// Every request so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.inside.log()
    }

    /// The installed faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.inside.faults()
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
