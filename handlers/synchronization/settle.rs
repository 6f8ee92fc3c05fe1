//! Giving requests their outcome, ending a sync, and scheduling the next look.

use azure::ErrorKind;
use certificate_management::plan::RequestPlan;
use certificate_management::reason::Reason;
use certificate_management::request::{HubOutcome, Outcome, SyncRequest};
use state::Change;
use time::Duration;

use super::batch::BatchError;
use super::records::{self, Phase, SyncRecord};
use super::{pause_before, submission};
use crate::application::Application;
use crate::telemetry::metrics;

/// Gives a request its outcome as a whole.
///
/// # Errors
/// When the record cannot be written.
pub async fn conclude(
    application: &Application,
    request: &SyncRequest,
    outcome: Outcome,
    reason: Reason,
    detail: &str,
) -> Result<(), BatchError> {
    tracing::info!(request.id = request.request_id, reason = reason.code(), "{outcome}: {detail}");
    let now = application.now();
    records::change_request(&application.store, request, now, |record| {
        for hub in record.hubs.iter_mut().filter(|hub| !hub.outcome.is_final()) {
            (hub.outcome, hub.reason) = (outcome, Some(reason));
        }
        record.conclude(outcome, Some(reason), Some(detail.to_owned()), now);
    })
    .await?;
    Ok(())
}

/// Gives a request the outcome of its hubs.
///
/// # Errors
/// When the record cannot be written.
pub async fn conclude_hubs(
    application: &Application,
    request: &SyncRequest,
    hubs: Vec<HubOutcome>,
    detail: Option<String>,
) -> Result<Outcome, BatchError> {
    let now = application.now();
    let record = records::change_request(&application.store, request, now, |record| {
        record.conclude_hubs(hubs.clone(), detail.clone(), now);
    })
    .await?;
    Ok(record.outcome)
}

/// Records that a request's hubs are being synced.
///
/// # Errors
/// When the record cannot be written.
pub async fn conclude_syncing(
    application: &Application,
    request: &SyncRequest,
    hubs: Vec<HubOutcome>,
    sync_id: &str,
) -> Result<(), BatchError> {
    let now = application.now();
    records::change_request(&application.store, request, now, |record| {
        record.sync_id = Some(sync_id.to_owned());
        record.conclude_hubs(hubs.clone(), None, now);
    })
    .await?;
    Ok(())
}

/// Gives a request the outcome that its plan has, where that is one without a sync.
///
/// # Errors
/// When the record cannot be written.
pub async fn conclude_plan(
    application: &Application,
    request: &SyncRequest,
    plan: RequestPlan,
) -> Result<(), BatchError> {
    match plan {
        RequestPlan::AlreadyTrusted(hubs) => {
            tracing::info!(request.id = request.request_id, "every hub in question trusts already");
            conclude_hubs(application, request, hubs, None).await?;
        }
        RequestPlan::Refuse { reason, detail, hubs } => {
            tracing::info!(request.id = request.request_id, reason = reason.code(), "refused: {detail}");
            let now = application.now();
            records::change_request(&application.store, request, now, |record| {
                record.hubs.clone_from(&hubs);
                record.conclude(Outcome::Refused, Some(reason), Some(detail.clone()), now);
            })
            .await?;
        }
        // Nothing of it can change by itself, so there is nothing to wait for.
        RequestPlan::Verify(hubs) if hubs.iter().all(|hub| hub.outcome.is_final()) => {
            let outcome = conclude_hubs(application, request, hubs, None).await?;
            tracing::info!(request.id = request.request_id, outcome = %outcome, "explained");
        }
        RequestPlan::Sync(_) | RequestPlan::Verify(_) => {}
    }
    Ok(())
}

/// Ends a sync. Requests that came too late for it open the next one.
///
/// # Errors
/// When records or queue fail.
pub async fn end(application: &Application, record: SyncRecord) -> Result<(), BatchError> {
    let mut late = Vec::new();
    let current = records::sync(&application.store, &record.namespace_id).await?;
    let joined: Vec<String> = current
        .map(|mut current| {
            current.requests.append(&mut current.waiting);
            current.requests
        })
        .unwrap_or_default();
    for request_id in &joined {
        let known = records::request(&application.store, request_id).await?;
        if known.is_some_and(|known| !known.outcome.is_final()) {
            late.push(request_id.clone());
        }
    }
    let now = application.now();
    let patience = application.patience(&record.namespace_id);
    let next = SyncRecord::gathering(&record.namespace_id, late, record.traceparent.clone(), now, patience);
    let ended = records::change_sync(&application.store, &record.namespace_id, |existing| match existing {
        Some(mut stored) if stored.sync_id == record.sync_id && stored.phase != Phase::Ended => {
            let mut next = next.clone();
            // Whoever joined since we looked is late too.
            let others = stored.requests.iter().chain(&stored.waiting).filter(|id| !joined.contains(id));
            next.requests.extend(others.cloned());
            if next.requests.is_empty() {
                stored.phase = Phase::Ended;
                return (Change::Write(stored), None);
            }
            (Change::Write(next.clone()), Some(next))
        }
        _ => (Change::Keep, None),
    })
    .await?
    .flatten();
    tracing::info!(sync.id = record.sync_id, namespace = record.namespace_id.name(), "the sync has ended");
    if let Some(next) = ended {
        tracing::info!(
            sync.id = next.sync_id,
            requests = next.requests.len(),
            "requests that came later get the next sync"
        );
        submission::follow_up(application, &next).await?;
    }
    Ok(())
}

/// Ends a sync whose requests cannot be judged any more.
///
/// # Errors
/// When records or queue fail.
pub async fn give_up(
    application: &Application,
    record: SyncRecord,
    outcome: Outcome,
    reason: Reason,
    detail: &str,
) -> Result<(), BatchError> {
    for request_id in record.requests.iter().chain(&record.waiting) {
        let Some(known) = records::request(&application.store, request_id).await? else { continue };
        conclude(application, &known.request, outcome, reason, detail).await?;
    }
    measure(application, &record, outcome);
    end(application, record).await
}

/// Measures a sync that ends: how long it took from its claim, and the worst outcome of what it was for.
pub fn measure(application: &Application, record: &SyncRecord, worst: Outcome) {
    if let Some(claimed_at) = record.claimed_at {
        let took = application.now() - claimed_at;
        metrics::sync_ended(&record.namespace_id, worst, took.try_into().unwrap_or_default());
    }
}

/// Ends a sync after an error that another try would not help.
///
/// # Errors
/// When records or queue fail.
pub async fn give_up_on(
    application: &Application,
    record: SyncRecord,
    error: &azure::Error,
) -> Result<(), BatchError> {
    let reason = match error.kind() {
        _ if error.rejects_api_version() => Reason::ApiVersionRejected,
        ErrorKind::NotFound => Reason::NamespaceNotFound,
        ErrorKind::Forbidden | ErrorKind::Unauthorized => Reason::NotPermitted,
        _ => Reason::ServiceRejected,
    };
    give_up(application, record, Outcome::Failed, reason, &error.to_string()).await
}

/// Whether another try may help. A refused token may too, for a while: it may have expired in this very moment.
#[must_use]
pub fn may_pass(application: &Application, record: &SyncRecord, error: &azure::Error) -> bool {
    let is_fresh = application.now() < record.deadline;
    error.is_retryable() || (error.kind() == ErrorKind::Unauthorized && is_fresh)
}

/// Puts a sync off after an error that passes. Its requests stay queued, and say why.
///
/// # Errors
/// When records or queue fail.
pub async fn put_off(
    application: &Application,
    record: SyncRecord,
    error: &azure::Error,
) -> Result<(), BatchError> {
    tracing::warn!(sync.id = record.sync_id, attempt = record.attempt, "put off: {error}");
    let now = application.now();
    for request_id in &record.requests {
        let Some(known) = records::request(&application.store, request_id).await? else { continue };
        records::change_request(&application.store, &known.request, now, |record| {
            record.conclude(Outcome::Queued, Some(Reason::ServiceUnavailable), Some(error.to_string()), now);
        })
        .await?;
    }
    let asked = error.retry_after().and_then(|pause| Duration::try_from(pause).ok()).unwrap_or_default();
    let pause = pause_before(record.attempt, &record.sync_id).max(asked);
    look_again(application, record, Some(pause)).await
}

/// Schedules the next look.
///
/// # Errors
/// When records or queue fail.
pub async fn look_again(
    application: &Application,
    mut record: SyncRecord,
    pause: Option<Duration>,
) -> Result<(), BatchError> {
    let pause = pause.unwrap_or_else(|| pause_before(record.attempt, &record.sync_id));
    // The message's id names the attempt, so a second run of this step sends a duplicate, which is dropped.
    record.next_look_at = application.now() + pause;
    record.attempt += 1;
    let (attempt, next_look_at) = (record.attempt, record.next_look_at);
    submission::follow_up(application, &record).await?;
    records::update_sync(&application.store, &record, |current| {
        if current.attempt < attempt {
            (current.attempt, current.looking_until) = (attempt, None);
        }
        current.next_look_at = next_look_at;
    })
    .await?;
    Ok(())
}
