//! One line that says how far it is: it changes in place on a terminal, and is printed anew elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::commands::table::Output;
use crate::commands::terminal::line;

/// The line. Dropping it takes it away.
pub struct Progress {
    bar: Option<ProgressBar>,
    prints: bool,
    last: String,
}

impl Progress {
    /// Begins. A program that asks for JSON gets one document at the end; on a terminal the line goes to stderr anyway.
    pub fn start(output: Output) -> Self {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self { prints: output == Output::Table && bar.is_none(), bar, last: String::new() }
    }

    /// Says something, unless it is what was said last.
    pub fn show(&mut self, text: &str) {
        if text == self.last {
            return;
        }
        text.clone_into(&mut self.last);
        let text = line(text);
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if self.prints => say!("{text}"),
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
