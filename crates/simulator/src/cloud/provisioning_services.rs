//! Device provisioning services as ARM shows them (`azure-wire-facts.md` §2.1). Their enrollment groups are data, not
//! resources: see [`super::provisioning`].

use axum::response::Response;
use serde_json::{Value, json};

use super::arm::{ArmRequest, ok, paging};
use super::arm_error::ArmError;
use super::world::World;
use super::world::enrollment::ProvisioningService;

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["provisioningservices"], []) => list(world, request),
        ("GET", ["provisioningservices"], [name]) => get(world, request, name),
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

fn list(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let address = world.address();
    let state = world.lock();
    let services = state.services.iter().filter(|service| within(request, service));
    let entries = services.map(|service| (service.id.clone(), body(&address, service))).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Absent)?)
}

fn get(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let address = world.address();
    let state = world.lock();
    let mut services = state.services.iter().filter(|service| within(request, service));
    let found =
        services.find(|service| request.resource_group.is_some() && service.name.eq_ignore_ascii_case(name));
    ok(body(&address, found.ok_or_else(|| ArmError::not_found(&request.path))?))
}

/// Azure shows host names. A simulated service is at a path of the simulator, so `serviceOperationsHostName` reads
/// `127.0.0.1:P/dps/{name}`: put the simulator's scheme before it and it is the endpoint. Devices register at
/// `deviceProvisioningHostName`, `127.0.0.1:P`, as all of Azure's do at one global host.
fn body(address: &str, service: &ProvisioningService) -> Value {
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
    if let Some(namespace) = &service.namespace_id {
        properties["deviceRegistryNamespace"] = json!({
            "resourceId": namespace,
            "authenticationType": "UserAssigned",
            "selectedUserAssignedIdentityResourceId": service.identity_id,
        });
        identity = json!({"type": "UserAssigned", "userAssignedIdentities": {&service.identity_id: {}}});
    }
    json!({
        "id": service.id,
        "name": service.name,
        "type": "Microsoft.Devices/provisioningServices",
        "location": service.location,
        "tags": {},
        "etag": "AAAAAAE=",
        "sku": {"name": "S1", "tier": "Standard", "capacity": 1},
        "identity": identity,
        "properties": properties,
    })
}
