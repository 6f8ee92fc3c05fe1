//! How ARM answers while a long-running operation runs, and what its status says (`azure-wire-facts.md` §1.5, §10a).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{ArmRequest, ok};
use crate::arm_error::ArmError;
use crate::dates;
use crate::world::World;
use crate::world::operation::{Operation, Outcome, Polling};

/// 202 with `Location` and `Retry-After`, and no body.
pub(crate) fn accepted(world: &World, request: &ArmRequest, operation: &str, retry_after: u32) -> Response {
    let location = status_url(world, request, operation);
    (StatusCode::ACCEPTED, [(header::LOCATION, location), (header::RETRY_AFTER, retry_after.to_string())])
        .into_response()
}

/// 201 with the resource as it is so far, `Azure-AsyncOperation` and `Retry-After`.
pub(crate) fn created(
    world: &World,
    request: &ArmRequest,
    operation: &str,
    retry_after: u32,
    body: Value,
) -> Response {
    let status = status_url(world, request, operation);
    let headers = [("azure-asyncoperation", status), ("retry-after", retry_after.to_string())];
    (StatusCode::CREATED, headers, Json(body)).into_response()
}

/// `path` is the path of the operation's status, as [`Operation::status_path`] makes it.
fn status_url(world: &World, request: &ArmRequest, path: &str) -> String {
    format!("{}{path}?api-version={}", world.base_url(), request.api_version)
}

/// `GET .../operationStatuses/{id}`.
///
/// An operation that was answered with `Location` is 202 while it runs; one that was answered with
/// `Azure-AsyncOperation` is 200 with a status from the start. A failed one is 200 with `status: Failed`: the form that
/// the official client takes for success (`azure-wire-facts.md` §1.5).
pub(crate) fn status(world: &World, request: &ArmRequest, id: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    let found = state.operations.iter().find(|operation| {
        operation.id.eq_ignore_ascii_case(id)
            && operation.subscription.eq_ignore_ascii_case(&request.subscription)
    });
    let operation = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    let running = operation.outcome == Outcome::Running;
    if running && operation.polling == Polling::Location {
        return Ok(accepted(world, request, &operation.status_path(), state.fleet.retry_after_seconds));
    }
    let mut response = ok(status_body(operation))?;
    if running {
        let seconds = http::HeaderValue::from(state.fleet.retry_after_seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

fn status_body(operation: &Operation) -> Value {
    let status = match operation.outcome {
        Outcome::Running => "InProgress",
        Outcome::Succeeded => "Succeeded",
        Outcome::Failed { .. } => "Failed",
    };
    let mut body = json!({
        "id": operation.status_path(),
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
    if let Outcome::Failed { code, message } = &operation.outcome {
        body["error"] = json!({"code": code, "message": message});
    }
    body
}
