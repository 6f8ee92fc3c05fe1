//! Credential policies of generation A: an issuing CA and the validity of what it issues (`azure-wire-facts.md` §1.3).

use axum::response::Response;
use serde_json::{Value, json};

use super::found as credential;
use super::wanted::Wanted;
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::dates;
use crate::pki;
use crate::resource_manager::registry::{
    Start, location, namespace_id, no_content, not_running, start, start_by_location, system_data, tags,
    words,
};
use crate::resource_names::is_policy_name;
use crate::world::World;
use crate::world::change::{Deed, ResourceKind};
use crate::world::credential::Policy;
use crate::world::namespace::Namespace;
use crate::world::operation::{Effect, Polling};
use crate::world::resource::{ProvisioningState, Times};

/// In this version a policy is a tracked resource: it has a location and tags.
const TRACKED: &str = "2025-11-01-preview";

/// The value that the official command line sends by default (`azure-wire-facts.md` §1.2).
const DEFAULT_LEAF_VALIDITY_DAYS: u32 = 30;

pub(super) fn list(cloud: &Cloud, request: &ArmRequest, namespace: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, found) = credential(&world, request, namespace)?;
    let entry = |policy: &Policy| (namespace.policy_id(&policy.name), body(request, namespace, policy));
    let entries = found.policies.values().map(entry).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, policy) = found(&world, request, namespace, name)?;
    ok(body(request, namespace, policy))
}

pub(super) fn put(
    cloud: &Cloud,
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
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let (_, found_credential) = credential(&world, request, namespace)?;
    if found_credential.root.is_none() {
        return Err(ArmError::conflict("Conflict", "The credential is not ready."));
    }
    words::not_busy("credential", "default", found_credential.provisioning_state)?;
    if let Ok((_, existing)) = found(&world, request, namespace, name) {
        not_busy(existing)?;
        if !words::is_to_be_made_again(existing.provisioning_state) {
            return change(cloud, &mut world, request, namespace, name, &wanted);
        }
        check_unchanged(existing, &wanted)?;
    } else if !is_policy_name(name) {
        return Err(ArmError::bad_request(
            "InvalidResourceName",
            format!("The policy name '{name}' is not valid."),
        ));
    }
    let days = wanted.leaf_validity_days.unwrap_or(DEFAULT_LEAF_VALIDITY_DAYS);
    let fresh = Policy {
        name: name.to_owned(),
        leaf_validity_days: days,
        issuing_ca_validity_days: world.fleet.issuing_ca_validity_days,
        provisioning_state: ProvisioningState::Accepted,
        location: if location.is_empty() { world.fleet.location.clone() } else { location },
        tags,
        bring_your_own_root: wanted.bring_your_own_root.unwrap_or(false),
        authority: None,
        pending: None,
        times: Times::new(now),
    };
    let key = name.to_ascii_lowercase();
    let owner = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    if let Some(credential) = &mut owner.credential {
        let policy = credential.policies.entry(key.clone()).or_insert(fresh);
        policy.provisioning_state = ProvisioningState::Accepted;
        (policy.leaf_validity_days, policy.times.modified) = (days, now);
    }
    let (owner, policy) = found(&world, request, namespace, name)?;
    let (resource_id, answer) = (owner.policy_id(&policy.name), body(request, owner, policy));
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::ForStatus,
        effect: Effect::CreatePolicy(key),
    };
    let path = start(&mut world, request, what, now);
    Ok(operations::created(cloud, request, &path, world.fleet.retry_after_seconds, answer))
}

/// Only the validity of device certificates can change; the issuing CA stays (`azure-wire-facts.md` §8).
pub(super) fn patch(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let wanted = Wanted::read(&request.json()?)?;
    change(cloud, &mut cloud.lock(), request, namespace, name, &wanted)
}

pub(super) fn delete(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut world = cloud.lock();
    let owner = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let Some(policy) = owner.policy_mut(name) else { return Ok(no_content()) };
    not_busy(policy)?;
    let own_name = policy.name.clone();
    let resource_id = owner.policy_id(&own_name);
    not_running(&world, &resource_id)?;
    if let Some(policy) = world.namespace_mut(&id).and_then(|owner| owner.policy_mut(name)) {
        policy.provisioning_state = ProvisioningState::Deleting;
    }
    let what = Start {
        resource_id,
        namespace_id: id,
        polling: Polling::UntilDone,
        effect: Effect::DeletePolicy(own_name.to_ascii_lowercase()),
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

fn change(
    cloud: &Cloud,
    world: &mut World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
    wanted: &Wanted,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = cloud.clock().now();
    found(world, request, namespace, name)?;
    if let Some(policy) = world.namespace_mut(&id).and_then(|owner| owner.policy_mut(name)) {
        not_busy(policy)?;
        check_unchanged(policy, wanted)?;
        policy.leaf_validity_days = wanted.leaf_validity_days.unwrap_or(policy.leaf_validity_days);
        policy.times.modified = now;
    }
    let (owner, policy) = found(world, request, namespace, name)?;
    world.tell(&owner.policy_id(&policy.name), ResourceKind::CredentialPolicy, Deed::Write, now);
    ok(body(request, owner, policy))
}

/// Whether the root is the customer's own cannot change. The code is made up.
fn check_unchanged(policy: &Policy, wanted: &Wanted) -> Result<(), ArmError> {
    match wanted.bring_your_own_root {
        Some(wanted) if wanted != policy.bring_your_own_root => Err(ArmError::bad_request(
            "PropertyChangeNotAllowed",
            "bringYourOwnRoot cannot be changed after a policy has been created.",
        )),
        _ => Ok(()),
    }
}

/// A policy that is being created or deleted cannot be changed.
pub(super) fn not_busy(policy: &Policy) -> Result<(), ArmError> {
    words::not_busy("policy", &policy.name, policy.provisioning_state)
}

/// The namespace and its policy.
pub(super) fn found<'a>(
    world: &'a World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a Policy), ArmError> {
    let (namespace, _) = credential(world, request, namespace)?;
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
        let mut own = json!({"enabled": true, "status": words::activation(policy.activation())});
        own["certificateSigningRequest"] =
            policy.pending.as_ref().map_or("", |pending| pending.request()).into();
        if let Some(current) = &policy.authority {
            own["issuingCertificateThumbprint"] = pki::sha1_thumbprint(current.der()).into();
        }
        authority["bringYourOwnRoot"] = own;
    }
    let mut body = json!({
        "properties": {
            "provisioningState": words::provisioning_state(policy.provisioning_state),
            "certificate": {
                "certificateAuthorityConfiguration": authority,
                "leafCertificateConfiguration": {"validityPeriodInDays": policy.leaf_validity_days},
            },
        },
        "id": namespace.policy_id(&policy.name),
        "name": policy.name,
        "type": "Microsoft.DeviceRegistry/namespaces/credentials/policies",
        "systemData": system_data(&namespace.tenant_id, policy.times),
    });
    if request.api_version == TRACKED {
        body["location"] = policy.location.clone().into();
        body["tags"] = json!(policy.tags);
    }
    body
}
