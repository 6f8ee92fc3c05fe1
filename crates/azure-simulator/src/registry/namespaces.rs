//! Namespaces: get, list, create or replace, and write tags.

mod links;

use axum::response::Response;
use serde_json::{Value, json};

use super::{Start, location, namespace_id, start, start_by_location, system_data, tags};
use crate::arm::{ArmRequest, api_versions, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::feeds::ResourceChange;
use crate::fleet::Generation;
use crate::world::World;
use crate::world::namespace::{Namespace, SystemData};
use crate::world::operation::{Effect, Polling};
use crate::world::state::State;

const WRITE: &str = "Microsoft.DeviceRegistry/namespaces/write";

pub(super) fn list(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let state = world.lock();
    let within = |namespace: &&Namespace| {
        namespace.subscription.eq_ignore_ascii_case(&request.subscription)
            && request
                .resource_group
                .as_ref()
                .is_none_or(|group| group.eq_ignore_ascii_case(&namespace.resource_group))
    };
    let entries =
        state.namespaces.iter().filter(within).map(|n| (n.id.clone(), body(request, &state, n))).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    ok(body(request, &state, found(&state, request, name)?))
}

/// In generation B the endpoints of the body are the links of the namespace from then on; in generation A links are
/// made on the hub.
pub(super) fn put(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let speaks_links = api_versions::generation(request) == Generation::CertificateAuthorities;
    let wanted = if speaks_links { links::wanted(&given)? } else { Vec::new() };
    let now = world.clock().now();
    let mut state = world.lock();
    links::check(&state, &id, &wanted)?;
    if let Some(namespace) = state.namespace_mut(&id) {
        namespace.tags = tags;
        namespace.system_data.modified = now;
        let replaces_links = speaks_links && namespace.generation.has_certificate_authorities();
        let id = namespace.id.clone();
        if links::apply(&mut state, &id, &wanted, replaces_links) {
            begin(&mut state, request, &id, Polling::AsyncOperation, now);
            set_state(&mut state, &id, "Accepted");
        } else {
            state.announce(&id, WRITE, ResourceChange::Write, now);
        }
        return ok(body(request, &state, found(&state, request, name)?));
    }
    let fit = |c: char| c.is_ascii_alphanumeric() || c == '-';
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
        uuid: state.names.guid(),
        principal_id: state.names.guid(),
        tenant_id: state.tenant_id.clone(),
        provisioning_state: "Accepted".to_owned(),
        system_data: SystemData::new(now),
        generation: Generation::Both,
        credential: None,
        certificate_authorities: indexmap::IndexMap::new(),
    };
    state.namespaces.push(namespace);
    links::apply(&mut state, &id, &wanted, false);
    let path = begin(&mut state, request, &id, Polling::AsyncOperation, now);
    let answer = body(request, &state, found(&state, request, name)?);
    Ok(operations::created(world, request, &path, state.fleet.retry_after_seconds, answer))
}

/// Tags. The namespace is looked over again, which heals one that a link has left `Failed` (`azure-wire-facts.md` §9).
pub(super) fn patch(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let tags = tags(&request.json()?)?;
    let now = world.clock().now();
    let mut state = world.lock();
    let namespace = state.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    namespace.tags = tags.unwrap_or_else(|| namespace.tags.clone());
    namespace.system_data.modified = now;
    let what = write(&namespace.id.clone(), Polling::Location);
    Ok(start_by_location(world, &mut state, request, what))
}

fn write(id: &str, polling: Polling) -> Start {
    Start {
        namespace_id: id.to_owned(),
        resource_id: id.to_owned(),
        polling,
        effect: Effect::WriteNamespace,
        name: WRITE,
        change: ResourceChange::Write,
    }
}

fn begin(
    state: &mut State,
    request: &ArmRequest,
    id: &str,
    polling: Polling,
    now: time::OffsetDateTime,
) -> String {
    start(state, request, write(id, polling), now)
}

fn set_state(state: &mut State, id: &str, provisioning_state: &str) {
    if let Some(namespace) = state.namespace_mut(id) {
        namespace.provisioning_state = provisioning_state.to_owned();
    }
}

fn found<'a>(state: &'a State, request: &ArmRequest, name: &str) -> Result<&'a Namespace, ArmError> {
    let id = namespace_id(request, name)?;
    state.namespace(&id).ok_or_else(|| ArmError::not_found(&id))
}

fn body(request: &ArmRequest, state: &State, namespace: &Namespace) -> Value {
    let mut properties = json!({
        "uuid": namespace.uuid,
        "messaging": {"endpoints": {}},
        "provisioningState": namespace.provisioning_state,
    });
    if api_versions::generation(request) == Generation::CertificateAuthorities {
        let (messaging, provisioning) = links::shown(state, namespace);
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
        "systemData": system_data(&namespace.tenant_id, namespace.system_data),
    })
}

#[cfg(test)]
mod tests;
