//! Connections to the handler: one per concurrent call, kept for the next one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::WireError;
use super::incoming::{Incoming, Response};
use super::outgoing::Outgoing;

/// How long an unused connection is kept (.NET's default).
const IDLE: Duration = Duration::from_secs(60);

/// Connections to one address.
#[derive(Debug)]
pub struct Client {
    address: String,
    idle: Mutex<Vec<(Instant, TcpStream)>>,
}

impl Client {
    /// A client of `address` (`host:port`) without connections.
    #[must_use]
    pub fn new(address: String) -> Self {
        Self { address, idle: Mutex::new(Vec::new()) }
    }

    /// The address, as it stands in `Host`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Drops every kept connection.
    pub fn forget(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Sends a request and reads the whole response. It is never sent twice. The caller sets the deadline.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn send(&self, request: &Outgoing) -> Result<Response, WireError> {
        let mut stream = match self.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let bytes = request.to_bytes();
        let mut buffer = BytesMut::with_capacity(4096);
        let (read, mut write) = stream.split();
        let mut incoming = Incoming::new(read, &mut buffer);
        let mut sent = None;
        let response = {
            let send = write.write_all(&bytes);
            let receive = incoming.response(request.method == "HEAD");
            tokio::pin!(send, receive);
            loop {
                // A handler may answer and close without reading everything: the answer counts, so a failure to
                // write is no reason to stop reading.
                tokio::select! {
                    biased;
                    response = &mut receive => break response?,
                    result = &mut send, if sent.is_none() => sent = Some(result.is_ok()),
                }
            }
        };
        if response.reusable && sent == Some(true) && buffer.is_empty() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), stream));
        }
        Ok(response)
    }

    async fn connect(&self) -> Result<TcpStream, WireError> {
        let connect = |source| WireError::Connect { address: self.address.clone(), source };
        let stream = TcpStream::connect(&self.address).await.map_err(connect)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A kept connection that the handler has not closed meanwhile.
    fn take(&self) -> Option<TcpStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((since, stream)) = idle.pop() {
            let quiet = matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
            if quiet && since.elapsed() < IDLE {
                return Some(stream);
            }
        }
        None
    }
}
