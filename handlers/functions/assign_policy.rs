//! `assign-policy`: diagnostic records of a DPS say that an enrollment group was written; reconcile that group.

use certificate_management::plural;
use functions_host::{DataType, Definition, Failure, Invocation, Reply, Trigger};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::application::Application;
use crate::assignment::{self, Waker};
use crate::diagnostic_records;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "assign-policy",
    trigger: Trigger::EventHub { binding: "records", many: true, data_type: Some(DataType::String) },
    outputs: &[],
};

/// Reconciles every group that a record of the batch may be about.
///
/// # Errors When a group could not be read or written. Without a retry policy the host moves on in the event hub all
/// the same; then the timer catches the groups that were missed.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    // Parsed one at a time, since a tree takes many times the memory of its text.
    let batch = invocation.event_hub_batch::<IgnoredAny>("records")?;
    let mut hints = Vec::new();
    let mut malformed = 0;
    for event in &batch.events {
        match serde_json::from_str::<Value>(&event.text) {
            Ok(body) => hints.extend(diagnostic_records::hints(&body)),
            Err(error) => {
                malformed += 1;
                tracing::warn!(
                    sequence_number = event.sequence_number,
                    "a record is not JSON and was left out: {error}"
                );
            }
        }
    }
    hints.sort();
    hints.dedup();
    tracing::info!(events = batch.events.len(), malformed, groups = hints.len(), "read diagnostic records");
    if hints.is_empty() {
        return Ok(Reply::success());
    }
    reply(&assignment::reconcile(application, hints, Waker::of(DEFINITION.name, &invocation)).await)
}

/// The reply for a run: a failure when another try may succeed.
pub(super) fn reply(done: &assignment::RunSummary) -> Result<Reply, Failure> {
    let summary = format!(
        "run {}: {} looked at: {} assigned, {} waiting for trust, {} left alone in audit mode, {} failed",
        done.run,
        plural::count(done.groups, "group"),
        done.assigned,
        done.waiting,
        done.audited,
        done.failures.len()
    );
    tracing::info!("{summary}");
    if done.failures.is_empty() {
        return Ok(Reply::success().log(summary));
    }
    Err(Failure::new("some groups could not be reconciled").detail(done.failures.join("; ")))
}
