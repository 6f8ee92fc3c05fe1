//! Credential policies of generation A: an issuing CA and the validity of what it issues (`azure-wire-facts.md` §1.3).

use axum::response::Response;
use serde_json::{Value, json};

use super::found as credential;
use super::wanted::Wanted;
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::dates;
use crate::feeds::ResourceChange;
use crate::pki;
use crate::registry::{
    Start, location, namespace_id, no_content, start, start_by_location, system_data, tags,
};
use crate::world::World;
use crate::world::credential::Policy;
use crate::world::names::is_policy_name;
use crate::world::namespace::{Namespace, SystemData};
use crate::world::operation::{Effect, Polling};
use crate::world::state::State;

const WRITE: &str = "Microsoft.DeviceRegistry/namespaces/credentials/policies/write";
const DELETE: &str = "Microsoft.DeviceRegistry/namespaces/credentials/policies/delete";

/// In this version a policy is a tracked resource: it has a location and tags.
const TRACKED: &str = "2025-11-01-preview";

/// What the official command line sends when nothing is said (`azure-wire-facts.md` §1.2).
const DEFAULT_LEAF_VALIDITY_DAYS: u32 = 30;

pub(super) fn list(world: &World, request: &ArmRequest, namespace: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, found) = credential(&state, request, namespace)?;
    let entry = |policy: &Policy| (namespace.policy_id(&policy.name), body(request, namespace, policy));
    let entries = found.policies.values().map(entry).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, policy) = found(&state, request, namespace, name)?;
    ok(body(request, namespace, policy))
}

pub(super) fn put(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let given = request.json()?;
    let wanted = Wanted::read(&given)?;
    let location = match request.api_version.as_str() {
        TRACKED => location(&given)?,
        _ => String::new(),
    };
    let tags = tags(&given)?.unwrap_or_default();
    let now = world.clock().now();
    let mut state = world.lock();
    let (_, found_credential) = credential(&state, request, namespace)?;
    if found_credential.root.is_none() {
        return Err(ArmError::conflict("Conflict", "The credential is not ready."));
    }
    if found(&state, request, namespace, name).is_ok() {
        return change(world, &mut state, request, namespace, name, &wanted);
    }
    if !is_policy_name(name) {
        return Err(ArmError::bad_request(
            "InvalidResourceName",
            format!("The policy name '{name}' is not valid."),
        ));
    }
    let policy = Policy {
        name: name.to_owned(),
        leaf_validity_days: wanted.leaf_validity_days.unwrap_or(DEFAULT_LEAF_VALIDITY_DAYS),
        issuing_ca_validity_days: state.fleet.issuing_ca_validity_days,
        provisioning_state: "Accepted".to_owned(),
        location: if location.is_empty() { state.fleet.location.clone() } else { location },
        tags,
        bring_your_own_root: wanted.bring_your_own_root.unwrap_or(false),
        authority: None,
        pending: None,
        system_data: SystemData::new(now),
    };
    let key = name.to_ascii_lowercase();
    let Some(namespace) = state.namespace_mut(&id) else { return Err(ArmError::not_found(&id)) };
    let (resource_id, answer) = (namespace.policy_id(name), body(request, namespace, &policy));
    if let Some(credential) = &mut namespace.credential {
        credential.policies.insert(key.clone(), policy);
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::AsyncOperation,
        effect: Effect::CreatePolicy(key),
        name: WRITE,
        change: ResourceChange::Write,
    };
    let path = start(&mut state, request, what, now);
    Ok(operations::created(world, request, &path, state.fleet.retry_after_seconds, answer))
}

/// The validity of device certificates is all that can change; the issuing CA stays (`azure-wire-facts.md` §8).
pub(super) fn patch(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let wanted = Wanted::read(&request.json()?)?;
    change(world, &mut world.lock(), request, namespace, name, &wanted)
}

pub(super) fn delete(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut state = world.lock();
    let owner = state.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let Some(policy) = owner.policy_mut(name) else { return Ok(no_content()) };
    not_busy(policy)?;
    policy.provisioning_state = "Deleting".to_owned();
    let own_name = policy.name.clone();
    let what = Start {
        resource_id: owner.policy_id(&own_name),
        namespace_id: id,
        polling: Polling::Location,
        effect: Effect::DeletePolicy(own_name.to_ascii_lowercase()),
        name: DELETE,
        change: ResourceChange::Delete,
    };
    Ok(start_by_location(world, &mut state, request, what))
}

fn change(
    world: &World,
    state: &mut State,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
    wanted: &Wanted,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = world.clock().now();
    found(state, request, namespace, name)?;
    if let Some(policy) = state.namespace_mut(&id).and_then(|owner| owner.policy_mut(name)) {
        not_busy(policy)?;
        if wanted.bring_your_own_root.is_some_and(|wanted| wanted != policy.bring_your_own_root) {
            let problem = "bringYourOwnRoot cannot be changed after a policy has been created.";
            return Err(ArmError::bad_request("PropertyChangeNotAllowed", problem));
        }
        policy.leaf_validity_days = wanted.leaf_validity_days.unwrap_or(policy.leaf_validity_days);
        policy.system_data.modified = now;
    }
    let (owner, policy) = found(state, request, namespace, name)?;
    state.announce(&owner.policy_id(&policy.name), WRITE, ResourceChange::Write, now);
    ok(body(request, owner, policy))
}

/// A policy that is being created or deleted cannot be changed.
pub(super) fn not_busy(policy: &Policy) -> Result<(), ArmError> {
    match policy.provisioning_state.as_str() {
        state @ ("Accepted" | "Deleting") => {
            Err(ArmError::conflict("Conflict", format!("The policy '{}' is in state {state}.", policy.name)))
        }
        _ => Ok(()),
    }
}

/// The namespace and its policy.
pub(super) fn found<'a>(
    state: &'a State,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a Policy), ArmError> {
    let (namespace, _) = credential(state, request, namespace)?;
    let policy = namespace.policy(name).ok_or_else(|| ArmError::not_found(&namespace.policy_id(name)))?;
    Ok((namespace, policy))
}

/// The resource. A policy under Microsoft's root shows no thumbprint, only subject and dates (`azure-wire-facts.md` §1.3).
pub(super) fn body(request: &ArmRequest, namespace: &Namespace, policy: &Policy) -> Value {
    let mut authority = json!({"keyType": "ECC"});
    if let Some(current) = &policy.authority {
        authority["subject"] = current.subject().into();
        authority["validityNotBefore"] = dates::milliseconds(current.not_before()).into();
        authority["validityNotAfter"] = dates::milliseconds(current.not_after()).into();
    }
    if policy.bring_your_own_root {
        let mut own = json!({"enabled": true, "status": policy.activation_status()});
        own["certificateSigningRequest"] =
            policy.pending.as_ref().map_or("", |pending| pending.request()).into();
        if let Some(current) = &policy.authority {
            own["issuingCertificateThumbprint"] = pki::sha1_thumbprint(current.der()).into();
        }
        authority["bringYourOwnRoot"] = own;
    }
    let mut body = json!({
        "properties": {
            "provisioningState": policy.provisioning_state,
            "certificate": {
                "certificateAuthorityConfiguration": authority,
                "leafCertificateConfiguration": {"validityPeriodInDays": policy.leaf_validity_days},
            },
        },
        "id": namespace.policy_id(&policy.name),
        "name": policy.name,
        "type": "Microsoft.DeviceRegistry/namespaces/credentials/policies",
        "systemData": system_data(&namespace.tenant_id, policy.system_data),
    });
    if request.api_version == TRACKED {
        body["location"] = policy.location.clone().into();
        body["tags"] = policy.tags.clone().into();
    }
    body
}
