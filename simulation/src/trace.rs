//! What happened, a line each, in the order in which it happened.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Time;

/// Collects lines. Clones write into one trace.
#[derive(Clone)]
pub struct Trace {
    time: Time,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Trace {
    /// Without a line yet.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self { time, lines: Arc::default() }
    }

    /// Writes a line, with the time before it. It must hold nothing that differs from run to run, such as a thumbprint.
    pub fn line(&self, what: impl Display) {
        let since = self.time.since();
        let (seconds, milliseconds) = (since.as_secs(), since.subsec_millis());
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        let line = format!("{hours:02}:{minutes:02}:{:02}.{milliseconds:03} {what}", seconds % 60);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}
