//! Reads what the effects of a step ask for: how far the operation is, the namespace, the records of the requests.

use std::time::Duration;

use azure::arm;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::Observation;
use certificate_management::request::RequestRecord;
use certificate_management::sync::{Failure, FailureKind, OperationState, SyncOperation, SyncRecord};
use futures::{StreamExt, TryStreamExt, stream};
use state::{Store, Stored};
use tokio::time::{Instant, timeout};

use super::records;
use crate::application::Application;
use crate::failure;
use crate::observation::Observer;

/// How many records are read or written at once.
pub const AT_ONCE: usize = 32;
/// How long the service may take to tell how far an operation is.
const OPERATION_WITHIN: Duration = Duration::from_secs(8);

/// Turns an error of a client into a failure in the words of the machine.
#[must_use]
pub fn failure_of(error: &azure::Error) -> Failure {
    Failure {
        kind: FailureKind::Call(failure::call(error)),
        code: error.service_code().map(str::to_owned),
        message: error.to_string(),
        retry_after: error.retry_after().map(|pause| pause.try_into().unwrap_or(time::Duration::MAX)),
    }
}

/// Asks the service how far an operation is. No answer in time counts as silence.
pub async fn operation(application: &Application, operation: &SyncOperation) -> OperationState {
    let Ok(url) = operation.url.as_deref().map(str::parse).transpose() else { return OperationState::Silent };
    let asked = arm::LongRunningOperation {
        url,
        finished: operation.finished,
        retry_after_seconds: operation.retry_after_seconds,
        started_at: operation.started_at,
    };
    match timeout(OPERATION_WITHIN, application.fleet.azure.arm().operation_status(&asked)).await {
        Ok(Ok(arm::OperationStatus::Running { retry_after })) => {
            let asked = retry_after.map(|pause| pause.try_into().unwrap_or(time::Duration::MAX));
            OperationState::Running(asked)
        }
        Ok(Ok(arm::OperationStatus::Failed { code, message })) => {
            OperationState::Failed(format!("the service says that the sync failed: {code}: {message}"))
        }
        Ok(Ok(arm::OperationStatus::Succeeded | arm::OperationStatus::Unknown)) => OperationState::Silent,
        Ok(Err(error)) => {
            tracing::warn!("the operation could not be read: {error}");
            OperationState::Silent
        }
        Err(_) => {
            tracing::warn!("the operation could not be read within {} seconds", OPERATION_WITHIN.as_secs());
            OperationState::Silent
        }
    }
}

/// Observes a namespace until `until`. Hubs that have not answered by then are unreadable.
///
/// # Errors Why the namespace was not seen.
pub async fn namespace(
    observer: &Observer<'_>,
    configuration: Option<&NamespaceConfiguration>,
    until: Instant,
) -> Result<Observation, Failure> {
    let Some(configuration) = configuration else {
        return Err(Failure {
            kind: FailureKind::NotConfigured,
            code: None,
            message: "policysync.toml does not name the namespace any more".to_owned(),
            retry_after: None,
        });
    };
    observer.namespace(configuration, until).await.map_err(|error| failure_of(&error))
}

/// The requests that a sync knows, with their versions, and those that have no record in its namespace. A broken record
/// counts as missing: no outcome can be written to it, and it must not keep the other requests from theirs.
///
/// # Errors
/// When the store cannot be read.
pub async fn requests(
    store: &Store,
    record: &SyncRecord,
) -> Result<(Vec<Stored<RequestRecord>>, Vec<String>), state::Error> {
    let reads: Vec<_> = record
        .known()
        .map(|id| async move {
            Ok::<_, state::Error>((
                id.to_owned(),
                records::unless_broken(id, records::stored_request(store, id).await)?,
            ))
        })
        .collect();
    let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let (mut known, mut missing) = (Vec::new(), Vec::new());
    for (id, stored) in read {
        match stored.filter(|stored| stored.value.request.namespace_id == record.namespace_id) {
            Some(stored) => known.push(stored),
            None => missing.push(id),
        }
    }
    Ok((known, missing))
}
