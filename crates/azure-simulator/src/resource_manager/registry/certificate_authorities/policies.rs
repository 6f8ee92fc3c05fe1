//! Certificate policies, each for the certificates of an issuing CA. One per CA, none below a root
//! (`azure-wire-facts.md` §1.2, §2.4).

use axum::response::Response;
use serde_json::{Map, Value};

use super::body;
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Moment;
use crate::resource_manager::registry::words::{is_to_be_made_again, not_busy};
use crate::resource_manager::registry::{
    Start, namespace_id, no_content, not_running, start, start_by_location,
};
use crate::resource_names::is_policy_name;
use crate::world::certificate_authority::{CertificateAuthority, CertificatePolicy};
use crate::world::change::{Deed, ResourceKind};
use crate::world::namespace::Namespace;
use crate::world::operation::{AuthorityChange, Effect, Polling};
use crate::world::resource::{ProvisioningState, Times};
use crate::world::{ActionError, World};

pub(super) fn list(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, authority) = super::parent(&world, request, namespace, authority)?;
    let entry = |policy: &CertificatePolicy| {
        let id = namespace.certificate_policy_id(&authority.name, &policy.name);
        (id, body::policy(namespace, authority, policy))
    };
    let entries = authority.policies.values().map(entry).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, authority, policy) = found(&world, request, namespace, authority, name)?;
    ok(body::policy(namespace, authority, policy))
}

/// The service takes a location in the body and does not keep it: the example of the specification has one, its types
/// have none.
pub(super) fn put(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let Some(days) = validity(&request.json()?)? else {
        let problem = "certificate.validityPeriodInDays is required.";
        return Err(ArmError::bad_request("InvalidParameter", problem));
    };
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let (_, owner) = super::parent(&world, request, namespace, authority)?;
    if !owner.is_issuing() {
        return Err(ArmError::conflict(
            "PolicyRequiresIssuingCa",
            format!("The certificate authority '{}' is not of type ICA.", owner.name),
        ));
    }
    not_busy("certificate authority", &owner.name, owner.provisioning_state)?;
    if let Some(existing) = owner.policy(name) {
        not_busy("certificate policy", &existing.name, existing.provisioning_state)?;
        if !is_to_be_made_again(existing.provisioning_state) {
            return change(cloud, &mut world, request, namespace, authority, name, Some(days));
        }
    } else if !is_policy_name(name) {
        return Err(ArmError::bad_request(
            "InvalidResourceName",
            format!("The certificate policy name '{name}' is not valid."),
        ));
    } else if !owner.policies.is_empty() && world.fleet.lifecycle.refusals == Moment::AtOnce {
        return Err(ActionError::SecondPolicy(owner.name.clone()).into());
    }
    let fresh = CertificatePolicy {
        name: name.to_owned(),
        uuid: world.names.guid(),
        validity_days: days,
        provisioning_state: ProvisioningState::Accepted,
        times: Times::new(now),
    };
    let key = name.to_ascii_lowercase();
    if let Some(parent) =
        world.namespace_mut(&id).and_then(|owner| owner.certificate_authority_mut(authority))
    {
        let policy = parent.policies.entry(key.clone()).or_insert(fresh);
        policy.provisioning_state = ProvisioningState::Accepted;
        (policy.validity_days, policy.times.modified) = (days, now);
    }
    let (owner, parent, policy) = found(&world, request, namespace, authority, name)?;
    let answer = body::policy(owner, parent, policy);
    let (parent, resource_id) =
        (parent.name.clone(), owner.certificate_policy_id(&parent.name, &policy.name));
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::ForStatus,
        effect: Effect::CertificateAuthority { name: parent, change: AuthorityChange::CreatePolicy(key) },
    };
    let path = start(&mut world, request, what, now);
    Ok(operations::created(cloud, request, &path, world.fleet.retry_after_seconds, answer))
}

/// At once or in an operation: both are documented.
pub(super) fn patch(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let days = validity(&request.json()?)?;
    let mut world = cloud.lock();
    let (owner, parent, policy) = found(&world, request, namespace, authority, name)?;
    not_busy("certificate policy", &policy.name, policy.provisioning_state)?;
    if world.fleet.lifecycle.updates == Moment::AtOnce {
        return change(cloud, &mut world, request, namespace, authority, name, days);
    }
    let change =
        AuthorityChange::ChangePolicy { policy: policy.name.to_ascii_lowercase(), validity_days: days };
    let what = Start {
        namespace_id: owner.id.clone(),
        resource_id: owner.certificate_policy_id(&parent.name, &policy.name),
        polling: Polling::UntilDone,
        effect: Effect::CertificateAuthority { name: parent.name.clone(), change },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

pub(super) fn delete(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut world = cloud.lock();
    let (owner, parent) = super::parent(&world, request, namespace, authority)?;
    let Some(policy) = parent.policy(name) else { return Ok(no_content()) };
    not_busy("certificate policy", &policy.name, policy.provisioning_state)?;
    let resource_id = owner.certificate_policy_id(&parent.name, &policy.name);
    not_running(&world, &resource_id)?;
    let (parent, key) = (parent.name.clone(), policy.name.to_ascii_lowercase());
    if let Some(policy) = policy_mut(&mut world, &id, &parent, &key) {
        policy.provisioning_state = ProvisioningState::Deleting;
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::UntilDone,
        effect: Effect::CertificateAuthority { name: parent, change: AuthorityChange::DeletePolicy(key) },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

fn change(
    cloud: &Cloud,
    world: &mut World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
    days: Option<u32>,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = cloud.clock().now();
    if let Some(policy) = policy_mut(world, &id, authority, name) {
        policy.validity_days = days.unwrap_or(policy.validity_days);
        policy.times.modified = now;
    }
    let (owner, parent, policy) = found(world, request, namespace, authority, name)?;
    let resource_id = owner.certificate_policy_id(&parent.name, &policy.name);
    world.tell(&resource_id, ResourceKind::CertificatePolicy, Deed::Write, now);
    ok(body::policy(owner, parent, policy))
}

fn found<'a>(
    world: &'a World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a CertificateAuthority, &'a CertificatePolicy), ArmError> {
    let (namespace, authority) = super::parent(world, request, namespace, authority)?;
    let policy = authority
        .policy(name)
        .ok_or_else(|| ArmError::not_found(&namespace.certificate_policy_id(&authority.name, name)))?;
    Ok((namespace, authority, policy))
}

fn policy_mut<'a>(
    world: &'a mut World,
    namespace_id: &str,
    authority: &str,
    name: &str,
) -> Option<&'a mut CertificatePolicy> {
    let authority = world.namespace_mut(namespace_id)?.certificate_authority_mut(authority)?;
    authority.policies.get_mut(&name.to_ascii_lowercase())
}

/// The documentation says 1 to 90 days; the types have no bounds.
fn validity(body: &Map<String, Value>) -> Result<Option<u32>, ArmError> {
    let properties = body.get("properties");
    let days = properties.and_then(|properties| properties.pointer("/certificate/validityPeriodInDays"));
    match days.map(|days| days.as_u64().and_then(|days| u32::try_from(days).ok())) {
        None => Ok(None),
        Some(Some(days @ 1..=90)) => Ok(Some(days)),
        Some(_) => Err(ArmError::bad_request(
            "InvalidParameter",
            "certificate.validityPeriodInDays is not between 1 and 90.",
        )),
    }
}
