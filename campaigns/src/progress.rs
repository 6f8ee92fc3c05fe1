//! Shows how far a campaign is: one line that changes on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::host::Delivered;

const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Shows how far a campaign is.
pub struct Progress {
    since: Instant,
    bar: Option<ProgressBar>,
    last_line: Mutex<Instant>,
    phase: Mutex<String>,
}

impl Progress {
    /// Starts showing.
    pub fn start() -> Self {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        let now = Instant::now();
        Self { since: now, bar, last_line: Mutex::new(now), phase: Mutex::default() }
    }

    /// Shows the current phase.
    pub fn phase(&self, phase: &str) {
        phase.clone_into(&mut self.phase.lock().unwrap_or_else(PoisonError::into_inner));
        self.print(phase);
    }

    /// Whether it is time to show numbers.
    pub fn is_time(&self) -> bool {
        self.bar.is_some() || self.is_due()
    }

    /// Shows how many messages are in the queue, and what was delivered.
    pub fn show(&self, queued: u64, delivered: Delivered) {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = format!(
            "{phase}: {:.0} s, {} deliveries in {} batches, {queued} messages in the queue",
            self.since.elapsed().as_secs_f64(),
            delivered.deliveries,
            delivered.batches
        );
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None => eprintln!("{text}"),
        }
    }

    /// Ends showing.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => eprintln!("{text}"),
        }
    }

    fn is_due(&self) -> bool {
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.elapsed() >= BETWEEN_LINES;
        if is_due {
            *last = Instant::now();
        }
        is_due
    }
}
