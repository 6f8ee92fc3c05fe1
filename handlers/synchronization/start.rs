//! Claim, POST, record: the one write to a namespace, and the only steps whose order matters.
//!
//! The claim is recorded before the POST, so that a kill in between leaves a trace; the operation after it. An answer
//! that was lost counts as started: evidence is looked for first, and the POST is sent again only when the claim's own
//! deadline has passed without any.

use azure::ErrorKind;
use certificate_management::request::{HubOutcome, SyncRequest};
use state::Change;
use time::Duration;

use super::batch::BatchError;
use super::records::{self, Phase, SyncRecord};
use super::{AFTER_POST, LONGEST_PAUSE, settle};
use crate::application::Application;

/// Claims the sync for these requests and sends its POST. Of several runs that try, one does it.
///
/// # Errors
/// When records or queue fail.
pub async fn start(
    application: &Application,
    record: SyncRecord,
    to_sync: Vec<(SyncRequest, Vec<HubOutcome>)>,
) -> Result<(), BatchError> {
    match claim(application, record, to_sync, Phase::Claimed).await? {
        Some(claimed) => post(application, claimed).await,
        None => Ok(()),
    }
}

/// Begins to look for the evidence of what the service pushes by itself. Nothing is sent.
///
/// # Errors
/// When records or queue fail.
pub async fn watch(
    application: &Application,
    record: SyncRecord,
    to_verify: Vec<(SyncRequest, Vec<HubOutcome>)>,
) -> Result<(), BatchError> {
    match claim(application, record, to_verify, Phase::Watching).await? {
        Some(claimed) => settle::look_again(application, claimed, Some(AFTER_POST)).await,
        None => Ok(()),
    }
}

/// Takes the sync out of its gathering, for these requests. Of several runs that try, one does it.
async fn claim(
    application: &Application,
    record: SyncRecord,
    requests: Vec<(SyncRequest, Vec<HubOutcome>)>,
    phase: Phase,
) -> Result<Option<SyncRecord>, BatchError> {
    let now = application.now();
    let covered: Vec<String> = requests.iter().map(|(request, _)| request.request_id.clone()).collect();
    let claimed = records::change_sync(&application.store, &record.namespace_id, |existing| match existing {
        Some(mut current) if current.sync_id == record.sync_id && current.phase == Phase::Gathering => {
            let joined_since = |id: &String| !record.requests.contains(id);
            current.waiting = current.requests.iter().filter(|id| joined_since(id)).cloned().collect();
            current.requests.clone_from(&covered);
            (current.phase, current.since) = (phase, now);
            if phase == Phase::Claimed {
                (current.posts, current.claimed_at) = (1, Some(now));
            }
            current.deadline = now + application.patience(&current.namespace_id);
            (Change::Write(current.clone()), Some(current))
        }
        _ => (Change::Keep, None),
    })
    .await?
    .flatten();
    let Some(claimed) = claimed else {
        tracing::info!(sync.id = record.sync_id, "another run has claimed the sync");
        return Ok(None);
    };
    for (request, hubs) in requests {
        settle::conclude_syncing(application, &request, hubs, &claimed.sync_id).await?;
    }
    Ok(Some(claimed))
}

/// Lets the sync gather again, so that its next look plans every request that it knows anew.
///
/// # Errors
/// When records fail.
pub async fn gather_again(application: &Application, record: &SyncRecord) -> Result<(), BatchError> {
    records::update_sync(&application.store, record, |current| {
        current.phase = Phase::Gathering;
        current.requests.append(&mut current.waiting.clone());
        current.waiting.clear();
    })
    .await?;
    Ok(())
}

/// Claims once more, after no answer and no evidence came, and sends the POST again.
///
/// # Errors
/// When records or queue fail.
pub async fn resend(application: &Application, record: SyncRecord) -> Result<(), BatchError> {
    let now = application.now();
    let reclaimed =
        records::change_sync(&application.store, &record.namespace_id, |existing| match existing {
            Some(mut current) if current.sync_id == record.sync_id && current.posts == record.posts => {
                (current.since, current.posts) = (now, record.posts + 1);
                (Change::Write(current.clone()), Some(current))
            }
            _ => (Change::Keep, None),
        })
        .await?
        .flatten();
    let Some(reclaimed) = reclaimed else { return Ok(()) };
    tracing::warn!(
        sync.id = record.sync_id,
        posts = reclaimed.posts,
        "no operation and no evidence; sending the sync again"
    );
    post(application, reclaimed).await
}

async fn post(application: &Application, record: SyncRecord) -> Result<(), BatchError> {
    tracing::info!(sync.id = record.sync_id, namespace = record.namespace_id.name(), "starting the sync");
    match application.azure.registry().synchronize(&record.namespace_id).await {
        Ok(operation) => {
            let asked = operation.retry_after_seconds.and_then(|seconds| i64::try_from(seconds).ok());
            let pause =
                asked.map_or(AFTER_POST, Duration::seconds).clamp(Duration::seconds(1), LONGEST_PAUSE);
            records::update_sync(&application.store, &record, |current| {
                current.phase = Phase::Started;
                current.operation = Some(operation.clone());
            })
            .await?;
            settle::look_again(application, record, Some(pause)).await
        }
        Err(error) if error.may_have_taken_effect() => {
            // It may have reached the service, so it counts as started: the evidence will tell.
            tracing::warn!(sync.id = record.sync_id, "the answer to the sync was lost: {error}");
            settle::look_again(application, record, Some(AFTER_POST)).await
        }
        // A conflict is a sync that somebody else started: look again when it may be done.
        Err(error)
            if settle::may_pass(application, &record, &error) || error.kind() == ErrorKind::Conflict =>
        {
            gather_again(application, &record).await?;
            settle::put_off(application, record, &error).await
        }
        Err(error) => settle::give_up_on(application, record, &error).await,
    }
}
