//! Namespaces: get, list, create or replace.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Start, location, namespace_id, start, system_data, tags};
use crate::cloud::arm::{ArmRequest, ok, operations, paging};
use crate::cloud::arm_error::ArmError;
use crate::cloud::feeds::ResourceChange;
use crate::cloud::world::World;
use crate::cloud::world::namespace::{Namespace, SystemData};
use crate::cloud::world::operation::{Effect, Polling};

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
    let entries = state.namespaces.iter().filter(within).map(|n| (n.id.clone(), body(n))).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    ok(body(world.lock().namespace(&id).ok_or_else(|| ArmError::not_found(&id))?))
}

pub(super) fn put(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let now = world.clock().now();
    let mut state = world.lock();
    if let Some(namespace) = state.namespace_mut(&id) {
        namespace.tags = tags;
        namespace.system_data.modified = now;
        let (id, answer) = (namespace.id.clone(), body(namespace));
        state.announce(&id, WRITE, ResourceChange::Write, now);
        return ok(answer);
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
        credential: None,
    };
    let answer = body(&namespace);
    state.namespaces.push(namespace);
    let what = Start {
        namespace_id: id.clone(),
        resource_id: id,
        polling: Polling::AsyncOperation,
        effect: Effect::CreateNamespace,
        name: WRITE,
        change: ResourceChange::Write,
    };
    let path = start(&mut state, request, what, now);
    Ok(operations::created(world, request, &path, state.fleet.retry_after_seconds, answer))
}

/// Generation A: `messaging.endpoints` does not list hubs (`azure-wire-facts.md` §1.3).
fn body(namespace: &Namespace) -> Value {
    let tags: &Map<String, Value> = &namespace.tags;
    json!({
        "id": namespace.id,
        "name": namespace.name,
        "type": "Microsoft.DeviceRegistry/namespaces",
        "location": namespace.location,
        "tags": tags,
        "identity": {
            "type": "SystemAssigned",
            "principalId": namespace.principal_id,
            "tenantId": namespace.tenant_id,
        },
        "properties": {
            "uuid": namespace.uuid,
            "messaging": {"endpoints": {}},
            "provisioningState": namespace.provisioning_state,
        },
        "systemData": system_data(&namespace.tenant_id, namespace.system_data),
    })
}
