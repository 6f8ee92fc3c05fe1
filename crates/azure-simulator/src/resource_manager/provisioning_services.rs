//! Device provisioning services as ARM shows them (`azure-wire-facts.md` §2.1). Their enrollment groups are data, not
//! resources: see [`super::provisioning`].

use axum::response::Response;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::identities;
use crate::arm::{ArmRequest, api_versions, linking, ok, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Generation;
use crate::world::World;
use crate::world::change::{Deed, ResourceKind};
use crate::world::enrollment::ProvisioningService;
use crate::world::namespace::Namespace;
use crate::world::resource::Tags;

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["provisioningservices"], []) => list(cloud, request),
        ("GET", ["provisioningservices"], [name]) => get(cloud, request, name),
        ("PATCH", ["provisioningservices"], [name]) => patch(cloud, request, name),
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn within(request: &ArmRequest, service: &ProvisioningService) -> bool {
    service.subscription.eq_ignore_ascii_case(&request.subscription)
        && request
            .resource_group
            .as_ref()
            .is_none_or(|group| group.eq_ignore_ascii_case(&service.resource_group))
}

fn list(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let address = cloud.address();
    let world = cloud.lock();
    let services = world.services.iter().filter(|service| within(request, service));
    let entries =
        services.map(|service| (service.id.clone(), body(request, &address, &world, service))).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Absent)?)
}

fn get(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    shown(cloud, request, &world, name)
}

/// Tags. Writing the service also tells its data plane of the namespace (`azure-wire-facts.md` §2.3).
fn patch(cloud: &Cloud, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let tags = request.json()?.get("tags").and_then(|tags| Tags::deserialize(tags).ok());
    let mut world = cloud.lock();
    let found =
        world.services.iter_mut().find(|one| within(request, one) && one.name.eq_ignore_ascii_case(name));
    let service = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    service.tags = tags.unwrap_or_else(|| service.tags.clone());
    service.is_unaware = false;
    let id = service.id.clone();
    world.tell(&id, ResourceKind::ProvisioningService, Deed::Write, cloud.clock().now());
    shown(cloud, request, &world, name)
}

fn shown(cloud: &Cloud, request: &ArmRequest, world: &World, name: &str) -> Result<Response, ArmError> {
    let mut services = world.services.iter().filter(|service| within(request, service));
    let found =
        services.find(|service| request.resource_group.is_some() && service.name.eq_ignore_ascii_case(name));
    let service = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    ok(body(request, &cloud.address(), world, service))
}

/// Azure shows host names. A simulated service is at a path of the simulator, so `serviceOperationsHostName` reads
/// `127.0.0.1:P/dps/{name}`: put the simulator's scheme before it and it is the endpoint. Devices register at
/// `deviceProvisioningHostName`, `127.0.0.1:P`, as all of Azure's do at one global host.
fn body(request: &ArmRequest, address: &str, world: &World, service: &ProvisioningService) -> Value {
    let hubs: Vec<Value> = service
        .hubs
        .iter()
        .map(|host_name| {
            json!({
                "name": host_name,
                "connectionString": format!(
                    "HostName={host_name};SharedAccessKeyName=iothubowner;SharedAccessKey=****"
                ),
                "location": service.location,
                "applyAllocationPolicy": true,
                "allocationWeight": 1,
            })
        })
        .collect();
    let mut properties = json!({
        "state": "Active",
        "provisioningState": "Succeeded",
        "iotHubs": hubs,
        "allocationPolicy": "Hashed",
        "serviceOperationsHostName": format!("{address}/dps/{}", service.name),
        "deviceProvisioningHostName": address,
        "idScope": service.id_scope,
        "authorizationPolicies": [],
    });
    let mut identity = json!({"type": "None"});
    if let Some(link) = &service.link {
        let is_new = api_versions::generation(request) == Generation::CertificateAuthorities;
        identity = identities::of(&service.id, &service.identity_id, is_new);
        let mut namespace = json!({
            "resourceId": link.namespace_id,
            "authenticationType": "UserAssigned",
            "selectedUserAssignedIdentityResourceId": service.identity_id,
        });
        match api_versions::generation(request) {
            Generation::Credentials => properties["deviceRegistryNamespace"] = namespace,
            Generation::CertificateAuthorities => {
                let linked = world.namespace(&link.namespace_id);
                namespace["namespaceUuid"] = linked.map(|linked| linked.uuid.clone()).into();
                namespace["dataAddress"] = linked.map(Namespace::data_host_name).into();
                namespace["location"] = service.location.clone().into();
                namespace["linkingState"] = linking::state_of_service(link).into();
                properties["deviceRegistryNamespaces"] = json!([namespace]);
            }
            // `2026-08-31` has no member for it (`azure-wire-facts.md` §10).
            Generation::Both => {}
        }
    }
    json!({
        "id": service.id,
        "name": service.name,
        "type": "Microsoft.Devices/provisioningServices",
        "location": service.location,
        "tags": service.tags,
        "etag": "AAAAAAE=",
        "sku": {"name": "S1", "tier": "Standard", "capacity": 1},
        "identity": identity,
        "properties": properties,
    })
}
