//! A request joins the sync of its namespace.

use certificate_management::ArmId;
use certificate_management::configuration::Mode;
use certificate_management::reason::Reason;
use certificate_management::request::{Outcome, SyncRequest};
use state::Change;

use super::batch::BatchError;
use super::records::{self, Phase, SyncRecord};
use super::{settle, submission};
use crate::application::Application;

/// What joining did.
enum Joined {
    /// This run opened the sync.
    Opened(SyncRecord),
    /// Another run has opened it.
    Added(SyncRecord),
    /// The requests were in it already: this run repeats one that was cut short or is repeated.
    Again(SyncRecord),
}

/// Records the requests and joins them to the sync of their namespace. What can be refused without looking is refused.
///
/// # Errors
/// When records or queue fail.
pub async fn join(
    application: &Application,
    namespace_id: &ArmId,
    requests: Vec<SyncRequest>,
) -> Result<(), BatchError> {
    let now = application.now();
    let mut open: Vec<SyncRequest> = Vec::new();
    for request in requests {
        let record = records::admit(&application.store, &request, now).await?;
        if !record.outcome.is_final() && !open.iter().any(|known| known.request_id == request.request_id) {
            open.push(request);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let Some(configuration) = application.configuration.namespace(namespace_id) else {
        let detail = format!("policysync.toml has no namespace {namespace_id}");
        return refuse(application, &open, Reason::NamespaceNotConfigured, &detail).await;
    };
    if application.mode(configuration) == Mode::Audit {
        let detail = format!("namespace {} is in audit mode", namespace_id.name());
        return refuse(application, &open, Reason::AuditMode, &detail).await;
    }
    let ids: Vec<String> = open.iter().map(|request| request.request_id.clone()).collect();
    let traceparent = open.iter().find_map(|request| request.traceparent.clone());
    let opened = SyncRecord::gathering(
        &configuration.id,
        ids.clone(),
        traceparent,
        now,
        application.patience(namespace_id),
    );
    let joined = records::change_sync(&application.store, &configuration.id, |existing| {
        let Some(mut current) = existing.filter(|current| current.phase != Phase::Ended) else {
            return (Change::Write(opened.clone()), Joined::Opened(opened.clone()));
        };
        let new: Vec<String> = ids.iter().filter(|id| !current.knows(id)).cloned().collect();
        if new.is_empty() {
            return (Change::Keep, Joined::Again(current));
        }
        let list =
            if current.phase == Phase::Gathering { &mut current.requests } else { &mut current.waiting };
        list.extend(new);
        (Change::Write(current.clone()), Joined::Added(current))
    })
    .await?;
    match joined {
        // Sent again after a kill between record and message; duplicate detection drops one that is too many.
        Some(Joined::Opened(record) | Joined::Again(record)) => {
            submission::follow_up(application, &record).await?;
        }
        Some(Joined::Added(record)) => {
            tracing::info!(sync.id = record.sync_id, "joined the sync of {}", namespace_id.name());
        }
        None => {}
    }
    Ok(())
}

async fn refuse(
    application: &Application,
    requests: &[SyncRequest],
    reason: Reason,
    detail: &str,
) -> Result<(), BatchError> {
    for request in requests {
        settle::conclude(application, request, Outcome::Refused, reason, detail).await?;
    }
    Ok(())
}
