//! The resource provider `Microsoft.DeviceRegistry`.
//!
//! Namespaces and operation statuses belong to every API generation; [`credentials`] is generation A,
//! [`certificate_authorities`] is generation B (`azure-wire-facts.md` §0, §1, §2.4).

mod certificate_authorities;
mod credentials;
mod namespaces;
mod words;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::arm::{ArmRequest, operations};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::dates;
use crate::world::World;
use crate::world::operation::{Effect, NewOperation, Polling};
use crate::world::resource::{Tags, Times};

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["locations", "operationstatuses"], [_, id]) => {
            operations::status(cloud, request, "operationStatuses", id)
        }
        ("GET", ["locations", "asyncoperationstatuses"], [_, id]) => {
            operations::status(cloud, request, "asyncOperationStatuses", id)
        }
        ("GET", ["namespaces"], []) => namespaces::list(cloud, request),
        ("GET", ["namespaces"], [namespace]) => namespaces::get(cloud, request, namespace),
        ("PUT", ["namespaces"], [namespace]) => namespaces::put(cloud, request, namespace),
        ("PATCH", ["namespaces"], [namespace]) => namespaces::patch(cloud, request, namespace),
        ("DELETE", ["namespaces"], [namespace]) => namespaces::delete(cloud, request, namespace),
        (_, ["namespaces", "credentials", ..], _) => credentials::handle(cloud, request),
        (_, ["namespaces", "certificateauthorities", ..], _) => {
            certificate_authorities::handle(cloud, request)
        }
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

/// The id under which a namespace is looked up.
///
/// # Errors
/// 404 when the path has no resource group.
fn namespace_id(request: &ArmRequest, namespace: &str) -> Result<String, ArmError> {
    let group = request.resource_group.as_deref().ok_or_else(|| ArmError::not_found(&request.path))?;
    Ok(format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.DeviceRegistry/namespaces/{namespace}",
        request.subscription
    ))
}

/// An operation on a namespace, its credential or one of its policies.
struct Start {
    namespace_id: String,
    resource_id: String,
    polling: Polling,
    effect: Effect,
}

/// Starts an operation and gives the path of its status.
fn start(world: &mut World, request: &ArmRequest, start: Start, now: OffsetDateTime) -> String {
    let Start { namespace_id, resource_id, polling, effect } = start;
    let subscription = &request.subscription;
    let status_type = operations::status_type(&world.fleet.lifecycle, request);
    let started = world.start(NewOperation { subscription, resource_id, namespace_id, polling, effect }, now);
    operations::status_path(started, status_type)
}

/// 202 with `Location`.
fn start_by_location(cloud: &Cloud, world: &mut World, request: &ArmRequest, what: Start) -> Response {
    let path = start(world, request, what, cloud.clock().now());
    operations::accepted(cloud, request, &path, world.fleet.retry_after_seconds)
}

/// Refuses an action on a resource that another operation works on.
///
/// # Errors
/// 409. What Azure does is not documented (`azure-wire-facts.md` §1.4).
fn not_running(world: &World, resource_id: &str) -> Result<(), ArmError> {
    match world.is_busy(resource_id) {
        true => Err(ArmError::conflict("Conflict", format!("Another operation works on '{resource_id}'."))),
        false => Ok(()),
    }
}

fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn system_data(by: &str, times: Times) -> Value {
    json!({
        "createdBy": by,
        "createdByType": "Application",
        "createdAt": dates::ticks(times.created),
        "lastModifiedBy": by,
        "lastModifiedByType": "Application",
        "lastModifiedAt": dates::ticks(times.modified),
    })
}

/// `tags` of a body; absent when it has none.
///
/// # Errors
/// 400 when they are not texts.
fn tags(body: &Map<String, Value>) -> Result<Option<Tags>, ArmError> {
    match body.get("tags") {
        None | Some(Value::Null) => Ok(None),
        Some(tags) => Tags::deserialize(tags)
            .map(Some)
            .map_err(|_| ArmError::bad_request("InvalidTags", "The tags are not an object of texts.")),
    }
}

/// `location` of the body of a tracked resource.
///
/// # Errors
/// 400 when it is missing.
fn location(body: &Map<String, Value>) -> Result<String, ArmError> {
    body.get("location")
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| {
            ArmError::bad_request(
                "LocationRequired",
                "The location property is required for this definition.",
            )
        })
}

#[cfg(test)]
mod sequence_tests;
#[cfg(test)]
mod tests;
