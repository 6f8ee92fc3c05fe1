//! Generation A: the credential of a namespace, always named `default`, and the sync of its policies to hubs.

mod policies;
mod policy_actions;
mod wanted;

use axum::response::Response;
use serde_json::{Value, json};

use super::{Start, location, namespace_id, no_content, start, start_by_location, system_data, tags};
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::feeds::ResourceChange;
use crate::world::World;
use crate::world::credential::Credential;
use crate::world::namespace::Namespace;
use crate::world::operation::{Effect, Polling};
use crate::world::state::State;

const WRITE: &str = "Microsoft.DeviceRegistry/namespaces/credentials/write";
const DELETE: &str = "Microsoft.DeviceRegistry/namespaces/credentials/delete";
const SYNCHRONIZE: &str = "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action";

/// Answers a request about a credential or its policies.
pub(super) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["namespaces", "credentials"], [namespace]) => list(world, request, namespace),
        (_, ["namespaces", "credentials", ..], [_, credential, ..])
            if !credential.eq_ignore_ascii_case("default") =>
        {
            Err(ArmError::not_found(&request.path))
        }
        ("GET", ["namespaces", "credentials"], [namespace, _]) => get(world, request, namespace),
        ("PUT", ["namespaces", "credentials"], [namespace, _]) => put(world, request, namespace),
        ("PATCH", ["namespaces", "credentials"], [namespace, _]) => patch(world, request, namespace),
        ("DELETE", ["namespaces", "credentials"], [namespace, _]) => delete(world, request, namespace),
        ("POST", ["namespaces", "credentials", "synchronize"], [namespace, _]) => {
            synchronize(world, request, namespace)
        }
        ("GET", ["namespaces", "credentials", "policies"], [namespace, _]) => {
            policies::list(world, request, namespace)
        }
        ("GET", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::get(world, request, namespace, policy)
        }
        ("PUT", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::put(world, request, namespace, policy)
        }
        ("PATCH", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::patch(world, request, namespace, policy)
        }
        ("DELETE", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::delete(world, request, namespace, policy)
        }
        ("POST", ["namespaces", "credentials", "policies", "revokeissuer"], [namespace, _, policy]) => {
            policy_actions::revoke_issuer(world, request, namespace, policy)
        }
        (
            "POST",
            ["namespaces", "credentials", "policies", "activatebringyourownroot"],
            [namespace, _, policy],
        ) => policy_actions::activate(world, request, namespace, policy),
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let state = world.lock();
    let namespace = state.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let entries = namespace
        .credential
        .iter()
        .map(|credential| (namespace.credential_id(), body(namespace, credential)))
        .collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

fn get(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, credential) = found(&state, request, name)?;
    ok(body(namespace, credential))
}

fn put(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let now = world.clock().now();
    let mut state = world.lock();
    let namespace = state.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let credential_id = namespace.credential_id();
    if let Some(credential) = &mut namespace.credential {
        credential.tags = tags;
        credential.system_data.modified = now;
        let answer =
            found(&state, request, name).map(|(namespace, credential)| body(namespace, credential))?;
        state.announce(&credential_id, WRITE, ResourceChange::Write, now);
        return ok(answer);
    }
    let credential = Credential::accepted(location, tags, now);
    let answer = body(namespace, &credential);
    namespace.credential = Some(credential);
    let what = Start {
        namespace_id: id,
        resource_id: credential_id,
        polling: Polling::AsyncOperation,
        effect: Effect::CreateCredential,
        name: WRITE,
        change: ResourceChange::Write,
    };
    let path = start(&mut state, request, what, now);
    Ok(operations::created(world, request, &path, state.fleet.retry_after_seconds, answer))
}

/// Tags only.
fn patch(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let tags = tags(&request.json()?)?;
    let now = world.clock().now();
    let mut state = world.lock();
    let credential = state.namespace_mut(&id).and_then(|namespace| namespace.credential.as_mut());
    let credential = credential.ok_or_else(|| ArmError::not_found(&format!("{id}/credentials/default")))?;
    if let Some(tags) = tags {
        credential.tags = tags;
    }
    credential.system_data.modified = now;
    let (namespace, credential) = found(&state, request, name)?;
    state.announce(&namespace.credential_id(), WRITE, ResourceChange::Write, now);
    ok(body(namespace, credential))
}

/// Policies go first (`azure-wire-facts.md` §8).
fn delete(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let mut state = world.lock();
    let namespace = state.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let resource_id = namespace.credential_id();
    let Some(credential) = &mut namespace.credential else { return Ok(no_content()) };
    if !credential.policies.is_empty() {
        return Err(ArmError::conflict(
            "CredentialHasPolicies",
            "The credential still has policies; delete them first.",
        ));
    }
    credential.provisioning_state = "Deleting".to_owned();
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::Location,
        effect: Effect::DeleteCredential,
        name: DELETE,
        change: ResourceChange::Delete,
    };
    Ok(start_by_location(world, &mut state, request, what))
}

/// Pushes the issuing CA of every active policy to every linked hub. A second one while one runs is a conflict; Azure
/// does not document what it does then (`azure-wire-facts.md` §1.4, §10a).
fn synchronize(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let mut state = world.lock();
    let (namespace, credential) = found(&state, request, name)?;
    if credential.root.is_none() {
        return Err(ArmError::conflict("Conflict", "The credential is not ready."));
    }
    let resource_id = namespace.credential_id();
    let pushes = |effect: &Effect| {
        matches!(effect, Effect::Synchronize | Effect::RevokeIssuer(_) | Effect::Activate { .. })
    };
    if state.is_running(&id, pushes) {
        return Err(ArmError::conflict("Conflict", "Another operation is in progress on this credential."));
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::Location,
        effect: Effect::Synchronize,
        name: SYNCHRONIZE,
        change: ResourceChange::Action,
    };
    Ok(start_by_location(world, &mut state, request, what))
}

/// The namespace and its credential.
fn found<'a>(
    state: &'a State,
    request: &ArmRequest,
    name: &str,
) -> Result<(&'a Namespace, &'a Credential), ArmError> {
    let id = namespace_id(request, name)?;
    let namespace = state.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let credential =
        namespace.credential.as_ref().ok_or_else(|| ArmError::not_found(&namespace.credential_id()))?;
    Ok((namespace, credential))
}

fn body(namespace: &Namespace, credential: &Credential) -> Value {
    json!({
        "properties": {"provisioningState": credential.provisioning_state},
        "tags": credential.tags,
        "location": credential.location,
        "id": namespace.credential_id(),
        "name": "default",
        "type": "Microsoft.DeviceRegistry/namespaces/credentials",
        "systemData": system_data(&namespace.tenant_id, credential.system_data),
    })
}
