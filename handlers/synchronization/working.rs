//! The work of a batch on one namespace: its requests join, then its follow-ups have their looks, then come the looks
//! after events.

use certificate_management::ArmId;
use certificate_management::sync::Event;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::drive::{DriveError, Driver};
use super::received::Received;
use super::settling::Aside;
use super::sorting::Work;
use super::{automatic, joining};
use crate::application::Application;
use crate::observation::Observer;
use crate::telemetry;

/// Works on one namespace until its time is over. Messages that are cut off are put back; their work may stop at any
/// await and run again.
pub(super) async fn within(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: &ArmId,
    work: &Work,
    since: Instant,
) -> Aside {
    let mut aside = Aside::default();
    let working = one_namespace(application, observer, namespace_id, work, since, &mut aside);
    let error = match timeout_at(since + application.fleet.deadlines.done, working).await {
        Ok(worked) => worked.err(),
        Err(_) => Some(DriveError::Late),
    };
    if let Some(error) = error {
        // It is not known which messages got done, and each may be done again.
        let known = aside.to_park.iter().map(|(message, _)| message);
        let known: Vec<&Received> = known.chain(aside.to_hold.iter().map(|(message, _)| message)).collect();
        let rest = work.messages.iter().filter(|message| !known.contains(message)).cloned();
        let rest: Vec<_> = rest.map(|message| (message, error.to_string())).collect();
        aside.to_hold.extend(rest);
    }
    aside
}

async fn one_namespace(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: &ArmId,
    work: &Work,
    since: Instant,
    aside: &mut Aside,
) -> Result<(), DriveError> {
    let mut driver = Driver::new(application, observer, namespace_id, since);
    // Each step is on the heap from its beginning: steps are large, and this future would be as large and be moved several times,
    // for each namespace of a batch.
    //
    // Requests first: they join before a look of the same batch plans what has gathered.
    if !work.requests.is_empty() {
        let traceparent = work.requests.iter().find_map(|(request, _)| request.traceparent.clone());
        let span = telemetry::sync_step("join", traceparent.as_deref(), namespace_id);
        let step = Box::pin(joining::join(application, &mut driver, &work.requests, aside)).instrument(span);
        in_trace(traceparent, step).await?;
    }
    // One read tells for all of them: a follow-up is sent after its sync was recorded, so one whose sync is not open now came
    // too late, and leads to nothing.
    let mut follow_ups = work.follow_ups.as_slice();
    if !follow_ups.is_empty() && !driver.is_open().await? {
        let (namespace, count) = (namespace_id.name(), follow_ups.len());
        tracing::debug!(namespace, count, "follow-ups of syncs that have ended");
        follow_ups = &[];
    }
    for follow_up in follow_ups {
        let span = telemetry::sync_step("look", follow_up.traceparent.as_deref(), namespace_id);
        let event = Event::FollowUp { sync_id: &follow_up.sync_id, attempt: follow_up.attempt };
        let step = Box::pin(driver.handle(&event, &[])).instrument(span);
        in_trace(follow_up.traceparent.clone(), step).await?;
    }
    for look in &work.looks {
        let span = telemetry::sync_step("event", look.traceparent.as_deref(), namespace_id);
        let step = Box::pin(automatic::look(application, observer, look, since)).instrument(span);
        in_trace(look.traceparent.clone(), step).await?;
    }
    Ok(())
}

/// Runs a step so that its calls to Azure and its messages carry the trace that its message carried.
async fn in_trace<T>(traceparent: Option<String>, step: impl Future<Output = T>) -> T {
    match traceparent {
        Some(traceparent) => azure::trace::with_traceparent(traceparent, step).await,
        None => step.await,
    }
}
