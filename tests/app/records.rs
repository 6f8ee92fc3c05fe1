//! What an attacker who can read or write the app's records can do with that.

use reqwest::Method;
use serde_json::json;

use crate::operator::{DPS, GROUP, policy_of};
use crate::world::World;

/// The simulated account takes any key.
const KEY: &str = "SharedKey storage:c2ltdWxhdG9y";

/// The texts of all records, with their keys.
async fn records(world: &World) -> Vec<(String, String)> {
    let list = world.azure("/storage/policysync?restype=container&comp=list");
    let text = async |url: String| {
        let answer = world.client.get(url).header("Authorization", KEY).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let listed = text(list).await;
    let names = listed.split("<Name>").skip(1).map(|rest| rest.split("</Name>").next().unwrap().to_owned());
    let mut found = Vec::new();
    for name in names {
        let record = text(world.azure(&format!("/storage/policysync/{name}"))).await;
        found.push((name, record));
    }
    found
}

#[tokio::test]
async fn no_key_of_a_group_is_in_any_record_after_its_group_was_written() {
    let world = World::default().await;
    let group =
        json!({"enrollmentGroupId": "line-71", "attestation": {"type": "symmetricKey", "symmetricKey": {}}});
    world.group(DPS, "line-71", Method::PUT, Some(&group)).await;
    let (_, mechanism) = world.group(DPS, "line-71/attestationmechanism", Method::POST, None).await;
    let keys =
        ["primaryKey", "secondaryKey"].map(|key| mechanism["symmetricKey"][key].as_str().unwrap().to_owned());
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    assert_eq!(policy_of(&world, DPS, "line-71").await.as_deref(), Some("short-lived"));
    let records = records(&world).await;
    assert!(records.iter().any(|(_, text)| text.contains("line-71")), "the write has left its record");
    for (name, text) in &records {
        assert!(!keys.iter().any(|key| text.contains(key.as_str())), "a key is in {name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn forged_records_give_no_group_a_policy_that_the_rules_do_not() {
    let world = World::default().await;
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    let (before, writes) = (policy_of(&world, DPS, GROUP).await, world.writes().await);
    let mut forged = 0;
    for (name, text) in records(&world).await {
        if text.contains("short-lived") {
            let body = text.replace("short-lived", "forged");
            let url = world.azure(&format!("/storage/policysync/{name}"));
            let answer = world.client.put(url).header("Authorization", KEY).body(body).send().await.unwrap();
            forged += usize::from(answer.status().is_success());
        }
    }
    assert!(forged > 0, "there was no record to forge");
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await, before);
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}
