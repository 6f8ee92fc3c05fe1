//! Nothing is written in audit, under the kill switch, nor in a freeze.

use std::time::Duration;

use super::{Event, Oracle, may_write};

/// Asks of each write whether the configuration in force lets it be.
pub(super) struct ModeHolds;

impl Oracle for ModeHolds {
    fn name(&self) -> &'static str {
        "mode"
    }

    fn promise(&self) -> &'static str {
        "nothing is written to Azure in audit, under the kill switch, nor in a freeze"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Sent { call, .. } = event else { return Vec::new() };
        if !may_write(call) || call.is_permitted {
            return Vec::new();
        }
        vec![format!("call {}: {} {}", call.number, call.method, call.path)]
    }
}
