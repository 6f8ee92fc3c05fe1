//! Devices that came before their group had its policy: the report counts them until they come again.

use azure_simulator::device::Device;
use reqwest::Method;
use serde_json::{Value, json};

use crate::operator::{DPS, policy_of};
use crate::world::World;

/// The key of a group, as the maker of its devices has it.
async fn key_of(world: &World, id: &str) -> String {
    let mechanism = format!("{id}/attestationmechanism");
    let (status, keys) = world.group(DPS, &mechanism, Method::POST, None).await;
    assert!(status.is_success(), "{status}");
    keys["symmetricKey"]["primaryKey"].as_str().unwrap().to_owned()
}

async fn early(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let early = findings.filter(|finding| finding["reason"] == "devices-before-policy");
    early
        .map(|finding| format!("{}: {}", finding["subject"]["text"], finding["message"]).replace('"', ""))
        .collect()
}

#[tokio::test]
async fn devices_from_before_the_assignment_are_counted_until_they_register_again() {
    let world = World::with_fleet(|fleet| fleet.diagnostics_delay_seconds = 86_400).await;
    let id = "line-71";
    let group = json!({"enrollmentGroupId": id, "attestation": {"type": "symmetricKey", "symmetricKey": {}}});
    world.group(DPS, id, Method::PUT, Some(&group)).await;
    let state = world.get(&world.azure("/simulator/state")).await;
    let scope = state["idScopes"][DPS].as_str().unwrap().to_owned();
    let key = key_of(&world, id).await;
    let register = async |device: &Device| {
        device.register(world.local.simulator.url(), &scope, &key).await.unwrap().chain.len()
    };
    let devices = ["pump-1", "pump-2"].map(|name| Device::new(name).unwrap());
    for device in &devices {
        assert_eq!(register(device).await, 0, "without a policy there is no certificate");
    }
    let place = "contoso-plants / contoso-plants-dps / line-71";
    let told = early(&world.report().await).await;
    assert_eq!(told, [format!("{place}: 2 devices registered, and the group has no policy yet")]);

    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, id).await.as_deref(), Some("short-lived"));
    let told = early(&world.report().await).await;
    assert_eq!(told, [format!("{place}: 2 devices registered before the group was given `short-lived`")]);

    assert_ne!(register(&devices[0]).await, 0, "now it gets a certificate");
    let told = early(&world.report().await).await;
    assert_eq!(told, [format!("{place}: 1 device registered before the group was given `short-lived`")]);
    register(&devices[1]).await;
    assert_eq!(early(&world.report().await).await, Vec::<String>::new());
    world.stop().await;
}
