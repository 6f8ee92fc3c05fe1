//! The resource provider `Microsoft.DeviceRegistry`.
//!
//! Namespaces and operation statuses belong to every API generation; [`credentials`] is generation A,
//! [`certificate_authorities`] is generation B (`azure-wire-facts.md` §0, §1, §2.4).

mod certificate_authorities;
mod credentials;
mod namespaces;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::arm::{ArmRequest, operations};
use super::arm_error::ArmError;
use super::dates;
use super::feeds::ResourceChange;
use super::world::World;
use super::world::namespace::SystemData;
use super::world::operation::{Effect, NewOperation, Polling};
use super::world::state::State;

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["locations", "operationstatuses"], [_, id]) => operations::status(world, request, id),
        ("GET", ["namespaces"], []) => namespaces::list(world, request),
        ("GET", ["namespaces"], [namespace]) => namespaces::get(world, request, namespace),
        ("PUT", ["namespaces"], [namespace]) => namespaces::put(world, request, namespace),
        ("PATCH", ["namespaces"], [namespace]) => namespaces::patch(world, request, namespace),
        (_, ["namespaces", "credentials", ..], _) => credentials::handle(world, request),
        (_, ["namespaces", "certificateauthorities", ..], _) => {
            certificate_authorities::handle(world, request)
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
    name: &'static str,
    change: ResourceChange,
}

/// Starts an operation and gives the path of its status.
fn start(state: &mut State, request: &ArmRequest, start: Start, now: OffsetDateTime) -> String {
    let Start { namespace_id, resource_id, polling, effect, name, change } = start;
    let subscription = &request.subscription;
    state.start(NewOperation { subscription, resource_id, namespace_id, polling, effect, name, change }, now)
}

/// 202 with `Location`.
fn start_by_location(world: &World, state: &mut State, request: &ArmRequest, what: Start) -> Response {
    let path = start(state, request, what, world.clock().now());
    operations::accepted(world, request, &path, state.fleet.retry_after_seconds)
}

fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn system_data(by: &str, data: SystemData) -> Value {
    json!({
        "createdBy": by,
        "createdByType": "Application",
        "createdAt": dates::ticks(data.created),
        "lastModifiedBy": by,
        "lastModifiedByType": "Application",
        "lastModifiedAt": dates::ticks(data.modified),
    })
}

/// `tags` of a body; absent when it has none.
///
/// # Errors
/// 400 when they are not texts.
fn tags(body: &Map<String, Value>) -> Result<Option<Map<String, Value>>, ArmError> {
    match body.get("tags") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(tags)) if tags.values().all(Value::is_string) => Ok(Some(tags.clone())),
        Some(_) => Err(ArmError::bad_request("InvalidTags", "The tags are not an object of texts.")),
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
mod tests;
