//! Namespaces: get, list, create or replace, write tags or links, delete.

mod delete;
mod links;

use axum::response::Response;
use serde_json::{Value, json};

pub(super) use delete::delete;

use super::{Start, location, namespace_id, start, start_by_location, system_data, tags, words};
use crate::arm::{ArmRequest, api_versions, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Generation;
use crate::world::World;
use crate::world::change::{Deed, ResourceKind};
use crate::world::namespace::Namespace;
use crate::world::operation::{Effect, Polling};
use crate::world::resource::{ProvisioningState, Times};

pub(super) fn list(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let within = |namespace: &&Namespace| {
        namespace.subscription.eq_ignore_ascii_case(&request.subscription)
            && request
                .resource_group
                .as_ref()
                .is_none_or(|group| group.eq_ignore_ascii_case(&namespace.resource_group))
    };
    let entries =
        world.namespaces.iter().filter(within).map(|n| (n.id.clone(), body(request, &world, n))).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    ok(body(request, &world, found(&world, request, name)?))
}

/// In generation B the endpoints of the body are the links of the namespace from then on; in generation A links are
/// made on the hub.
pub(super) fn put(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let speaks_links = api_versions::generation(request) == Generation::CertificateAuthorities;
    let wanted = if speaks_links { links::wanted(&given)? } else { Vec::new() };
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    links::check(&world, &id, &wanted)?;
    if let Some(namespace) = world.namespace_mut(&id) {
        words::not_deleting(namespace)?;
        namespace.tags = tags;
        namespace.times.modified = now;
        let replaces_links = speaks_links && namespace.generation.has_certificate_authorities();
        let id = namespace.id.clone();
        if links::apply(&mut world, &id, &wanted, replaces_links) {
            begin(&mut world, request, &id, Polling::ForStatus, now);
            set_state(&mut world, &id, ProvisioningState::Accepted);
        } else {
            world.tell(&id, ResourceKind::Namespace, Deed::Write, now);
        }
        return ok(body(request, &world, found(&world, request, name)?));
    }
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(3..=64).contains(&name.len())
        || !name.chars().all(fit)
        || name.starts_with('-')
        || name.ends_with('-')
    {
        return Err(ArmError::bad_request("InvalidResourceName", format!("The name '{name}' is not valid.")));
    }
    let namespace = Namespace {
        id: id.clone(),
        name: name.to_owned(),
        subscription: request.subscription.clone(),
        resource_group: request.resource_group.clone().unwrap_or_default(),
        location,
        tags,
        uuid: world.names.guid(),
        principal_id: world.names.guid(),
        tenant_id: world.tenant_id.clone(),
        provisioning_state: ProvisioningState::Accepted,
        times: Times::new(now),
        generation: Generation::Both,
        credential: None,
        certificate_authorities: indexmap::IndexMap::new(),
    };
    world.namespaces.push(namespace);
    links::apply(&mut world, &id, &wanted, false);
    let path = begin(&mut world, request, &id, Polling::ForStatus, now);
    let answer = body(request, &world, found(&world, request, name)?);
    Ok(operations::created(cloud, request, &path, world.fleet.retry_after_seconds, answer))
}

/// Writes tags and, in generation B, adds links. The service also checks the namespace again, which heals one that a link
/// has left `Failed` (`azure-wire-facts.md` §9).
pub(super) fn patch(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let tags = tags(&given)?;
    let speaks_links = api_versions::generation(request) == Generation::CertificateAuthorities;
    let wanted = if speaks_links { links::wanted(&given)? } else { Vec::new() };
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let namespace = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    words::not_deleting(namespace)?;
    let id = namespace.id.clone();
    links::check(&world, &id, &wanted)?;
    let namespace = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    namespace.tags = tags.unwrap_or_else(|| namespace.tags.clone());
    namespace.times.modified = now;
    if links::apply(&mut world, &id, &wanted, false) {
        set_state(&mut world, &id, ProvisioningState::Accepted);
    }
    let what = write(&id, Polling::UntilDone);
    Ok(start_by_location(cloud, &mut world, request, what))
}

fn write(id: &str, polling: Polling) -> Start {
    Start { namespace_id: id.to_owned(), resource_id: id.to_owned(), polling, effect: Effect::WriteNamespace }
}

fn begin(
    world: &mut World,
    request: &ArmRequest,
    id: &str,
    polling: Polling,
    now: time::OffsetDateTime,
) -> String {
    start(world, request, write(id, polling), now)
}

fn set_state(world: &mut World, id: &str, provisioning_state: ProvisioningState) {
    if let Some(namespace) = world.namespace_mut(id) {
        namespace.provisioning_state = provisioning_state;
    }
}

fn found<'a>(world: &'a World, request: &ArmRequest, name: &str) -> Result<&'a Namespace, ArmError> {
    let id = namespace_id(request, name)?;
    world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))
}

fn body(request: &ArmRequest, world: &World, namespace: &Namespace) -> Value {
    let mut properties = json!({
        "uuid": namespace.uuid,
        "messaging": {"endpoints": {}},
        "provisioningState": words::provisioning_state(namespace.provisioning_state),
    });
    if api_versions::generation(request) == Generation::CertificateAuthorities {
        let (messaging, provisioning) = links::shown(world, namespace);
        (properties["messaging"], properties["provisioning"]) = (messaging, provisioning);
    }
    json!({
        "id": namespace.id,
        "name": namespace.name,
        "type": "Microsoft.DeviceRegistry/namespaces",
        "location": namespace.location,
        "tags": namespace.tags,
        "identity": {
            "type": "SystemAssigned",
            "principalId": namespace.principal_id,
            "tenantId": namespace.tenant_id,
        },
        "properties": properties,
        "systemData": system_data(&namespace.tenant_id, namespace.times),
    })
}

#[cfg(test)]
mod tests;
