//! Notices that the process which started this one is gone.
//!
//! The Functions host ends its handler by SIGKILL when it shuts down in order, but a host that crashes or is killed
//! leaves the handler behind, still holding its port and its timers. Linux can send a signal when the parent dies, but
//! that signal follows the parent's *thread*, and .NET lets the thread that started us end while the host lives on. So
//! this module polls the parent's process id instead: it changes when the system hands the process to another parent.

use std::time::Duration;

/// How often the parent is polled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The process that was our parent at one point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent(u32);

impl Parent {
    /// The parent of now. Take it as early as possible: if it has died before, there is nothing to notice any more.
    #[must_use]
    pub fn current() -> Self {
        Self(parent_id())
    }

    /// Whether that process is still our parent.
    #[must_use]
    pub fn is_here(self) -> bool {
        parent_id() == self.0
    }

    /// Waits until that process is gone: at most [`POLL_INTERVAL`] longer than it lives.
    pub async fn gone(self) {
        let mut polls = tokio::time::interval(POLL_INTERVAL);
        polls.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.is_here() {
            polls.tick().await;
        }
    }
}

/// Waits until the process that is our parent now is gone.
pub fn gone() -> impl Future<Output = ()> + Send + 'static {
    Parent::current().gone()
}

#[cfg(unix)]
fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

/// Elsewhere a process keeps its parent's id for ever, so the handler never notices that its parent is gone.
#[cfg(not(unix))]
fn parent_id() -> u32 {
    0
}
