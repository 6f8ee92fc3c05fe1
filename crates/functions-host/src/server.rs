//! Listens for the host, and ends in one of several ways.
//!
//! It listens on the loopback address only: the host connects to `127.0.0.1`, and there is no secret between the two,
//! so no other machine may connect.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::sync::oneshot;

use crate::parent::Parent;
use crate::router::Router;

/// The variable in which the host names the port of the handler.
const PORT_VARIABLE: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// How long invocations may still run after SIGTERM or SIGINT, unless said otherwise.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// Why the handler cannot listen. The process should end with this text and a status other than 0, which tells the host
/// to start it again; status 0 would tell it never to do so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The port variable is missing.
    #[error(
        "FUNCTIONS_CUSTOMHANDLER_PORT is not set: let the Functions host start this program, or set it to a free port"
    )]
    MissingPort,
    /// The port variable is no port.
    #[error("FUNCTIONS_CUSTOMHANDLER_PORT is not a port: set it to a number from 1 to 65535")]
    InvalidPort,
    /// Another socket listens on the port.
    #[error(
        "port {port} of 127.0.0.1 is already taken: stop the program that listens there (perhaps an earlier handler \
         that is still running), or choose another port"
    )]
    Taken {
        /// The port that was asked for.
        port: u16,
    },
    /// The operating system refused the port for another reason.
    #[error("cannot listen on port {port} of 127.0.0.1: {error}; choose another port")]
    Refused {
        /// The port that was asked for.
        port: u16,
        /// What the operating system said.
        #[source]
        error: io::Error,
    },
}

/// Why [`Server::serve`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The process that started us is gone.
    ParentGone,
    /// SIGTERM.
    Terminated,
    /// SIGINT: Ctrl+C.
    Interrupted,
}

impl Stopped {
    /// The status to exit with: 128 and the number of the signal, where a lost parent counts as a hang-up. Never 0,
    /// after which a living host would not start its handler again.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::ParentGone => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// [`status`](Self::status) as `main` returns it.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

/// A bound port of the loopback address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    parent: Parent,
    grace: Duration,
}

impl Server {
    /// Listens on `127.0.0.1:port`; port 0 takes a free one. From then on the host can connect, and takes the open
    /// port for readiness: do everything else before, and [`serve`](Self::serve) at once.
    ///
    /// # Errors
    /// [`BindError::Taken`] or [`BindError::Refused`].
    pub fn bind(port: u16) -> Result<Self, BindError> {
        let refuse = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken { port },
            _ => BindError::Refused { port, error },
        };
        let parent = Parent::current();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        Ok(Self { listener, address, parent, grace: DEFAULT_GRACE })
    }

    /// Listens on the port that the host names in `FUNCTIONS_CUSTOMHANDLER_PORT`.
    ///
    /// # Errors
    /// Every [`BindError`].
    pub fn from_environment() -> Result<Self, BindError> {
        Self::bind(port(std::env::var(PORT_VARIABLE).ok().as_deref())?)
    }

    /// The address with its real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How long invocations may still run after SIGTERM or SIGINT; five seconds unless set.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Serves until the process gets SIGTERM or SIGINT, or its parent is gone; it never ends by itself otherwise.
    ///
    /// After a signal the server accepts no connection, and running invocations may finish within the grace period.
    /// When the parent is gone no host waits for an answer, so the server ends at once. It drops an invocation where it
    /// stands when the host closes its connection.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket or the signals.
    pub async fn serve(self, router: Router) -> io::Result<Stopped> {
        // This comes before the first connection, so that no signal is missed.
        let stop = Stop::watch(self.parent)?;
        // Sends answers without delay: they are small, and the host waits for them.
        let listener = tokio::net::TcpListener::from_std(self.listener)?.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "answers on this connection may be delayed");
            }
        });
        let (drain, draining) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router.into_service()).with_graceful_shutdown(async {
            // An error means that the sender was dropped, which happens only when serving is over.
            let _ = draining.await;
        });
        let mut serving = pin!(serving.into_future());
        let stopped = tokio::select! {
            stopped = stop.happens() => stopped,
            ended = &mut serving => {
                ended?;
                return Err(io::Error::other("the listener ended by itself"));
            }
        };
        tracing::info!(reason = ?stopped, "the handler stops");
        if stopped != Stopped::ParentGone && drain.send(()).is_ok() {
            match tokio::time::timeout(self.grace, serving).await {
                Ok(ended) => ended?,
                Err(_elapsed) => tracing::warn!("invocations were still running after the grace period"),
            }
        }
        Ok(stopped)
    }
}

/// The signals and the parent that end the server.
struct Stop {
    parent: Parent,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    fn watch(parent: Parent) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            parent,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn happens(mut self) -> Stopped {
        tokio::select! {
            _ = self.terminate.recv() => Stopped::Terminated,
            _ = self.interrupt.recv() => Stopped::Interrupted,
            () = self.parent.gone() => Stopped::ParentGone,
        }
    }

    #[cfg(not(unix))]
    fn watch(parent: Parent) -> io::Result<Self> {
        Ok(Self { parent })
    }

    #[cfg(not(unix))]
    async fn happens(self) -> Stopped {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => Stopped::Interrupted,
            () = self.parent.gone() => Stopped::ParentGone,
        }
    }
}

/// The port that the variable's value names.
fn port(value: Option<&str>) -> Result<u16, BindError> {
    let value = value.ok_or(BindError::MissingPort)?;
    value.trim().parse().map(NonZeroU16::get).map_err(|_| BindError::InvalidPort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_what_the_host_says_or_an_error_that_says_what_to_do() {
        assert_eq!(port(Some("42111")).unwrap(), 42111);
        assert!(matches!(port(None), Err(BindError::MissingPort)));
        for value in ["", "0", "65536", "-1", "port"] {
            assert!(matches!(port(Some(value)), Err(BindError::InvalidPort)), "{value}");
        }
    }
}
