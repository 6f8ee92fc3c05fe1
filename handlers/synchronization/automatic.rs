//! Requests that the app makes itself, and looks after events. [`certificate_management::sync::automatic`] decides
//! whether a sync is needed.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::Observation;
use certificate_management::reason::Reason;
use certificate_management::reason::failure::CallFailure;
use certificate_management::request::NamespaceLook;
use certificate_management::sync::{self, Failure, FailureKind, Repeat};
use tokio::time::Instant;

use super::drive::DriveError;
use super::submission::{self, SubmitError};
use super::{messages, observe, records};
use crate::application::Application;
use crate::observation::Observer;
use crate::sections;

/// The result of a look at a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// No hub was seen to lack a policy's current CA.
    NotNeeded,
    /// A sync of the namespace is in flight, or the same need got its answer today.
    UnderWay,
    /// The configuration says `sync = "ask"`, or no function may write.
    Ask,
    /// A request was submitted, or sent again.
    Submitted(String),
}

/// Submits a request for the hubs that lack a policy's current CA, if there are any and the configuration lets it.
///
/// # Errors
/// When records or queue fail.
pub async fn submit_if_needed(
    application: &Application,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
    because: &str,
) -> Result<Asked, SubmitError> {
    let store = &application.store;
    let in_flight = records::sync(store, &configuration.id).await.map_err(state::WriteError::from)?;
    let in_flight = in_flight.as_ref().map(|stored| &stored.value);
    // A request stays on the queue until there is a configuration that counts, and would be heeded then.
    let (no_writes, now) =
        (application.fleet.kill_switch || application.only_looks(), application.fleet.now());
    let request = match sync::automatic(configuration, no_writes, observation, in_flight, because, now) {
        sync::Automatic::NotNeeded => return Ok(Asked::NotNeeded),
        sync::Automatic::UnderWay => return Ok(Asked::UnderWay),
        sync::Automatic::Ask => return Ok(Asked::Ask),
        sync::Automatic::Request(request) => request,
    };
    for candidate in sync::candidates(&request) {
        let id = candidate.request_id.clone();
        match sync::repeat(records::request(store, &id).await?.as_ref()) {
            Repeat::Answered => return Ok(Asked::UnderWay),
            Repeat::NothingSent => continue,
            Repeat::Claimed => {
                tracing::error!(
                    request.id = id,
                    "a message on the queue has claimed the id of an automatic request"
                );
                continue;
            }
            Repeat::Submit => drop(submission::submit(application, &candidate).await?),
            Repeat::SendAgain(recorded) => messages::send_request_again(application, &recorded).await?,
        }
        tracing::info!(
            request.id = id,
            namespace = configuration.id.name(),
            "submitted a request: {because}"
        );
        return Ok(Asked::Submitted(id));
    }
    Ok(Asked::UnderWay)
}

/// Looks at a namespace after an event, in an invocation whose work began at `since`, and asks for a sync where a hub lacks a
/// policy's current CA. Our own sync, coming back as events, finds every hub trusting.
///
/// # Errors
/// When records or queue fail.
pub async fn look(
    application: &Application,
    observer: &Observer<'_>,
    look: &NamespaceLook,
    since: Instant,
) -> Result<(), DriveError> {
    let name = look.namespace_id.name();
    let Some(configuration) = application.fleet.configuration.namespace(&look.namespace_id) else {
        tracing::info!(namespace = name, "the namespace is not configured");
        return Ok(());
    };
    let until = since + application.fleet.deadlines.observed;
    let observation = match observe::namespace(observer, Some(configuration), until).await {
        Ok(observation) => observation,
        Err(Failure { kind, message, .. }) => {
            let Some(pause) =
                sync::look_again_after(look.attempt, kind == FailureKind::Call(CallFailure::Unavailable))
            else {
                tracing::warn!(
                    namespace = name,
                    "the namespace could not be read; the report looks again: {message}"
                );
                return Ok(());
            };
            tracing::warn!(namespace = name, "the namespace could not be read yet: {message}");
            let later = NamespaceLook { attempt: look.attempt.saturating_add(1), ..look.clone() };
            messages::send_look(application, &later, pause).await?;
            return Ok(());
        }
    };
    let asked = submit_if_needed(application, configuration, &observation, &look.because).await;
    sections::record_aside(&application.store, sections::of_observation(observation)).await;
    match asked {
        Ok(Asked::NotNeeded) => tracing::info!(namespace = name, "no hub lacks a policy's current CA"),
        Ok(Asked::UnderWay) => tracing::info!(namespace = name, "a sync was asked for already"),
        Ok(Asked::Ask) => tracing::warn!(
            namespace = name,
            next_step = next_step::of(
                Reason::PolicyMissing,
                &Situation::of(configuration, application.fleet.kill_switch, Caller::App)
                    .at(application.fleet.now())
            ),
            "a hub lacks a policy's current CA and nothing is synced without being asked"
        ),
        Ok(Asked::Submitted(_)) => {}
        Err(SubmitError::Queue(error)) => return Err(error.into()),
        Err(SubmitError::State(error)) => return Err(error.into()),
        Err(different @ (SubmitError::DifferentRequest(_) | SubmitError::NotConfigured(_))) => {
            tracing::warn!(namespace = name, "{different}");
        }
    }
    Ok(())
}
