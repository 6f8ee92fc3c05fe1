//! Device provisioning services as ARM shows them (`azure-wire-facts.md` §2.1). Their enrollment groups are data, not
//! resources: see [`super::provisioning`].

use axum::response::Response;
use serde_json::{Value, json};

use super::arm::{ArmRequest, api_versions, ok, paging};
use super::arm_error::ArmError;
use super::feeds::ResourceChange;
use super::fleet::Generation;
use super::world::World;
use super::world::enrollment::ProvisioningService;
use super::world::namespace::Namespace;
use super::world::state::State;

const WRITE: &str = "Microsoft.Devices/provisioningServices/write";

/// Answers a request whose type and api-version are known.
pub(crate) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, types.as_slice(), names.as_slice()) {
        ("GET", ["provisioningservices"], []) => list(world, request),
        ("GET", ["provisioningservices"], [name]) => get(world, request, name),
        ("PATCH", ["provisioningservices"], [name]) => patch(world, request, name),
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
    let entries =
        services.map(|service| (service.id.clone(), body(request, &address, &state, service))).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Absent)?)
}

fn get(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    shown(world, request, &state, name)
}

/// Tags. Writing the service also tells its data plane of the namespace (`azure-wire-facts.md` §2.3).
fn patch(world: &World, request: &ArmRequest, name: &str) -> Result<Response, ArmError> {
    let tags = request.json()?.get("tags").and_then(Value::as_object).cloned();
    let mut state = world.lock();
    let found =
        state.services.iter_mut().find(|one| within(request, one) && one.name.eq_ignore_ascii_case(name));
    let service = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    service.tags = tags.unwrap_or_else(|| service.tags.clone());
    service.is_unaware = false;
    let id = service.id.clone();
    state.announce(&id, WRITE, ResourceChange::Write, world.clock().now());
    shown(world, request, &state, name)
}

fn shown(world: &World, request: &ArmRequest, state: &State, name: &str) -> Result<Response, ArmError> {
    let mut services = state.services.iter().filter(|service| within(request, service));
    let found =
        services.find(|service| request.resource_group.is_some() && service.name.eq_ignore_ascii_case(name));
    let service = found.ok_or_else(|| ArmError::not_found(&request.path))?;
    ok(body(request, &world.address(), state, service))
}

/// Azure shows host names. A simulated service is at a path of the simulator, so `serviceOperationsHostName` reads
/// `127.0.0.1:P/dps/{name}`: put the simulator's scheme before it and it is the endpoint. Devices register at
/// `deviceProvisioningHostName`, `127.0.0.1:P`, as all of Azure's do at one global host.
fn body(request: &ArmRequest, address: &str, state: &State, service: &ProvisioningService) -> Value {
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
        identity = json!({"type": "UserAssigned", "userAssignedIdentities": {&service.identity_id: {}}});
        let mut namespace = json!({
            "resourceId": link.namespace_id,
            "authenticationType": "UserAssigned",
            "selectedUserAssignedIdentityResourceId": service.identity_id,
        });
        match api_versions::generation(request) {
            Generation::Credentials => properties["deviceRegistryNamespace"] = namespace,
            Generation::CertificateAuthorities => {
                let linked = state.namespace(&link.namespace_id);
                namespace["namespaceUuid"] = linked.map(|linked| linked.uuid.clone()).into();
                namespace["dataAddress"] = linked.map(Namespace::data_host_name).into();
                namespace["location"] = service.location.clone().into();
                namespace["linkingState"] = link.state_of_service().into();
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
