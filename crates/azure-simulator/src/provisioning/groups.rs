//! One enrollment group: read, replace, delete, and read its keys.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::ServiceRequest;
use super::api_version::ApiVersion;
use super::document::{self, Write};
use super::error::{ServiceError, answer};
use crate::cloud::Cloud;
use crate::fleet::UnknownPolicy;
use crate::world::World;
use crate::world::enrollment::{EnrollmentGroup, PolicyReference, ProvisioningService};
use crate::world::namespace::Namespace;

pub(super) fn get(cloud: &Cloud, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    let mut world = cloud.lock();
    let group = world.service_mut(&request.service).and_then(|service| service.group(id));
    Ok(answer(
        StatusCode::OK,
        &document::shown(group.ok_or_else(|| ServiceError::no_group(id))?, request.version),
    ))
}

pub(super) fn attestation_mechanism(
    cloud: &Cloud,
    request: &ServiceRequest,
    id: &str,
) -> Result<Response, ServiceError> {
    let mut world = cloud.lock();
    let group = world.service_mut(&request.service).and_then(|service| service.group(id));
    Ok(answer(StatusCode::OK, &document::attestation(group.ok_or_else(|| ServiceError::no_group(id))?)))
}

/// 200 also for a new group (`azure-wire-facts.md` §3).
pub(super) fn upsert(cloud: &Cloud, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    let document = request.object()?;
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let condition = request.header("if-match");
    let shown = write(&mut world, &request.service, id, document, condition, request.version, now)?;
    Ok(answer(StatusCode::OK, &shown))
}

pub(super) fn delete(cloud: &Cloud, request: &ServiceRequest, id: &str) -> Result<Response, ServiceError> {
    remove(&mut cloud.lock(), &request.service, id, request.header("if-match"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Replaces or creates a group, and gives it as a read shows it.
pub(super) fn write(
    world: &mut World,
    service: &str,
    id: &str,
    document: Map<String, Value>,
    condition: Option<&str>,
    version: ApiVersion,
    now: OffsetDateTime,
) -> Result<Value, ServiceError> {
    let World { services, names, namespaces, fleet, .. } = world;
    let service = services.iter_mut().find(|known| known.name.eq_ignore_ascii_case(service));
    let service = service.ok_or_else(|| ServiceError::no_group(id))?;
    let previous = service.group(id);
    matches(previous, condition)?;
    let how = Write { version, unknown_reference: fleet.unknown_reference, now };
    let group = document::written(previous, id, document, &how, names)?;
    if let Some(reference) = &group.policy {
        let namespace = linked_namespace(service, namespaces, now)?;
        check(reference, namespace, fleet.unknown_policy)?;
    }
    let shown = document::shown(&group, version);
    service.groups.insert(id.to_ascii_lowercase(), group);
    Ok(shown)
}

/// The namespace of a service, once its data plane knows it and its roles there have replicated
/// (`azure-wire-facts.md` §2.3).
fn linked_namespace<'a>(
    service: &ProvisioningService,
    namespaces: &'a [Namespace],
    now: OffsetDateTime,
) -> Result<&'a Namespace, ServiceError> {
    let link = service.link.as_ref().filter(|link| link.works() && !service.is_unaware);
    let namespace = link.and_then(|link| namespaces.iter().find(|namespace| link.is_to(&namespace.id)));
    match namespace {
        None => Err(ServiceError::new(
            400_004,
            "A Device Registry Namespace is required to be set on this DPS instance",
        )),
        Some(_) if now < service.roles_replicated => Err(ServiceError::new(
            403_000,
            "The identity of this DPS instance is not authorized on the Device Registry Namespace",
        )),
        Some(namespace) => Ok(namespace),
    }
}

/// It is not documented whether Azure checks the names; the fleet decides (`azure-wire-facts.md` §10c.7). The service
/// never takes another namespace than the linked one, or a root.
fn check(
    reference: &PolicyReference,
    namespace: &Namespace,
    unknown: UnknownPolicy,
) -> Result<(), ServiceError> {
    let invalid = |problem: String| Err(ServiceError::new(400_000, problem));
    let refuses = unknown == UnknownPolicy::Refuse;
    match reference {
        PolicyReference::Credential(policy) if refuses && namespace.policy(policy).is_none() => {
            invalid(format!("The credential policy '{policy}' does not exist."))
        }
        PolicyReference::Credential(_) => Ok(()),
        PolicyReference::Certificate { namespace: name, .. }
            if !name.eq_ignore_ascii_case(&namespace.name) =>
        {
            invalid(format!("The namespace '{name}' is not linked to this DPS instance."))
        }
        PolicyReference::Certificate { authority, policy, .. } => {
            let found = namespace.certificate_authority(authority);
            if found.is_some_and(|found| !found.is_issuing()) {
                return invalid(format!("The certificate authority '{authority}' is not of type ICA."));
            }
            if refuses && found.and_then(|found| found.policy(policy)).is_none() {
                return invalid(format!("The certificate policy '{authority}/{policy}' does not exist."));
            }
            Ok(())
        }
    }
}

/// Deletes a group.
pub(super) fn remove(
    world: &mut World,
    service: &str,
    id: &str,
    condition: Option<&str>,
) -> Result<(), ServiceError> {
    let service = world.service_mut(service).ok_or_else(|| ServiceError::no_group(id))?;
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
