//! The signals that tell the host to end.

use std::io;

/// Ctrl-C, and on Unix also SIGTERM (a supervisor) and SIGHUP (a terminal that is closed).
pub struct Signals {
    #[cfg(unix)]
    streams: [tokio::signal::unix::Signal; 3],
}

impl Signals {
    /// Catches them, so that none of them ends the process by itself.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let streams = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { streams })
    }

    /// Catches Ctrl-C, so that it does not end the process by itself.
    ///
    /// # Errors
    /// None here.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the first of them.
    #[cfg(unix)]
    pub async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.streams;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Waits for it; an error counts as the signal.
    #[cfg(not(unix))]
    pub async fn any(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
