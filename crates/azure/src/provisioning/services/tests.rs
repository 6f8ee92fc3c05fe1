use serde_json::json;

use super::*;
use crate::fake::{Fake, Reply};

const DPS: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/contoso-dps";
const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn body(host: Value) -> Value {
    json!({
        "id": DPS,
        "name": "contoso-dps",
        "properties": {
            "serviceOperationsHostName": host,
            "deviceProvisioningHostName": "global.azure-devices-provisioning.net",
            "deviceRegistryNamespace": {"resourceId": NAMESPACE, "authenticationType": "UserAssigned"},
            "iotHubs": [
                {"name": "one.azure-devices.net", "connectionString": "HostName=one;SharedAccessKey=****", "location": "westeurope"},
                {"connectionString": "HostName=nameless"},
                {"name": "two.azure-devices.net"}
            ]
        }
    })
}

#[tokio::test]
async fn a_service_is_read_with_its_address_its_namespace_and_its_hubs() {
    let fake =
        Fake::start(|_, _| Reply::json(200, body(json!("contoso-dps.azure-devices-provisioning.net")))).await;
    let read = fake
        .azure()
        .provisioning_services()
        .get(&ArmId::parse(DPS).unwrap(), Generation::Credentials)
        .await
        .unwrap();
    assert_eq!(read.endpoint, "https://contoso-dps.azure-devices-provisioning.net");
    assert_eq!(read.namespace_id, Some(ArmId::parse(NAMESPACE).unwrap()));
    assert_eq!(read.hubs, ["one.azure-devices.net", "two.azure-devices.net"]);
    assert_eq!(fake.calls(), [format!("GET {DPS}")]);
    assert_eq!(fake.seen()[0].query, "api-version=2025-02-01-preview");
}

#[tokio::test]
async fn an_address_at_the_configured_origin_is_reached_by_its_scheme() {
    let fake = Fake::start(|_, origin| {
        let host = origin.trim_start_matches("http://");
        Reply::json(200, body(json!(format!("{host}/dps/contoso-dps"))))
    })
    .await;
    let read = fake
        .azure()
        .provisioning_services()
        .get(&ArmId::parse(DPS).unwrap(), Generation::Credentials)
        .await
        .unwrap();
    assert_eq!(read.endpoint, format!("{}/dps/contoso-dps", fake.origin));
}

#[tokio::test]
async fn one_without_an_address_is_unreadable_alone_and_left_out_of_a_list() {
    let fake = Fake::start(|seen, _| {
        if seen.path.ends_with("provisioningServices") {
            let whole = body(json!("contoso-dps.azure-devices-provisioning.net"));
            Reply::json(200, json!({"value": [body(json!(null)), whole, {"name": "without an id"}]}))
        } else {
            Reply::json(200, body(json!(null)))
        }
    })
    .await;
    let services = fake.azure().provisioning_services();
    assert_eq!(services.in_subscription("S", Generation::Credentials).await.unwrap().len(), 1);
    let error = services.get(&ArmId::parse(DPS).unwrap(), Generation::Credentials).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
}
