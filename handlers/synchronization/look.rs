//! One look at a namespace that has a sync: plan what has gathered, or look for the evidence.

use azure::ErrorKind;
use azure::arm::OperationState;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::{self, Observation, Progress, RequestPlan};
use certificate_management::reason::Reason;
use certificate_management::request::{Outcome, SyncVerification};
use time::Duration;

use super::batch::BatchError;
use super::records::{self, Phase, SyncRecord};
use super::{CLAIM_DEADLINE, FIRST_LOOK, LONGEST_PAUSE, lease, pause_before, settle, start, submission};
use crate::application::Application;
use crate::observation::Observer;

/// How often the POST of one sync is sent at the most, when no answer ever came.
const MOST_POSTS: u32 = 3;

/// Looks once, and does what the phase of the sync asks for.
///
/// # Errors
/// When records or queue fail.
pub async fn look(
    application: &Application,
    observer: &Observer<'_>,
    follow_up: &SyncVerification,
) -> Result<(), BatchError> {
    let found = records::sync(&application.store, &follow_up.namespace_id).await?;
    if let Some(next) =
        found.filter(|next| next.sync_id != follow_up.sync_id && next.phase == Phase::Gathering)
    {
        // The run that ended this sync opened the next one, and may have been killed before it sent its follow-up.
        tracing::info!(
            sync.id = follow_up.sync_id,
            next.id = next.sync_id,
            "the sync has ended, and the next one gathers"
        );
        submission::follow_up(application, &next).await?;
        return Ok(());
    }
    let Some(record) = lease::take(application, follow_up).await? else { return Ok(()) };
    let Some(configuration) = application.configuration.namespace(&record.namespace_id) else {
        let detail = "policysync.toml does not name the namespace any more";
        return settle::give_up(
            application,
            record,
            Outcome::Refused,
            Reason::NamespaceNotConfigured,
            detail,
        )
        .await;
    };
    if record.phase == Phase::Gathering {
        return plan_gathered(application, observer, configuration, record).await;
    }
    look_for_evidence(application, observer, configuration, record).await
}

/// Sends the follow-up of a look that could not begin in time again, for a moment later.
///
/// # Errors
/// When records or queue fail.
pub async fn put_off(application: &Application, follow_up: &SyncVerification) -> Result<(), BatchError> {
    match lease::take(application, follow_up).await? {
        Some(record) => settle::look_again(application, record, Some(FIRST_LOOK)).await,
        None => Ok(()),
    }
}

/// Plans every request that has gathered against one observation, and starts the sync if one of them needs it.
async fn plan_gathered(
    application: &Application,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    record: SyncRecord,
) -> Result<(), BatchError> {
    let observation = match observer.namespace(configuration).await {
        Ok(observation) => observation,
        Err(error) if settle::may_pass(application, &record, &error) => {
            return settle::put_off(application, record, &error).await;
        }
        Err(error) => return settle::give_up_on(application, record, &error).await,
    };
    let (mut to_sync, mut to_verify) = (Vec::new(), Vec::new());
    for request_id in &record.requests {
        let Some(known) = records::request(&application.store, request_id).await? else { continue };
        if known.outcome.is_final() {
            continue;
        }
        match plan::plan_request(&known.request, application.mode(configuration), &observation) {
            RequestPlan::Sync(hubs) => to_sync.push((known.request, hubs)),
            RequestPlan::Verify(hubs) if hubs.iter().any(|hub| !hub.outcome.is_final()) => {
                to_verify.push((known.request, hubs));
            }
            plan => settle::conclude_plan(application, &known.request, plan).await?,
        }
    }
    if to_sync.is_empty() {
        return if to_verify.is_empty() {
            settle::end(application, record).await
        } else {
            start::watch(application, record, to_verify).await
        };
    }
    to_sync.append(&mut to_verify);
    start::start(application, record, to_sync).await
}

/// Asks the operation, and when it has ended, the hubs.
async fn look_for_evidence(
    application: &Application,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    record: SyncRecord,
) -> Result<(), BatchError> {
    let (mut progress, failure, pause) = operation_progress(application, &record).await;
    let now = application.now();
    if now >= record.deadline && progress == Progress::Open {
        progress = Progress::Overdue;
    }
    if progress == Progress::Open && pause.is_some() {
        return settle::look_again(application, record, pause).await;
    }
    let observation = match observer.namespace(configuration).await {
        Ok(observation) => observation,
        Err(error) if now < record.deadline => {
            tracing::warn!(sync.id = record.sync_id, "could not look: {error}");
            let asked = error.retry_after().and_then(|pause| Duration::try_from(pause).ok());
            return settle::look_again(application, record, asked).await;
        }
        Err(error) => {
            let reason = if error.kind() == ErrorKind::Forbidden {
                Reason::NotPermitted
            } else {
                Reason::HubUnreadable
            };
            return settle::give_up(application, record, Outcome::Unverified, reason, &error.to_string())
                .await;
        }
    };
    judge(application, configuration, record, &observation, progress, failure).await
}

/// What the operation says: how far it is, the service's message if it failed, and when to ask again if it runs.
async fn operation_progress(
    application: &Application,
    record: &SyncRecord,
) -> (Progress, Option<String>, Option<Duration>) {
    let Some(operation) = &record.operation else { return (Progress::Open, None, None) };
    match application.azure.arm().operation_status(operation).await {
        Ok(OperationState::Running { retry_after }) => {
            let asked = retry_after.and_then(|pause| Duration::try_from(pause).ok());
            let pause = asked.unwrap_or_else(|| pause_before(record.attempt, &record.sync_id));
            (Progress::Open, None, Some(pause.clamp(Duration::seconds(1), LONGEST_PAUSE)))
        }
        Ok(OperationState::Failed { code, message }) => {
            let failure = format!("the service says that the sync failed: {code}: {message}");
            tracing::warn!(sync.id = record.sync_id, "{failure}");
            (Progress::Failed, Some(failure), None)
        }
        // Succeeded, expired or not readable: in each case the hubs tell.
        Ok(OperationState::Succeeded | OperationState::Unknown) => (Progress::Open, None, None),
        Err(error) => {
            tracing::warn!(sync.id = record.sync_id, "the operation could not be read: {error}");
            (Progress::Open, None, None)
        }
    }
}

/// Judges every request, ends the sync when all that it is for have their outcome, else looks again later.
async fn judge(
    application: &Application,
    configuration: &NamespaceConfiguration,
    record: SyncRecord,
    observation: &Observation,
    progress: Progress,
    failure: Option<String>,
) -> Result<(), BatchError> {
    let is_watching = record.phase == Phase::Watching;
    let mut gathers_again = false;
    for request_id in &record.waiting {
        let Some(known) = records::request(&application.store, request_id).await? else { continue };
        // What the sync happens to satisfy, or what can be refused, is done; the rest gets the next sync.
        match plan::plan_request(&known.request, application.mode(configuration), observation) {
            RequestPlan::Sync(_) => gathers_again |= is_watching,
            plan => {
                settle::conclude_plan(application, &known.request, plan).await?;
                let now_known = records::request(&application.store, request_id).await?;
                gathers_again |= is_watching && now_known.is_some_and(|known| !known.outcome.is_final());
            }
        }
    }
    let (mut is_finished, mut worst) = (true, Outcome::AlreadyTrusted);
    for request_id in &record.requests {
        let Some(known) = records::request(&application.store, request_id).await? else { continue };
        if known.outcome.is_final() {
            worst = worst.max(known.outcome);
            continue;
        }
        // A watch goes on when others join it, so each request has a deadline of its own.
        let waited = application.now() - known.submitted_at;
        let is_overdue = is_watching && waited >= application.patience(&record.namespace_id);
        let progress = if is_overdue { Progress::Overdue } else { progress };
        let hubs = plan::verify_request(&known.request, &known.hubs, observation, progress);
        let outcome = settle::conclude_hubs(application, &known.request, hubs, failure.clone()).await?;
        tracing::info!(request.id = request_id, sync.id = record.sync_id, outcome = %outcome, "verified");
        is_finished &= outcome.is_final();
        worst = worst.max(outcome);
    }
    if is_finished {
        settle::measure(application, &record, worst);
        return settle::end(application, record).await;
    }
    if gathers_again {
        start::gather_again(application, &record).await?;
        return settle::look_again(application, record, Some(FIRST_LOOK)).await;
    }
    let is_lost = record.phase == Phase::Claimed
        && record.operation.is_none()
        && application.now() - record.since > CLAIM_DEADLINE;
    if is_lost && record.posts < MOST_POSTS {
        return start::resend(application, record).await;
    }
    settle::look_again(application, record, None).await
}
