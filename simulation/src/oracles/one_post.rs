//! Never two POSTs of a sync under way for one namespace.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::NamespaceTruth;

use super::{Event, Oracle, synchronized};

/// A claim is believed for four minutes by the clock of its reader, which may be two minutes ahead of the clock that wrote it, and its
/// POST may be sent for the last time a minute after it (ARCHITECTURE.md, "The last POST"). What is left is the time for which no other
/// follows while its effect is open.
const BELIEVED: Duration = Duration::from_secs(60);

/// The last POST of each namespace whose effect is open.
#[derive(Default)]
pub(super) struct OnePost {
    open: BTreeMap<String, Open>,
}

/// A POST whose effect is open.
struct Open {
    number: u64,
    sent: Duration,
    /// Whether the service has taken it.
    is_taken: bool,
}

impl OnePost {
    /// Where every hub has what it should have, or the service has ended the sync, no effect is open any more.
    fn close(&mut self, truth: &[NamespaceTruth]) {
        for namespace in truth {
            let is_whole = namespace.policies.iter().all(|policy| policy.lacking.is_empty());
            let has_ended = |open: &Open| open.is_taken && !namespace.is_syncing;
            let id = namespace.id.to_ascii_lowercase();
            if is_whole || self.open.get(&id).is_some_and(has_ended) {
                self.open.remove(&id);
            }
        }
    }
}

impl Oracle for OnePost {
    fn name(&self) -> &'static str {
        "one-post"
    }

    fn promise(&self) -> &'static str {
        "while the effect of one POST of a namespace's sync is open, no other is sent"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::Sent { call, truth } => {
                let Some(namespace) = synchronized(call) else { return Vec::new() };
                self.close(truth);
                let open = Open { number: call.number, sent: at, is_taken: false };
                let open = self.open.insert(namespace.clone(), open);
                let early = open.filter(|open| at < open.sent + BELIEVED);
                let told = early.map(|Open { number, sent, .. }| {
                    let seconds = (at - sent).as_secs();
                    format!(
                        "call {} for {namespace}, {seconds} s after call {number}, whose effect is open",
                        call.number
                    )
                });
                return told.into_iter().collect();
            }
            Event::Served { call, status: 200..=299, .. } => {
                let Some(namespace) = synchronized(call) else { return Vec::new() };
                let open = self.open.get_mut(&namespace).filter(|open| open.number == call.number);
                open.into_iter().for_each(|open| open.is_taken = true);
            }
            // Refused, or not sent at all, for all that the caller can know. A service that is broken may have done it.
            Event::Answered { call, status: Some(400..=499), .. }
            | Event::Answered { call, is_sent: false, .. } => {
                let Some(namespace) = synchronized(call) else { return Vec::new() };
                if self.open.get(&namespace).is_some_and(|open| open.number == call.number) {
                    self.open.remove(&namespace);
                }
            }
            Event::TrustLost { before, .. } => self.close(before),
            _ => {}
        }
        Vec::new()
    }
}
