use crate::fleet::LinkingState;
use crate::testing::*;
use reqwest::Method;
use serde_json::{Value, json};

async fn endpoints(served: &Served, section: &str) -> Value {
    served.get(NAMESPACE, ADR_B).await.body["properties"][section]["endpoints"].clone()
}

fn body(hubs: &[&str]) -> Value {
    let endpoints: serde_json::Map<String, Value> = hubs
        .iter()
        .map(|hub| {
            let name = hub.rsplit('/').next().unwrap().to_owned();
            (
                name,
                json!({"endpointType": "Microsoft.Devices/IotHubs", "resourceId": hub,
                "inboundCallerIdentity": {"type": "SystemAssigned"}}),
            )
        })
        .collect();
    json!({"location": "East US 2", "properties": {"messaging": {"endpoints": endpoints}}})
}

fn plain_hub() -> String {
    HUB_A.replace("hub-a", "plain")
}

#[tokio::test]
async fn one_read_lists_the_linked_hubs_and_services_and_how_each_link_stands() {
    let served = Served::both_with(|fleet| {
        let hub = &mut fleet.namespaces[0].hubs[1];
        (hub.linking_state, hub.linking_error) =
            (LinkingState::Failed, Some("AuthorizationFailed".to_owned()));
    })
    .await;
    let messaging = endpoints(&served, "messaging").await;
    assert_eq!(
        messaging["hub-a"],
        json!({
            "endpointType": "Microsoft.Devices/IotHubs",
            "resourceId": HUB_A,
            "inboundCallerIdentity": {"type": "SystemAssigned"},
            "linkingState": "Succeeded",
            "address": "hub-a.service.azure-devices.net",
            "deviceAddress": "hub-a.device.azure-devices.net",
            "provisioning": {"availability": "Available", "allocationWeight": 1},
        })
    );
    assert_eq!(messaging["hub-b"]["linkingState"], "Failed");
    assert_eq!(messaging["hub-b"]["linkingError"]["code"], "AuthorizationFailed");
    let services = endpoints(&served, "provisioning").await;
    assert_eq!(services["contoso-dps"]["resourceId"], SERVICE);
    assert_eq!(services["contoso-dps"]["linkingState"], "Succeeded");
    let older = served.get(NAMESPACE, ADR).await.body;
    assert_eq!(older["properties"]["messaging"], json!({"endpoints": {}}), "generation A lists no hubs");
}

#[tokio::test]
async fn an_orphan_still_names_the_namespace_that_no_longer_lists_it() {
    let served =
        Served::both_with(|fleet| fleet.namespaces[0].hubs[0].linking_state = LinkingState::Orphaned).await;
    assert!(endpoints(&served, "messaging").await.get("hub-a").is_none());
    let hub = served.get(HUB_A, HUBS_B).await.body["properties"]["deviceRegistry"].clone();
    assert_eq!(hub["namespaceResourceId"], NAMESPACE);
    assert_eq!(hub["linkingProperties"]["state"], "Orphaned");
}

#[tokio::test]
async fn a_write_of_the_namespace_links_what_it_names_and_unlinks_the_rest() {
    let served = Served::both().await;
    let written = served.put(NAMESPACE, ADR_B, body(&[HUB_A, &plain_hub()])).await;
    assert_eq!((written.status, &written.body["properties"]["provisioningState"]), (200, &json!("Accepted")));
    let messaging = endpoints(&served, "messaging").await;
    assert_eq!(messaging["plain"]["linkingState"], "InProgress");
    assert_eq!(messaging["hub-a"]["linkingState"], "Succeeded", "left as it was");
    assert!(messaging.get("hub-b").is_none());
    served.wait(2);
    assert_eq!(endpoints(&served, "messaging").await["plain"]["linkingState"], "Succeeded");
    assert_eq!(served.get(NAMESPACE, ADR_B).await.body["properties"]["provisioningState"], "Succeeded");
    served.wait(86_400);
    assert!(
        served.authority_on(&plain_hub(), "factory-ica").await.is_none(),
        "a CA must be made after the hub is linked"
    );
}

#[tokio::test]
async fn a_link_brings_existing_cas_only_where_the_fleet_says_so() {
    let served = Served::both_with(|fleet| fleet.link_pushes_to_hubs = true).await;
    served.put(NAMESPACE, ADR_B, body(&[HUB_A, HUB_B, &plain_hub()])).await;
    served.wait(2);
    assert!(served.authority_on(&plain_hub(), "factory-ica").await.is_some());
}

#[tokio::test]
async fn a_link_without_its_role_fails_again_and_again() {
    let served = Served::both_with(|fleet| {
        let hub = &mut fleet.namespaces[0].hubs[1];
        (hub.linking_state, hub.lacks_role) = (LinkingState::Failed, true);
    })
    .await;
    served.put(NAMESPACE, ADR_B, body(&[HUB_A, HUB_B])).await;
    assert_eq!(endpoints(&served, "messaging").await["hub-b"]["linkingState"], "InProgress");
    served.wait(2);
    let link = endpoints(&served, "messaging").await["hub-b"].clone();
    assert_eq!(
        (&link["linkingState"], &link["linkingError"]["code"]),
        (&json!("Failed"), &json!("AdrMiNotAuthorized"))
    );
}

#[tokio::test]
async fn a_resource_that_does_not_exist_or_has_another_namespace_is_not_linked() {
    let served = Served::both().await;
    let missing = served.put(NAMESPACE, ADR_B, body(&[&HUB_A.replace("hub-a", "nowhere")])).await;
    assert_eq!(missing.status, 400);
    let other = NAMESPACE.replace("contoso", "fabrikam");
    assert_eq!(served.put(&other, ADR_B, body(&[HUB_A])).await.status, 409);
    assert_eq!(served.put(&other, ADR_B, body(&[&plain_hub()])).await.status, 201);
    served.wait(2);
    let made = served.get(&other, ADR_B).await.body;
    assert_eq!(made["properties"]["messaging"]["endpoints"]["plain"]["linkingState"], "Succeeded");
}

#[tokio::test]
async fn tags_heal_a_namespace_that_a_link_has_left_failed() {
    let served =
        Served::both_with(|fleet| fleet.namespaces[0].provisioning_state = "Failed".to_owned()).await;
    let state = async || served.get(NAMESPACE, ADR_B).await.body["properties"]["provisioningState"].clone();
    let target = format!("{NAMESPACE}?api-version={ADR_B}");
    let patched = served.call(Method::PATCH, &target, &[], Some(json!({"tags": {"healed": "now"}}))).await;
    assert_eq!(patched.status, 202);
    assert_eq!(state().await, "Failed", "for a while");
    served.wait(2);
    assert_eq!(state().await, "Succeeded");
    assert_eq!(served.get(NAMESPACE, ADR_B).await.body["tags"]["healed"], "now");
}
