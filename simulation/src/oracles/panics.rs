//! No invocation panics.

use std::time::Duration;

use super::{Event, Oracle};

/// Reads the reasons of failed invocations.
pub(super) struct Panics;

impl Oracle for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn promise(&self) -> &'static str {
        "no invocation panics, and the handler understands every envelope"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Failed { function, reason } = event else { return Vec::new() };
        let ours =
            ["function panicked", "body is not an invocation", "undeclared output", "unknown function"];
        if ours.contains(reason) { vec![format!("{function}: {reason}")] } else { Vec::new() }
    }
}
