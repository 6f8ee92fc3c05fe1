//! One line that says how far it is: it changes in place on a terminal, and is printed anew elsewhere.

use std::io::IsTerminal;

use crate::commands::bar::Bar;
use crate::commands::table::Output;
use crate::commands::terminal::line;

/// The line. Dropping it takes it away.
pub struct Progress {
    bar: Option<Bar>,
    prints: bool,
    last: String,
}

impl Progress {
    /// Begins. A program that asks for JSON gets one document at the end; on a terminal the line goes to stderr anyway.
    pub fn start(output: Output) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| Bar::start("{spinner} {msg}", 0));
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
