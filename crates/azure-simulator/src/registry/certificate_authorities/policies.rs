//! Certificate policies: what an issuing CA issues. One per CA, none below a root (`azure-wire-facts.md` §1.2, §2.4).

use axum::response::Response;
use serde_json::{Map, Value};

use super::{body, not_busy};
use crate::arm::{ArmRequest, ok, operations, paging};
use crate::arm_error::ArmError;
use crate::feeds::ResourceChange;
use crate::registry::{Start, namespace_id, no_content, start, start_by_location};
use crate::world::World;
use crate::world::certificate_authority::{CertificateAuthority, CertificatePolicy};
use crate::world::names::is_policy_name;
use crate::world::namespace::{Namespace, SystemData};
use crate::world::operation::{AuthorityChange, Effect, Polling};
use crate::world::state::State;

const WRITE: &str = "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/write";
const DELETE: &str = "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/delete";

pub(super) fn list(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, authority) = super::found(&state, request, namespace, authority)?;
    let entry = |policy: &CertificatePolicy| {
        let id = namespace.certificate_policy_id(&authority.name, &policy.name);
        (id, body::policy(namespace, authority, policy))
    };
    let entries = authority.policies.values().map(entry).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

pub(super) fn get(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, authority, policy) = found(&state, request, namespace, authority, name)?;
    ok(body::policy(namespace, authority, policy))
}

/// A location in the body is taken and not kept: the example of the specification has one, its types have none.
pub(super) fn put(
    world: &World,
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
    let now = world.clock().now();
    let mut state = world.lock();
    let (_, owner) = super::found(&state, request, namespace, authority)?;
    if !owner.is_issuing() {
        return Err(ArmError::conflict(
            "PolicyRequiresIssuingCa",
            format!("The certificate authority '{}' is not of type ICA.", owner.name),
        ));
    }
    if owner.policy(name).is_some() {
        return change(world, &mut state, request, namespace, authority, name, Some(days));
    }
    not_busy("certificate authority", &owner.name, &owner.provisioning_state)?;
    if !is_policy_name(name) {
        return Err(ArmError::bad_request(
            "InvalidResourceName",
            format!("The certificate policy name '{name}' is not valid."),
        ));
    }
    if !owner.policies.is_empty() {
        // What the service answers beyond the limit is not published; this code is made up.
        return Err(ArmError::conflict(
            "CertificatePolicyLimitExceeded",
            format!("The certificate authority '{}' has a certificate policy already.", owner.name),
        ));
    }
    let policy = CertificatePolicy {
        name: name.to_owned(),
        uuid: state.names.guid(),
        validity_days: days,
        provisioning_state: "Accepted".to_owned(),
        system_data: SystemData::new(now),
    };
    let (owner, parent) = super::found(&state, request, namespace, authority)?;
    let answer = body::policy(owner, parent, &policy);
    let (parent, resource_id) = (parent.name.clone(), owner.certificate_policy_id(&parent.name, name));
    let key = name.to_ascii_lowercase();
    if let Some(parent) = state.namespace_mut(&id).and_then(|owner| owner.certificate_authority_mut(&parent))
    {
        parent.policies.insert(key.clone(), policy);
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::AsyncOperation,
        effect: Effect::CertificateAuthority { name: parent, change: AuthorityChange::CreatePolicy(key) },
        name: WRITE,
        change: ResourceChange::Write,
    };
    let path = start(&mut state, request, what, now);
    Ok(operations::created(world, request, &path, state.fleet.retry_after_seconds, answer))
}

pub(super) fn patch(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let days = validity(&request.json()?)?;
    change(world, &mut world.lock(), request, namespace, authority, name, days)
}

pub(super) fn delete(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut state = world.lock();
    let (owner, parent) = super::found(&state, request, namespace, authority)?;
    let Some(policy) = parent.policy(name) else { return Ok(no_content()) };
    not_busy("certificate policy", &policy.name, &policy.provisioning_state)?;
    let resource_id = owner.certificate_policy_id(&parent.name, &policy.name);
    let (parent, key) = (parent.name.clone(), policy.name.to_ascii_lowercase());
    if let Some(policy) = policy_mut(&mut state, &id, &parent, &key) {
        policy.provisioning_state = "Deleting".to_owned();
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::Location,
        effect: Effect::CertificateAuthority { name: parent, change: AuthorityChange::DeletePolicy(key) },
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
    authority: &str,
    name: &str,
    days: Option<u32>,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = world.clock().now();
    let (_, _, policy) = found(state, request, namespace, authority, name)?;
    not_busy("certificate policy", &policy.name, &policy.provisioning_state)?;
    if let Some(policy) = policy_mut(state, &id, authority, name) {
        policy.validity_days = days.unwrap_or(policy.validity_days);
        policy.system_data.modified = now;
    }
    let (owner, parent, policy) = found(state, request, namespace, authority, name)?;
    let resource_id = owner.certificate_policy_id(&parent.name, &policy.name);
    state.announce(&resource_id, WRITE, ResourceChange::Write, now);
    ok(body::policy(owner, parent, policy))
}

fn found<'a>(
    state: &'a State,
    request: &ArmRequest,
    namespace: &str,
    authority: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a CertificateAuthority, &'a CertificatePolicy), ArmError> {
    let (namespace, authority) = super::found(state, request, namespace, authority)?;
    let policy = authority
        .policy(name)
        .ok_or_else(|| ArmError::not_found(&namespace.certificate_policy_id(&authority.name, name)))?;
    Ok((namespace, authority, policy))
}

fn policy_mut<'a>(
    state: &'a mut State,
    namespace_id: &str,
    authority: &str,
    name: &str,
) -> Option<&'a mut CertificatePolicy> {
    let authority = state.namespace_mut(namespace_id)?.certificate_authority_mut(authority)?;
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
