//! Prints for a person: numbered steps, a progress line while something runs, tables. Colours only on a terminal.

use std::time::{Duration, Instant};

use crate::commands::bar::Bar;
use crate::commands::table::wrapping::measured;
use crate::commands::table::{self, Table};
use crate::commands::terminal;
use crate::commands::terminal_size::terminal_width;
use crate::commands::tone::Tone;
use crate::visible::lines;

/// What stands before what a step tells.
const INDENT: &str = "   ";

/// A story, told step by step.
#[derive(Default)]
pub struct Story {
    steps: usize,
}

impl Story {
    /// Begins the next step.
    pub fn step(&mut self, title: &str) {
        self.steps += 1;
        terminal::show(&format!("\n{}", Tone::Strong.on(&format!("{}. {}", self.steps, lines(title)))));
    }

    /// Tells something that happened.
    pub fn tell(&self, text: &str) {
        self.print(INDENT, text);
    }

    /// Tells something that was checked and holds.
    pub fn proven(&self, text: &str) {
        self.print(&format!("{INDENT}{} ", Tone::Good.on("✓")), text);
    }

    /// A table under the current step.
    pub fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        let table = Table::of(header, rows).render(table::screen_width().saturating_sub(INDENT.len()));
        terminal::show(&format!("{INDENT}{}", table.replace('\n', &format!("\n{INDENT}"))));
    }

    /// On a terminal a text fits the width; elsewhere a line stays one.
    fn print(&self, mark: &str, text: &str) {
        let indent = " ".repeat(measured(&table::plain(mark)));
        let text = match terminal_width() {
            Some(width) => table::wrapped(&lines(text), width.saturating_sub(indent.len())),
            None => lines(text),
        };
        terminal::show(&format!("{mark}{}", text.replace('\n', &format!("\n{indent}"))));
    }
}

/// A line that shows that something runs, and since when; nothing where stderr is no terminal.
pub struct Progress {
    bar: Bar,
    since: Instant,
}

impl Progress {
    /// Shows the line.
    pub fn start(text: impl Into<String>) -> Self {
        let bar = Bar::start("   {spinner} {msg} ({elapsed})", 0);
        bar.set_message(lines(&text.into()));
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
