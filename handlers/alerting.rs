//! Findings on their way to the topic: recorded before the reply that carries them, confirmed once it was handed over.
//!
//! The ledger is one record under compare-and-swap, so of two instances that see the same finding one announces it. A
//! run that changes nothing writes nothing.

use certificate_management::alerting::{FindingEvent, Ledger, State};
use certificate_management::report::Report;
use state::{Change, Store, WriteError};
use time::OffsetDateTime;

/// Where the ledger is.
pub const LEDGER: &str = "alerts/ledger";

/// Records what is to be told now; answers the events to deliver.
///
/// # Errors
/// When the ledger cannot be read or written; then nothing must be delivered.
pub async fn announce(
    store: &Store,
    report: &Report,
    now: OffsetDateTime,
) -> Result<Vec<FindingEvent>, WriteError> {
    let mut events = Vec::new();
    let decide = |existing: Option<Ledger>| {
        let before = existing.unwrap_or_default();
        let mut ledger = before.clone();
        events = ledger.advance(report, now);
        if ledger == before { Change::Keep } else { Change::Write(ledger) }
    };
    store.modify(LEDGER, decide).await?;
    Ok(events)
}

/// Records that events were handed over, so that nobody sends them again.
///
/// # Errors
/// When the ledger cannot be read or written; then they are sent again, with the same ids.
pub async fn confirm(store: &Store, event_ids: &[String]) -> Result<(), WriteError> {
    let decide = |existing: Option<Ledger>| {
        let Some(before) = existing else { return Change::Keep };
        let mut ledger = before.clone();
        ledger.confirm(event_ids);
        if ledger == before { Change::Keep } else { Change::Write(ledger) }
    };
    store.modify(LEDGER, decide).await.map(|_| ())
}

/// The log record of an event. An alert rule can match its text: `finding raised: `, `finding escalated: `, `finding
/// cleared: `, then check, severity and step.
pub fn log(event: &FindingEvent) {
    let finding = &event.data.finding;
    let text = format!(
        "finding {}: {} {} {}: {}: {}",
        event.data.state, finding.check, finding.severity, event.data.step, finding.subject, finding.message
    );
    let next_step = finding.next_step.as_str();
    match event.data.state {
        State::Cleared => tracing::info!(event.id, "{text}"),
        State::Raised | State::Escalated => tracing::warn!(event.id, next_step, "{text}"),
    }
}

#[cfg(test)]
mod tests;
