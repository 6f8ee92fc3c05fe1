//! Hands everything that happens to the oracles, and keeps what they found.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Time;
use crate::oracles::{Call, Event, Oracle, is_message, may_write};
use crate::trace::Trace;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of the oracle.
    pub oracle: &'static str,
    /// Its promise.
    pub promise: &'static str,
    /// When, since the beginning of the play.
    pub at: std::time::Duration,
    /// What broke it.
    pub what: String,
}

/// The oracles of a play, and what they found. Clones are one.
#[derive(Clone)]
pub struct Judge {
    time: Time,
    trace: Trace,
    state: Arc<Mutex<State>>,
}

struct State {
    oracles: Vec<Box<dyn Oracle>>,
    found: Vec<Violation>,
    /// Writes and messages since [`Judge::begin_round`].
    writes: Vec<Call>,
    messages: u64,
}

impl Judge {
    /// A judge with these oracles.
    #[must_use]
    pub fn new(oracles: Vec<Box<dyn Oracle>>, time: Time, trace: Trace) -> Self {
        let state = State { oracles, found: Vec::new(), writes: Vec::new(), messages: 0 };
        Self { time, trace, state: Arc::new(Mutex::new(state)) }
    }

    /// Shows an event to every oracle.
    pub fn see(&self, event: &Event<'_>) {
        let at = self.time.since();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { oracles, found, writes, messages } = &mut *state;
        if let Event::Sent { call, .. } = event {
            *messages += u64::from(is_message(call));
            writes.extend(may_write(call).then(|| (*call).clone()));
        }
        for oracle in oracles {
            for what in oracle.see(event, at) {
                self.trace.line(format_args!("VIOLATION of {}: {what}", oracle.name()));
                found.push(Violation { oracle: oracle.name(), promise: oracle.promise(), at, what });
            }
        }
    }

    /// From here on writes and messages are counted anew.
    pub fn begin_round(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.writes, state.messages) = (Vec::new(), 0);
    }

    /// The writes and the number of messages since then.
    #[must_use]
    pub fn round(&self) -> (Vec<Call>, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.writes.clone(), state.messages)
    }

    /// What was found so far.
    #[must_use]
    pub fn found(&self) -> Vec<Violation> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).found.clone()
    }
}
