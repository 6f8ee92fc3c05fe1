//! `report-policy-status`: observes as many namespaces as its time allows, writes the report, announces findings once, requests
//! syncs that are needed, and sends the follow-ups and requests again whose messages were lost.

use certificate_management::alerting::FindingEvent;
use certificate_management::plural;
use functions_host::{Definition, Failure, Invocation, Output, OutputKind, Reply, Trigger};

use crate::application::Application;
use crate::{alerting, reporting};

/// The output binding of the topic.
const FINDINGS: &str = "findings";

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "report-policy-status",
    trigger: Trigger::Timer { binding: "timer" },
    outputs: &[(FINDINGS, OutputKind::EventGrid)],
};

/// Makes the report.
///
/// # Errors
/// When it could not be recorded, or something beside it failed; the next firing tries again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let timer = invocation.timer("timer")?;
    let done = reporting::run(application).await;
    let done = done.map_err(|error| Failure::new("the report could not be recorded").because(&error))?;
    let summary = format!(
        "report written: {} seen, {} not in time; {}; {} told; {} submitted, {} sent again, {} taken in",
        plural::count(done.namespaces, "namespace"),
        done.not_visited,
        plural::count(done.findings, "finding"),
        done.events.len(),
        plural::count(done.submitted, "sync request"),
        plural::count(done.resumed, "lost follow-up"),
        plural::count(done.taken_in, "lost request")
    );
    tracing::info!(is_past_due = timer.is_past_due, "{summary}");
    let failures = done.failures.join("; ");
    if !failures.is_empty() {
        let failure = Failure::new("the report was written, but not all beside it").detail(failures.clone());
        // A failed invocation has no outputs. A failure beside the report must not keep findings back for ever, so a
        // run with events succeeds; the run after it fails instead, if the failure is still there.
        if done.events.is_empty() {
            return Err(failure);
        }
        tracing::error!("the report was written, but not all beside it: {failures}");
    }
    let reply = Reply::success().log(summary);
    if done.events.is_empty() { Ok(reply) } else { deliver(application, reply, &done.events) }
}

/// Puts events into the reply, and confirms them once the reply is handed over.
fn deliver(application: &Application, reply: Reply, events: &[FindingEvent]) -> Result<Reply, Failure> {
    let output = Output::list(events)
        .map_err(|error| Failure::new("the findings cannot be delivered").detail(error.to_string()))?;
    events.iter().for_each(alerting::log);
    let store = application.store.clone();
    let event_ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
    let confirm = move || {
        tokio::spawn(async move {
            if let Err(error) = alerting::confirm(&store, &event_ids).await {
                tracing::warn!("{} events will be sent again, with the same ids: {error}", event_ids.len());
            }
        });
    };
    Ok(reply.output(FINDINGS, output).when_sent(confirm))
}
