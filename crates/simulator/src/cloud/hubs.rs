//! IoT hubs as ARM shows them, and the CA certificates on them, with the traps of the real service
//! (`azure-wire-facts.md` §2.1, §2.2): `PolicyResourceId` in Pascal case, RFC 1123 dates, no paging of certificates.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::arm::{ArmRequest, ok, paging};
use super::arm_error::ArmError;
use super::dates;
use super::feeds::ResourceChange;
use super::world::World;
use super::world::hub::{Hub, HubCertificate};
use super::world::state::State;

/// From this version on a linked hub has a normal SKU and says `gatewayVersion` instead (§2.1).
const WITHOUT_GENERATION_2: &str = "2026-05-01-preview";

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["iothubs"], []) => list(world, request),
        ("GET", ["iothubs"], [hub]) => ok(body(request, found(&world.lock(), request, hub)?)),
        ("GET", ["iothubs", "certificates"], [hub]) => {
            let state = world.lock();
            let hub = found(&state, request, hub)?;
            let value: Vec<Value> = hub.certificates.iter().map(|one| certificate_body(hub, one)).collect();
            ok(json!({ "value": value }))
        }
        ("GET", ["iothubs", "certificates"], [hub, certificate]) => {
            let state = world.lock();
            let hub = found(&state, request, hub)?;
            let index = certificate_index(hub, certificate)?;
            ok(certificate_body(hub, &hub.certificates[index]))
        }
        ("DELETE", ["iothubs", "certificates"], [hub, certificate]) => {
            delete_certificate(world, request, hub, certificate)
        }
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let state = world.lock();
    let within = |hub: &&Hub| {
        hub.subscription.eq_ignore_ascii_case(&request.subscription)
            && request
                .resource_group
                .as_ref()
                .is_none_or(|group| group.eq_ignore_ascii_case(&hub.resource_group))
    };
    let entries = state.hubs.iter().filter(within).map(|hub| (hub.id.clone(), body(request, hub))).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Absent)?)
}

fn hub_id(request: &ArmRequest, name: &str) -> Result<String, ArmError> {
    let group = request.resource_group.as_deref().ok_or_else(|| ArmError::not_found(&request.path))?;
    Ok(format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Devices/IotHubs/{name}",
        request.subscription
    ))
}

fn found<'a>(state: &'a State, request: &ArmRequest, name: &str) -> Result<&'a Hub, ArmError> {
    let id = hub_id(request, name)?;
    state.hubs.iter().find(|hub| hub.id.eq_ignore_ascii_case(&id)).ok_or_else(|| ArmError::not_found(&id))
}

fn certificate_index(hub: &Hub, name: &str) -> Result<usize, ArmError> {
    let same = |certificate: &HubCertificate| certificate.name.eq_ignore_ascii_case(name);
    hub.certificates
        .iter()
        .position(same)
        .ok_or_else(|| ArmError::not_found(&format!("{}/certificates/{name}", hub.id)))
}

/// Cuts off the devices of an issuing CA: the only way after a policy was deleted (§2.2). Needs `If-Match`.
fn delete_certificate(
    world: &World,
    request: &ArmRequest,
    hub: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let mut state = world.lock();
    let hub = found(&state, request, hub)?;
    let hub_id = hub.id.clone();
    let index = certificate_index(hub, name)?;
    let etag = &hub.certificates[index].etag;
    match request.header("if-match").map(|value| value.trim_matches('"')) {
        None => {
            let problem = "The If-Match header is required to delete a certificate.";
            return Err(ArmError::bad_request("InvalidHeader", problem));
        }
        Some(given) if given == "*" || given == etag => {}
        Some(_) => {
            let problem = "The ETag of the certificate does not match.";
            return Err(ArmError::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", problem));
        }
    }
    let id = format!("{hub_id}/certificates/{}", hub.certificates[index].name);
    if let Some(hub) = state.hubs.iter_mut().find(|hub| hub.id == hub_id) {
        hub.certificates.remove(index);
    }
    state.announce(
        &id,
        "Microsoft.Devices/iotHubs/certificates/Delete",
        ResourceChange::Delete,
        world.clock().now(),
    );
    Ok(StatusCode::OK.into_response())
}

fn body(request: &ArmRequest, hub: &Hub) -> Value {
    let mut properties =
        json!({"state": "Active", "provisioningState": "Succeeded", "hostName": hub.host_name()});
    let mut sku = json!({"name": "S1", "tier": "Standard", "capacity": 1});
    let mut identity = json!({"type": "None"});
    if let Some(namespace) = &hub.namespace_id {
        properties["deviceRegistry"] =
            json!({"namespaceResourceId": namespace, "identityResourceId": hub.identity_id});
        identity = json!({"type": "UserAssigned", "userAssignedIdentities": {&hub.identity_id: {}}});
        if request.api_version == WITHOUT_GENERATION_2 {
            properties["iotHubDetails"] = json!({"gatewayVersion": "V2"});
        } else {
            sku = json!({"name": "GEN2", "tier": "Generation2", "capacity": 1});
        }
    }
    json!({
        "id": hub.id,
        "name": hub.name,
        "type": "Microsoft.Devices/IotHubs",
        "location": hub.location,
        "tags": {},
        "etag": hub.etag,
        "sku": sku,
        "identity": identity,
        "properties": properties,
    })
}

fn certificate_body(hub: &Hub, certificate: &HubCertificate) -> Value {
    json!({
        "id": format!("{}/certificates/{}", hub.id, certificate.name),
        "name": certificate.name,
        "type": "Microsoft.Devices/IotHubs/Certificates",
        "etag": certificate.etag,
        "properties": {
            "subject": certificate.subject,
            "expiry": dates::rfc_1123(certificate.expiry),
            "thumbprint": certificate.thumbprint,
            "isVerified": true,
            "created": dates::rfc_1123(certificate.created),
            "updated": dates::rfc_1123(certificate.created),
            "certificate": STANDARD.encode(&certificate.der),
            "PolicyResourceId": certificate.policy_id,
        },
    })
}

#[cfg(test)]
mod tests;
