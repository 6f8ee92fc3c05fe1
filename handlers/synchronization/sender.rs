//! The one place that sends a sync. It asks the guard itself, at the last moment, so that audit mode, freezes and the kill
//! switch hold for functions, for resends, and for syncs that were recorded before the mode changed.

use std::time::Duration;

use azure::arm;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::hindrance::Hindrance;
use certificate_management::plan::permit::Writer;
use certificate_management::reason::failure::CallFailure;
use certificate_management::sync::{Claim, Failure, FailureKind, PostEnd, SyncOperation};
use tokio::time::Instant;

use super::observe;
use crate::application::Application;

/// How long after its claim a POST may still be sent. Other runs take the claim for over after
/// [`certificate_management::sync::pause::CLAIM_DEADLINE`], on every clock; a process that was stopped in between has
/// no right to send any more.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// Shortest time in which the answer to a POST is recorded and its follow-up sent.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);
/// Longest time that the service may take to answer.
const LONGEST: Duration = Duration::from_secs(30);

/// Sends the POST of this claim, which was recorded at `claimed`, by an invocation whose work began at `since`. The POST
/// does not begin when the invocation has not enough time left for it, and is cut off early enough to record what is
/// known.
pub async fn send(
    application: &Application,
    configuration: Option<&NamespaceConfiguration>,
    claim: &Claim,
    claimed: Instant,
    since: Instant,
) -> PostEnd {
    let refused =
        |kind, message: String| PostEnd::Refused(Failure { kind, code: None, message, retry_after: None });
    let Some(configuration) = configuration else {
        let message = "policysync.toml does not name the namespace any more".to_owned();
        return refused(FailureKind::NotConfigured, message);
    };
    let break_freeze = claim.planned.iter().any(|planned| planned.request.break_freeze);
    if let Err(forbidden) = application.fleet.guard(configuration, Writer::Function).sync(break_freeze) {
        let kind = match forbidden.hindrance {
            Hindrance::Frozen => FailureKind::Frozen,
            _ => FailureKind::Audit,
        };
        return refused(kind, forbidden.why);
    }
    if claimed.elapsed() > SEND_WITHIN {
        let message = "the claim was too old when its sync was to be sent".to_owned();
        return refused(FailureKind::Call(CallFailure::Unavailable), message);
    }
    let deadlines = application.fleet.deadlines;
    if since.elapsed() > deadlines.post {
        let message = "the invocation had no time left to send the sync".to_owned();
        return refused(FailureKind::Call(CallFailure::Unavailable), message);
    }
    let left = deadlines.done.saturating_sub(since.elapsed());
    let within = left.saturating_sub(RECORDED_WITHIN).max(left / 2).min(LONGEST);
    tracing::info!(namespace = configuration.id.name(), "starting the sync");
    match application.fleet.azure.registry().synchronize(&configuration.id, within).await {
        Ok(operation) => PostEnd::Accepted(recorded(operation)),
        Err(error) if error.may_have_taken_effect() => {
            tracing::warn!(namespace = configuration.id.name(), "the answer to the sync was lost: {error}");
            PostEnd::AnswerLost(error.to_string())
        }
        Err(error) => {
            tracing::warn!(namespace = configuration.id.name(), "the sync was refused: {error}");
            PostEnd::Refused(observe::failure_of(&error))
        }
    }
}

fn recorded(operation: arm::LongRunningOperation) -> SyncOperation {
    SyncOperation {
        url: operation.url.map(String::from),
        finished: operation.finished,
        retry_after_seconds: operation.retry_after_seconds,
        started_at: operation.started_at,
    }
}
