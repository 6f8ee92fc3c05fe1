//! Answers of ARM while a long-running operation runs, and the status of the operation (`azure-wire-facts.md` §1.5,
//! §10a).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{ArmRequest, api_versions};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::dates;
use crate::fleet::{Generation, Lifecycle, OperationEnd, OperationFailure, OperationStatus};
use crate::world::operation::{Operation, Outcome, Polling};

/// The resource type of the status of an operation that a request starts. Generation A has one; generation B has two,
/// which the sources do not agree on (`ca-lifecycle-facts.md` §1.4).
pub(crate) fn status_type(lifecycle: &Lifecycle, request: &ArmRequest) -> &'static str {
    let is_newer = api_versions::generation(request) == Generation::CertificateAuthorities;
    match lifecycle.operation_status {
        OperationStatus::AsyncOperationStatuses if is_newer => "asyncOperationStatuses",
        _ => "operationStatuses",
    }
}

/// The path of the status of an operation.
pub(crate) fn status_path(operation: &Operation, status_type: &str) -> String {
    format!(
        "/subscriptions/{}/providers/Microsoft.DeviceRegistry/locations/{}/{status_type}/{}",
        operation.subscription, operation.location, operation.id
    )
}

/// 202 with `Location` and `Retry-After`, and no body.
pub(crate) fn accepted(cloud: &Cloud, request: &ArmRequest, operation: &str, retry_after: u32) -> Response {
    let location = status_url(cloud, request, operation);
    (StatusCode::ACCEPTED, [(header::LOCATION, location), (header::RETRY_AFTER, retry_after.to_string())])
        .into_response()
}

/// 201 with the resource as it is so far, `Azure-AsyncOperation` and `Retry-After`.
pub(crate) fn created(
    cloud: &Cloud,
    request: &ArmRequest,
    operation: &str,
    retry_after: u32,
    body: Value,
) -> Response {
    let status = status_url(cloud, request, operation);
    let headers = [("azure-asyncoperation", status), ("retry-after", retry_after.to_string())];
    (StatusCode::CREATED, headers, Json(body)).into_response()
}

/// `path` is the path of the operation's status.
fn status_url(cloud: &Cloud, request: &ArmRequest, path: &str) -> String {
    format!("{}{path}?api-version={}", cloud.base_url(), request.api_version)
}

/// `GET .../{status_type}/{id}`; either type knows every operation.
///
/// An operation that was answered with `Location` is 202 while it runs; one that was answered with
/// `Azure-AsyncOperation` is 200 with a status from the start. A failed one is 200 with `status: Failed` unless the fleet
/// says otherwise: the form that the official client takes for success (`azure-wire-facts.md` §1.5).
pub(crate) fn status(
    cloud: &Cloud,
    request: &ArmRequest,
    status_type: &str,
    id: &str,
) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let found = world.operations.iter().find(|operation| {
        !operation.is_forgotten
            && operation.id.eq_ignore_ascii_case(id)
            && operation.subscription.eq_ignore_ascii_case(&request.subscription)
    });
    let operation = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    let (path, retry_after) = (status_path(operation, status_type), world.fleet.retry_after_seconds);
    let by_location = operation.polling == Polling::UntilDone;
    let running = operation.outcome == Outcome::Running;
    if running && by_location {
        return Ok(accepted(cloud, request, &path, retry_after));
    }
    let lifecycle = &world.fleet.lifecycle;
    let mut status = StatusCode::OK;
    match (&operation.outcome, lifecycle.operation_end, lifecycle.operation_failure) {
        (Outcome::Succeeded, OperationEnd::Empty, _) if by_location => return Ok(status.into_response()),
        (Outcome::Succeeded, OperationEnd::NoContent, _) if by_location => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        (Outcome::Failed(error), _, OperationFailure::ErrorStatus) if by_location => {
            return Err(error.clone().into());
        }
        (Outcome::Failed(_), _, OperationFailure::Accepted) if by_location => status = StatusCode::ACCEPTED,
        _ => {}
    }
    let wraps = lifecycle.operation_failure == OperationFailure::Wrapped;
    let mut response = (status, Json(status_body(operation, path, wraps))).into_response();
    if running {
        response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from(retry_after));
    }
    Ok(response)
}

fn status_body(operation: &Operation, path: String, wraps: bool) -> Value {
    let status = match operation.outcome {
        Outcome::Running => "InProgress",
        Outcome::Succeeded => "Succeeded",
        Outcome::Failed(_) => "Failed",
        Outcome::Canceled => "Canceled",
    };
    let mut body = json!({
        "id": path,
        "name": operation.id,
        "resourceId": operation.resource_id,
        "status": status,
        "startTime": dates::seconds(operation.started),
    });
    if operation.outcome == Outcome::Running {
        body["percentComplete"] = 0.into();
    } else {
        body["endTime"] = dates::seconds(operation.finishes).into();
        body["percentComplete"] = 100.into();
    }
    if let Outcome::Failed(error) = &operation.outcome {
        let error = ArmError::from(error.clone());
        let error = json!({"code": error.code, "message": error.message});
        body["error"] = match wraps {
            true => {
                json!({"code": "AsyncOperationFailed", "message": "The operation failed.", "details": [error]})
            }
            false => error,
        };
    }
    body
}
