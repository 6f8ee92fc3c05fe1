//! One enrollment group: read, replace, delete, and read its keys.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::ServiceRequest;
use super::api_version::ApiVersion;
use super::error::{ServiceError, answer};
use crate::cloud::fleet::UnknownPolicy;
use crate::cloud::world::World;
use crate::cloud::world::enrollment::EnrollmentGroup;
use crate::cloud::world::state::State;

pub(super) fn get(world: &World, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    let mut state = world.lock();
    let group = state.service_mut(&request.service).and_then(|service| service.group(id));
    Ok(answer(StatusCode::OK, &group.ok_or_else(|| ServiceError::no_group(id))?.shown(request.version)))
}

pub(super) fn attestation_mechanism(
    world: &World,
    request: &ServiceRequest,
    id: &str,
) -> Result<Response, ServiceError> {
    let mut state = world.lock();
    let group = state.service_mut(&request.service).and_then(|service| service.group(id));
    Ok(answer(StatusCode::OK, &group.ok_or_else(|| ServiceError::no_group(id))?.attestation()))
}

/// 200 also for a new group (`azure-wire-facts.md` §3).
pub(super) fn upsert(world: &World, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    let document = request.object()?;
    let now = world.clock().now();
    let mut state = world.lock();
    let condition = request.header("if-match");
    let shown = write(&mut state, &request.service, id, document, condition, request.version, now)?;
    Ok(answer(StatusCode::OK, &shown))
}

pub(super) fn delete(world: &World, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    remove(&mut world.lock(), &request.service, id, request.header("if-match"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Replaces or creates a group, and gives it as a read shows it.
pub(super) fn write(
    state: &mut State,
    service: &str,
    id: &str,
    document: Map<String, Value>,
    condition: Option<&str>,
    version: ApiVersion,
    now: OffsetDateTime,
) -> Result<Value, ServiceError> {
    let State { services, names, namespaces, fleet, .. } = state;
    let service = services.iter_mut().find(|known| known.name.eq_ignore_ascii_case(service));
    let service = service.ok_or_else(|| ServiceError::no_group(id))?;
    let previous = service.group(id);
    matches(previous, condition)?;
    let group = EnrollmentGroup::written(previous, id, document, version, names, now)?;
    if let Some(policy) = group.policy() {
        let Some(namespace_id) = &service.namespace_id else {
            return Err(ServiceError::new(
                400_004,
                "A Device Registry Namespace is required to be set on this DPS instance",
            ));
        };
        // Whether Azure looks at the name is not documented; the fleet decides (`azure-wire-facts.md` §10c.7).
        let known = namespaces
            .iter()
            .filter(|namespace| namespace.id.eq_ignore_ascii_case(namespace_id))
            .any(|namespace| namespace.policy(policy).is_some());
        if !known && fleet.unknown_policy == UnknownPolicy::Refuse {
            return Err(ServiceError::new(
                400_000,
                format!("The credential policy '{policy}' does not exist."),
            ));
        }
    }
    let shown = group.shown(version);
    service.groups.insert(id.to_ascii_lowercase(), group);
    Ok(shown)
}

/// Deletes a group.
pub(super) fn remove(
    state: &mut State,
    service: &str,
    id: &str,
    condition: Option<&str>,
) -> Result<(), ServiceError> {
    let service = state.service_mut(service).ok_or_else(|| ServiceError::no_group(id))?;
    let group = service.group(id).ok_or_else(|| ServiceError::no_group(id))?;
    matches(Some(group), condition)?;
    service.groups.remove(&id.to_ascii_lowercase());
    Ok(())
}

/// `If-Match`: the `ETag` word for word, quotes included, or `*` for any group that exists.
fn matches(group: Option<&EnrollmentGroup>, condition: Option<&str>) -> Result<(), ServiceError> {
    let fits = match (condition, group) {
        (None, _) | (Some("*"), Some(_)) => true,
        (Some(etag), Some(group)) => etag == group.etag,
        (Some(_), None) => false,
    };
    match fits {
        true => Ok(()),
        false => Err(ServiceError::new(412_000, "The ETag of the enrollment group does not match If-Match.")),
    }
}
