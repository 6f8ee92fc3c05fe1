//! Where there is nothing to do, nothing is done.

use std::time::Duration;

use super::{Event, Oracle};

/// Looks at what the last round wrote and sent.
#[derive(Default)]
pub(super) struct Silence {
    /// Something is as it should not be, and the app asks again for what is forbidden, some times a day.
    lacks_roles: bool,
}

impl Oracle for Silence {
    fn name(&self) -> &'static str {
        "silence"
    }

    fn promise(&self) -> &'static str {
        "once everything is as it should be, a whole round writes nothing to Azure and sends no message"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        if let Event::Access { is_whole, .. } = event {
            self.lacks_roles = !is_whole;
        }
        let Event::LastRound { writes, messages } = event else { return Vec::new() };
        if self.lacks_roles {
            return Vec::new();
        }
        let written =
            writes.iter().map(|call| format!("call {}: {} {}", call.number, call.method, call.path));
        let sent = (*messages > 0).then(|| format!("{messages} messages"));
        written.chain(sent).collect()
    }
}
