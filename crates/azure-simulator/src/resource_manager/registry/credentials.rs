//! Generation A: the credential of a namespace, always named `default`, and the sync of its policies to hubs.

mod policies;
mod policy_actions;
mod wanted;

use axum::response::Response;
use serde_json::{Value, json};

use super::{Start, location, namespace_id, no_content, start, start_by_location, system_data, tags, words};
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::world::World;
use crate::world::change::{Deed, ResourceKind};
use crate::world::credential::Credential;
use crate::world::namespace::Namespace;
use crate::world::operation::{Effect, Polling};
use crate::world::resource::ProvisioningState;

/// Answers a request about a credential or its policies.
pub(super) fn handle(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["namespaces", "credentials"], [namespace]) => list(cloud, request, namespace),
        (_, ["namespaces", "credentials", ..], [_, credential, ..])
            if !credential.eq_ignore_ascii_case("default") =>
        {
            Err(ArmError::not_found(&request.path))
        }
        ("GET", ["namespaces", "credentials"], [namespace, _]) => get(cloud, request, namespace),
        ("PUT", ["namespaces", "credentials"], [namespace, _]) => put(cloud, request, namespace),
        ("PATCH", ["namespaces", "credentials"], [namespace, _]) => patch(cloud, request, namespace),
        ("DELETE", ["namespaces", "credentials"], [namespace, _]) => delete(cloud, request, namespace),
        ("POST", ["namespaces", "credentials", "synchronize"], [namespace, _]) => {
            synchronize(cloud, request, namespace)
        }
        ("GET", ["namespaces", "credentials", "policies"], [namespace, _]) => {
            policies::list(cloud, request, namespace)
        }
        ("GET", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::get(cloud, request, namespace, policy)
        }
        ("PUT", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::put(cloud, request, namespace, policy)
        }
        ("PATCH", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::patch(cloud, request, namespace, policy)
        }
        ("DELETE", ["namespaces", "credentials", "policies"], [namespace, _, policy]) => {
            policies::delete(cloud, request, namespace, policy)
        }
        ("POST", ["namespaces", "credentials", "policies", "revokeissuer"], [namespace, _, policy]) => {
            policy_actions::revoke_issuer(cloud, request, namespace, policy)
        }
        (
            "POST",
            ["namespaces", "credentials", "policies", "activatebringyourownroot"],
            [namespace, _, policy],
        ) => policy_actions::activate(cloud, request, namespace, policy),
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let world = cloud.lock();
    let namespace = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let entries = namespace
        .credential
        .iter()
        .map(|credential| (namespace.credential_id(), body(namespace, credential)))
        .collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Null)?)
}

fn get(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, credential) = found(&world, request, name)?;
    ok(body(namespace, credential))
}

fn put(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let namespace = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    words::not_deleting(namespace)?;
    let credential_id = namespace.credential_id();
    let is_made = |one: &&mut Credential| !words::is_to_be_made_again(one.provisioning_state);
    if let Some(credential) = namespace.credential.as_mut().filter(is_made) {
        if credential.provisioning_state == ProvisioningState::Deleting {
            words::not_busy("credential", "default", credential.provisioning_state)?;
        }
        credential.tags = tags;
        credential.times.modified = now;
        let answer =
            found(&world, request, name).map(|(namespace, credential)| body(namespace, credential))?;
        world.tell(&credential_id, ResourceKind::Credential, Deed::Write, now);
        return ok(answer);
    }
    let credential = namespace.credential.get_or_insert_with(|| Credential::accepted(location, tags, now));
    credential.provisioning_state = ProvisioningState::Accepted;
    let (namespace, credential) = found(&world, request, name)?;
    let answer = body(namespace, credential);
    let what = Start {
        namespace_id: id,
        resource_id: credential_id,
        polling: Polling::ForStatus,
        effect: Effect::CreateCredential,
    };
    let path = start(&mut world, request, what, now);
    Ok(operations::created(cloud, request, &path, world.fleet.retry_after_seconds, answer))
}

/// Tags only.
fn patch(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let tags = tags(&request.json()?)?;
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let credential = world.namespace_mut(&id).and_then(|namespace| namespace.credential.as_mut());
    let credential = credential.ok_or_else(|| ArmError::not_found(&format!("{id}/credentials/default")))?;
    if let Some(tags) = tags {
        credential.tags = tags;
    }
    credential.times.modified = now;
    let (namespace, credential) = found(&world, request, name)?;
    world.tell(&namespace.credential_id(), ResourceKind::Credential, Deed::Write, now);
    ok(body(namespace, credential))
}

/// Policies go first (`azure-wire-facts.md` §8).
fn delete(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let mut world = cloud.lock();
    let namespace = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let resource_id = namespace.credential_id();
    let Some(credential) = &mut namespace.credential else { return Ok(no_content()) };
    if !credential.policies.is_empty() {
        return Err(ArmError::conflict(
            "CredentialHasPolicies",
            "The credential still has policies; delete them first.",
        ));
    }
    words::not_busy("credential", "default", credential.provisioning_state)?;
    credential.provisioning_state = ProvisioningState::Deleting;
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::UntilDone,
        effect: Effect::DeleteCredential,
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

/// Pushes the issuing CA of every active policy to every linked hub. A second one while one runs is a conflict; Azure
/// does not document what it does then (`azure-wire-facts.md` §1.4, §10a).
fn synchronize(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let mut world = cloud.lock();
    let (namespace, credential) = found(&world, request, name)?;
    if credential.root.is_none() {
        return Err(ArmError::conflict("Conflict", "The credential is not ready."));
    }
    let resource_id = namespace.credential_id();
    let pushes = |effect: &Effect| {
        matches!(effect, Effect::Synchronize | Effect::RevokeIssuer(_) | Effect::Activate { .. })
    };
    if world.is_running(&id, pushes) {
        return Err(ArmError::conflict("Conflict", "Another operation is in progress on this credential."));
    }
    let what =
        Start { namespace_id: id, resource_id, polling: Polling::UntilDone, effect: Effect::Synchronize };
    Ok(start_by_location(cloud, &mut world, request, what))
}

/// The namespace and its credential.
fn found<'a>(
    world: &'a World,
    request: &ArmRequest,
    name: &str,
) -> Result<(&'a Namespace, &'a Credential), ArmError> {
    let id = namespace_id(request, name)?;
    let namespace = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let credential =
        namespace.credential.as_ref().ok_or_else(|| ArmError::not_found(&namespace.credential_id()))?;
    Ok((namespace, credential))
}

fn body(namespace: &Namespace, credential: &Credential) -> Value {
    json!({
        "properties": {"provisioningState": words::provisioning_state(credential.provisioning_state)},
        "tags": credential.tags,
        "location": credential.location,
        "id": namespace.credential_id(),
        "name": "default",
        "type": "Microsoft.DeviceRegistry/namespaces/credentials",
        "systemData": system_data(&namespace.tenant_id, credential.times),
    })
}
