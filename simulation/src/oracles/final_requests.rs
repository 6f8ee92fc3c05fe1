//! Every request that was taken has its last outcome in the end.

use std::time::Duration;

use super::{Event, Oracle};

/// Looks at the records when the faults have been over for long enough.
pub(super) struct FinalRequests;

impl Oracle for FinalRequests {
    fn name(&self) -> &'static str {
        "final-requests"
    }

    fn promise(&self) -> &'static str {
        "every request that was taken gets its last outcome, or its message is where a person sees it"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Recovered { requests, .. } = event else { return Vec::new() };
        let open = requests.iter().filter(|request| !request.is_final && !request.is_dead_letter);
        let told = open.map(|request| {
            let outcome = request.outcome.as_deref().unwrap_or("not on record");
            format!("request {} is {outcome}", request.id)
        });
        told.collect()
    }
}
