//! The world as `GET /simulator/state` shows it.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::device_endpoints::DeviceEndpoints;

/// What `GET /simulator/state` shows (`contracts.md` §4), with what a device needs to connect.
/// `policies` are those of either generation.
pub(crate) fn state(cloud: &Cloud, endpoints: &DeviceEndpoints) -> Value {
    let world = cloud.lock();
    let namespaces: Vec<Value> = world
        .namespaces
        .iter()
        .map(|namespace| {
            let credential = namespace.policies().map(|policy| namespace.policy_id(&policy.name));
            let certificate = namespace.certificate_authorities.values().flat_map(|authority| {
                let id = |name: &str| namespace.certificate_policy_id(&authority.name, name);
                authority.policies.values().map(move |policy| id(&policy.name))
            });
            let policies: Vec<String> = credential.chain(certificate).collect();
            let authorities: Vec<String> = namespace
                .certificate_authorities
                .values()
                .map(|authority| namespace.certificate_authority_id(&authority.name))
                .collect();
            let hubs: Vec<&str> = world.linked_hubs(&namespace.id).map(|hub| hub.id.as_str()).collect();
            let services: Vec<&str> = world
                .services
                .iter()
                .filter(|service| service.is_linked_to(&namespace.id))
                .map(|service| service.name.as_str())
                .collect();
            json!({
                "id": namespace.id,
                "generation": namespace.generation,
                "provisioningServices": services,
                "hubs": hubs,
                "policies": policies,
                "certificateAuthorities": authorities,
            })
        })
        .collect();
    let hubs: Vec<Value> = world
        .hubs
        .iter()
        .map(|hub| {
            let endpoint = endpoints.address(&hub.id).map(|address| address.to_string());
            json!({"id": hub.id, "hostName": hub.host_name(), "deviceEndpoint": endpoint})
        })
        .collect();
    let scopes: serde_json::Map<String, Value> = world
        .services
        .iter()
        .map(|service| (service.name.clone(), service.id_scope.clone().into()))
        .collect();
    json!({
        "namespaces": namespaces,
        "hubs": hubs,
        "deviceServerCertificateAuthority": endpoints.authority_pem(),
        "idScopes": scopes,
    })
}
