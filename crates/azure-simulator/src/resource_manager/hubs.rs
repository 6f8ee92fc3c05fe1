//! IoT hubs as ARM shows them, and the CA certificates on them, with the traps of the real service
//! (`azure-wire-facts.md` §2.1, §2.2): `PolicyResourceId` in Pascal case, RFC 1123 dates, no paging of certificates.

mod certificates;

use axum::response::Response;
use serde_json::{Value, json};

use super::identities;
use crate::arm::{ArmRequest, api_versions, linking, ok, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Generation;
use crate::world::World;
use crate::world::hub::Hub;
use crate::world::link::Link;
use crate::world::namespace::Namespace;

/// From this version on a linked hub has a normal SKU and says `gatewayVersion` instead (`azure-wire-facts.md` §2.1).
const WITHOUT_GENERATION_2: &str = "2026-05-01-preview";

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["iothubs"], []) => list(cloud, request),
        ("GET", ["iothubs"], [hub]) => {
            let world = cloud.lock();
            ok(body(request, &world, found(&world, request, hub)?))
        }
        ("GET", ["iothubs", "certificates"], [hub]) => {
            let world = cloud.lock();
            let hub = found(&world, request, hub)?;
            let shown = |one| certificates::body(request, world.fleet.hub_certificate_casing, hub, one);
            let value: Vec<Value> = hub.certificates.iter().map(shown).collect();
            ok(json!({ "value": value }))
        }
        ("GET", ["iothubs", "certificates"], [hub, certificate]) => {
            let world = cloud.lock();
            let hub = found(&world, request, hub)?;
            let index = certificates::index(hub, certificate)?;
            let casing = world.fleet.hub_certificate_casing;
            ok(certificates::body(request, casing, hub, &hub.certificates[index]))
        }
        ("DELETE", ["iothubs", "certificates"], [hub, certificate]) => {
            certificates::delete(cloud, request, hub, certificate)
        }
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let within = |hub: &&Hub| {
        hub.subscription.eq_ignore_ascii_case(&request.subscription)
            && request
                .resource_group
                .as_ref()
                .is_none_or(|group| group.eq_ignore_ascii_case(&hub.resource_group))
    };
    let entries =
        world.hubs.iter().filter(within).map(|hub| (hub.id.clone(), body(request, &world, hub))).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Absent)?)
}

fn hub_id(request: &ArmRequest, name: &str) -> Result<String, ArmError> {
    let group = request.resource_group.as_deref().ok_or_else(|| ArmError::not_found(&request.path))?;
    Ok(format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Devices/IotHubs/{name}",
        request.subscription
    ))
}

fn found<'a>(world: &'a World, request: &ArmRequest, name: &str) -> Result<&'a Hub, ArmError> {
    let id = hub_id(request, name)?;
    world.hubs.iter().find(|hub| hub.id.eq_ignore_ascii_case(&id)).ok_or_else(|| ArmError::not_found(&id))
}

fn body(request: &ArmRequest, world: &World, hub: &Hub) -> Value {
    let is_new = api_versions::generation(request) == Generation::CertificateAuthorities;
    let mut properties =
        json!({"state": "Active", "provisioningState": "Succeeded", "hostName": hub.host_name()});
    let mut sku = json!({"name": "S1", "tier": "Standard", "capacity": 1});
    let mut identity = json!({"type": "None"});
    if let Some(link) = &hub.link {
        identity = identities::of(&hub.id, &hub.identity_id, is_new);
        if is_new || request.api_version == WITHOUT_GENERATION_2 {
            properties["iotHubDetails"] = json!({"gatewayVersion": "V2"});
        } else {
            sku = json!({"name": "GEN2", "tier": "Generation2", "capacity": 1});
        }
        properties["deviceRegistry"] = match is_new {
            true => device_registry(world, hub, link),
            false => json!({"namespaceResourceId": link.namespace_id, "identityResourceId": hub.identity_id}),
        };
    }
    json!({
        "id": hub.id,
        "name": hub.name,
        "type": "Microsoft.Devices/IotHubs",
        "location": hub.location,
        "tags": hub.tags,
        "etag": hub.etag,
        "sku": sku,
        "identity": identity,
        "properties": properties,
    })
}

/// The link as generation B shows it on the hub, read-only (`azure-wire-facts.md` §2.3). The host name of the data
/// plane is made up.
fn device_registry(world: &World, hub: &Hub, link: &Link) -> Value {
    let namespace = world.namespace(&link.namespace_id);
    let mut linking = json!({"state": linking::state_of_hub(link)});
    if let Some(code) = linking::error_code(link) {
        linking["error"] =
            json!({"code": code, "httpStatusCode": "403", "message": linking::message(link), "details": ""});
    }
    json!({
        "namespaceResourceId": link.namespace_id,
        "namespaceUuid": namespace.map(|namespace| &namespace.uuid),
        "dataPlaneHostName": namespace.map(Namespace::data_host_name),
        "identity": {"type": "UserAssigned", "userAssignedIdentity": hub.identity_id},
        "linkingProperties": linking,
    })
}

#[cfg(test)]
mod tests;
