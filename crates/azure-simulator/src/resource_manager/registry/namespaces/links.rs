//! The endpoints of a namespace: in generation B one read of it lists all linked hubs and provisioning services, and a
//! write links them (`azure-wire-facts.md` §2.3).

use serde_json::{Map, Value, json};

use crate::arm::linking;
use crate::arm_error::ArmError;
use crate::fleet::LinkingState;
use crate::world::World;
use crate::world::link::Link;
use crate::world::namespace::Namespace;
use crate::world::resource::Verbatim;

const HUBS: &str = "Microsoft.Devices/IotHubs";
const SERVICES: &str = "Microsoft.Devices/provisioningServices";

/// An endpoint as a body asks for it.
#[derive(Debug)]
pub(super) struct Wanted {
    name: String,
    resource_id: String,
    identity: Option<Verbatim>,
}

/// `messaging` and `provisioning` of a namespace. One of generation A lists no hubs there (`azure-wire-facts.md` §1.3).
pub(super) fn shown(world: &World, namespace: &Namespace) -> (Value, Value) {
    let (mut messaging, mut provisioning) = (Map::new(), Map::new());
    if namespace.generation.has_certificate_authorities() {
        let own = |link: &Link| link.is_to(&namespace.id) && link.is_listed();
        for hub in &world.hubs {
            if let Some(link) = hub.link.as_ref().filter(|link| own(link)) {
                let mut endpoint = endpoint(HUBS, &hub.id, link);
                endpoint["address"] = format!("{}.service.azure-devices.net", hub.name).into();
                endpoint["deviceAddress"] = format!("{}.device.azure-devices.net", hub.name).into();
                endpoint["provisioning"] = json!({"availability": "Available", "allocationWeight": 1});
                messaging.insert(link.endpoint.clone(), endpoint);
            }
        }
        for service in &world.services {
            if let Some(link) = service.link.as_ref().filter(|link| own(link)) {
                provisioning.insert(link.endpoint.clone(), endpoint(SERVICES, &service.id, link));
            }
        }
    }
    (json!({ "endpoints": messaging }), json!({ "endpoints": provisioning }))
}

fn endpoint(kind: &str, resource_id: &str, link: &Link) -> Value {
    let mut endpoint = json!({
        "endpointType": kind,
        "resourceId": resource_id,
        "inboundCallerIdentity": identity(link),
        "linkingState": linking::state_of_endpoint(link),
    });
    if let Some(code) = linking::error_code(link) {
        endpoint["linkingError"] = json!({"code": code, "message": linking::message(link)});
    }
    endpoint
}

/// As it was written; the namespace's own when it was not.
fn identity(link: &Link) -> Value {
    let written = link.identity.as_ref().and_then(|identity| serde_json::from_str(identity.text()).ok());
    written.unwrap_or_else(|| json!({"type": "SystemAssigned"}))
}

/// The endpoints of a body. Leaves out those of other types.
///
/// # Errors
/// 400 for an endpoint without its whole body (`ca-lifecycle-facts.md` §4.3). An `inboundCallerIdentity` may be missing:
/// the specification requires it, and the official command line does not (`ca-lifecycle-facts.md` §6).
pub(super) fn wanted(body: &Map<String, Value>) -> Result<Vec<Wanted>, ArmError> {
    let mut found = Vec::new();
    for (section, kind) in [("messaging", HUBS), ("provisioning", SERVICES)] {
        let pointer = format!("/{section}/endpoints");
        let endpoints = body.get("properties").and_then(|properties| properties.pointer(&pointer));
        for (name, endpoint) in endpoints.and_then(Value::as_object).into_iter().flatten() {
            let text = |member: &str| {
                endpoint.get(member).and_then(Value::as_str).ok_or_else(|| {
                    let problem = format!("{section}.endpoints.{name}.{member} is required.");
                    ArmError::bad_request("InvalidRequestContent", problem)
                })
            };
            if !text("endpointType")?.eq_ignore_ascii_case(kind) {
                continue;
            }
            let identity = endpoint.get("inboundCallerIdentity");
            found.push(Wanted {
                name: name.clone(),
                resource_id: text("resourceId")?.to_owned(),
                identity: identity.map(|identity| Verbatim::new(&identity.to_string())),
            });
        }
    }
    Ok(found)
}

/// Checks that the world has the resources to be linked, and that they are free.
///
/// # Errors
/// 400 when it does not exist or an endpoint would name another resource; 409 when another namespace has it.
pub(super) fn check(world: &World, namespace_id: &str, wanted: &[Wanted]) -> Result<(), ArmError> {
    for endpoint in wanted {
        let hub = world.hubs.iter().map(|hub| (&hub.id, &hub.link));
        let service = world.services.iter().map(|service| (&service.id, &service.link));
        let mut all = hub.chain(service);
        let Some((_, link)) = all.find(|(id, _)| id.eq_ignore_ascii_case(&endpoint.resource_id)) else {
            let problem = format!("The resource '{}' does not exist.", endpoint.resource_id);
            return Err(ArmError::bad_request("LinkableResourceNotFound", problem));
        };
        match link {
            Some(link) if link.is_listed() && !link.is_to(namespace_id) => {
                let problem = format!("'{}' is linked to another namespace.", endpoint.resource_id);
                return Err(ArmError::conflict("Conflict", problem));
            }
            Some(link) if link.is_to(namespace_id) && link.is_listed() && link.endpoint != endpoint.name => {
                let problem =
                    format!("'{}' is the endpoint '{}' already.", endpoint.resource_id, link.endpoint);
                return Err(ArmError::bad_request("PropertyChangeNotAllowed", problem));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Starts the wanted links that do not work yet, and removes the unwanted ones where the whole namespace is replaced.
/// Says whether it has started any.
pub(super) fn apply(world: &mut World, namespace_id: &str, wanted: &[Wanted], is_replaced: bool) -> bool {
    let mut is_started = false;
    let hubs = world.hubs.iter_mut().map(|hub| (&hub.id, &mut hub.link));
    let services = world.services.iter_mut().map(|service| (&service.id, &mut service.link));
    for (id, link) in hubs.chain(services) {
        let asked = wanted.iter().find(|one| one.resource_id.eq_ignore_ascii_case(id));
        match asked {
            Some(_) if link.as_ref().is_some_and(|link| link.is_to(namespace_id) && link.works()) => {}
            Some(asked) => {
                let fresh = Link { identity: asked.identity.clone(), ..Link::new(namespace_id, &asked.name) };
                *link = Some(fresh.in_state(LinkingState::InProgress, None));
                is_started = true;
            }
            None if is_replaced && link.as_ref().is_some_and(|link| link.is_to(namespace_id)) => *link = None,
            None => {}
        }
    }
    is_started
}
