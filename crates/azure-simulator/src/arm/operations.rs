//! Answers of ARM while a long-running operation runs, and the status of the operation (`azure-wire-facts.md` §1.5,
//! §10a).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{ArmRequest, ok};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::dates;
use crate::world::operation::{Operation, Outcome, Polling};

/// The path of the status of an operation.
pub(crate) fn status_path(operation: &Operation) -> String {
    format!(
        "/subscriptions/{}/providers/Microsoft.DeviceRegistry/locations/{}/operationStatuses/{}",
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

/// `GET .../operationStatuses/{id}`.
///
/// An operation that was answered with `Location` is 202 while it runs; one that was answered with
/// `Azure-AsyncOperation` is 200 with a status from the start. A failed one is 200 with `status: Failed`: the form that
/// the official client takes for success (`azure-wire-facts.md` §1.5).
pub(crate) fn status(cloud: &Cloud, request: &ArmRequest, id: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let found = world.operations.iter().find(|operation| {
        operation.id.eq_ignore_ascii_case(id)
            && operation.subscription.eq_ignore_ascii_case(&request.subscription)
    });
    let operation = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    let running = operation.outcome == Outcome::Running;
    if running && operation.polling == Polling::UntilDone {
        return Ok(accepted(cloud, request, &status_path(operation), world.fleet.retry_after_seconds));
    }
    let mut response = ok(status_body(operation))?;
    if running {
        let seconds = http::HeaderValue::from(world.fleet.retry_after_seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

fn status_body(operation: &Operation) -> Value {
    let status = match operation.outcome {
        Outcome::Running => "InProgress",
        Outcome::Succeeded => "Succeeded",
        Outcome::Failed(_) => "Failed",
    };
    let mut body = json!({
        "id": status_path(operation),
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
        body["error"] = json!({"code": error.code, "message": error.message});
    }
    body
}
