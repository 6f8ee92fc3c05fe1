//! Every request that was taken has its last outcome in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::{Event, Oracle, RequestState};

/// Looks at the records when the faults have been over for long enough.
#[derive(Default)]
pub(super) struct FinalRequests {
    /// The ids of the requests of which the queue has lost a message.
    vanished: BTreeSet<String>,
}

impl FinalRequests {
    /// Whether nothing in the world knows the request any more: no record could be written, so its message was put back, and the queue lost
    /// that.
    fn is_nowhere(&self, request: &RequestState) -> bool {
        request.outcome.is_none() && self.vanished.contains(&request.id)
    }
}

impl Oracle for FinalRequests {
    fn name(&self) -> &'static str {
        "final-requests"
    }

    fn promise(&self) -> &'static str {
        "every request that is on record gets its last outcome, and one that is not is on the queue, or where a person sees it"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        match event {
            Event::Vanished { text } => {
                let message: Value = serde_json::from_slice(text).unwrap_or_default();
                self.vanished.extend(message["requestId"].as_str().map(str::to_owned));
                Vec::new()
            }
            Event::Recovered { requests, .. } => {
                let open = requests.iter().filter(|request| !request.is_final && !request.is_dead_letter);
                let told = open.filter(|request| !self.is_nowhere(request)).map(|request| {
                    let outcome = request.outcome.as_deref().unwrap_or("not on record");
                    format!("request {} is {outcome}", request.id)
                });
                told.collect()
            }
            _ => Vec::new(),
        }
    }
}
