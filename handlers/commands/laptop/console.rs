//! Prints for a person: numbered steps, a progress line while something runs, tables. Colours only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

pub use crate::commands::table::table;
use crate::visible::lines;

/// A story, told step by step.
#[derive(Default)]
pub struct Story {
    steps: usize,
}

impl Story {
    /// Begins the next step.
    pub fn step(&mut self, title: &str) {
        self.steps += 1;
        anstream::println!("\n\u{1b}[1m{}. {}\u{1b}[0m", self.steps, lines(title));
    }

    /// Tells something that happened.
    pub fn tell(&self, text: &str) {
        anstream::println!("   {}", lines(text));
    }

    /// Tells something that was checked and holds.
    pub fn proven(&self, text: &str) {
        anstream::println!("   \u{1b}[32m✓\u{1b}[0m {}", lines(text));
    }

    /// A table under the current step.
    pub fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        for line in table(header, rows).lines() {
            say!("   {line}");
        }
    }
}

/// A line that shows that something runs, and since when; nothing where stderr is no terminal.
pub struct Progress {
    bar: ProgressBar,
    since: Instant,
}

impl Progress {
    /// Shows the line.
    pub fn start(text: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("   {spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(lines(&text.into()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, since: Instant::now() }
    }

    /// Changes its text.
    pub fn update(&self, text: impl Into<String>) {
        self.bar.set_message(lines(&text.into()));
    }

    /// How long it has been shown.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
