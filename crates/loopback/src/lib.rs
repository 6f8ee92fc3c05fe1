//! Servers on this machine for tests: no crate that ships uses it, and it knows no service, so both our clients and the
//! simulated Azure may stand on it.
#![warn(missing_docs)]

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on a port of its own. It is gone when it is dropped.
pub struct Server {
    origin: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves what `router` makes of the server's own origin.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(router: impl FnOnce(&str) -> Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let router = router(&origin);
        let task = tokio::spawn(async move {
            // It ends only when its task is ended.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { origin, task })
    }

    /// Where it listens: `http://127.0.0.1:PORT`, without a slash behind.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
