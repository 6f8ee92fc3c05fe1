//! Submits a request: records it as queued, then puts it on the queue.

use certificate_management::ArmId;
use certificate_management::request::{RequestRecord, SyncRequest};
use certificate_management::sync::Admission;

use super::{messages, records};
use crate::application::Application;

/// Why a request could not be submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Another request has the same id.
    #[error("request {0} exists and asks for something else; use another id")]
    DifferentRequest(String),
    /// The configuration does not name the namespace.
    #[error("policysync.toml has no namespace {0}")]
    NotConfigured(ArmId),
    /// The queue did not take it.
    #[error("the queue did not take the request: {0}")]
    Queue(#[from] azure::Error),
    /// The records could not be written.
    #[error("the request could not be recorded: {0}")]
    State(#[from] state::WriteError),
}

/// Records a request as queued and puts it on the queue. The same request again is one request: the record knows its id.
///
/// # Errors
/// When the namespace is not configured, the record or the queue cannot be written, or the id belongs to another request.
pub async fn submit(application: &Application, request: &SyncRequest) -> Result<RequestRecord, SubmitError> {
    if application.fleet.configuration.namespace(&request.namespace_id).is_none() {
        return Err(SubmitError::NotConfigured(request.namespace_id.clone()));
    }
    match records::admit(&application.store, request, application.fleet.now()).await? {
        Admission::New(record) => {
            messages::send_request(application, request).await?;
            Ok(record)
        }
        Admission::Known(record) => {
            if !record.outcome.is_final() {
                messages::send_request_again(application, &record.request).await?;
            }
            Ok(record)
        }
        Admission::Different | Admission::Reserved => {
            Err(SubmitError::DifferentRequest(request.request_id.clone()))
        }
    }
}
