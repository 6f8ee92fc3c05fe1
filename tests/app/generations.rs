//! Certificate authorities, alone and beside credentials: requests verify and explain, and groups are migrated.

use azure_simulator::fleet::Fleet;
use reqwest::Method;
use serde_json::{Value, json};

use crate::operator::run;
use crate::world::World;

const SUBSCRIPTION: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
const DPS: &str = "contoso-plants-dps";
pub const AUTHORITIES: &str =
    include_str!("../../handlers/commands/laptop/demo/worlds/certificate-authorities.fleet.toml");
pub const AUTHORITIES_RULES: &str =
    include_str!("../../handlers/commands/laptop/demo/worlds/certificate-authorities.policysync.toml");

/// One DPS with groups of both kinds, and hubs that trust both kinds of policies.
const MIXED: &str = r#"
subscription = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40"
location = "westeurope"
synchronize_seconds = 1
unknown_reference = "keep"

[[namespace]]
name = "contoso-plants"
resource_group = "rg-contoso-plants"
generation = "both"

[[namespace.policy]]
name = "short-lived"
leaf_validity_days = 7

[[namespace.certificate_authority]]
name = "plants-root"
type = "root"

[[namespace.certificate_authority]]
name = "lines-ica"
type = "issuing"
policy = { name = "short-lived", leaf_validity_days = 7 }

[[namespace.hub]]
name = "contoso-plants-hub-1"

[[namespace.hub]]
name = "contoso-plants-hub-2"

[[namespace.provisioning_service]]
name = "contoso-plants-dps"

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
policy = "short-lived"

[[namespace.provisioning_service.enrollment_group]]
name = "line-2"
certificate_authority = "lines-ica"
certificate_policy = "short-lived"

[[namespace.provisioning_service.enrollment_group]]
name = "line-3"
"#;

fn mixed_rules(policy: &str, more: &str) -> String {
    let group = format!("{SUBSCRIPTION}/resourceGroups/rg-contoso-plants/providers");
    format!(
        "[[namespace]]\nid = \"{group}/Microsoft.DeviceRegistry/namespaces/contoso-plants\"\n\
         provisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/{DPS}\"]\nmode = \"enforce\"\n\
         {more}\n[[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"{policy}\"\n"
    )
}

async fn world(fleet: &str, configuration: &str) -> World {
    World::of(&Fleet::from_toml(fleet).unwrap(), configuration).await
}

/// The policy that a group names, by either kind of members.
async fn named(world: &World, id: &str) -> Option<String> {
    let (_, newer) = world.group_by("2026-11-01", DPS, id, Method::GET, None).await;
    let names = ["namespaceName", "certificateAuthorityName", "certificatePolicyName"];
    let names: Vec<&str> = names.iter().filter_map(|name| newer[name].as_str()).collect();
    assert!(names.is_empty() || names.len() == 3, "a reference in part: {newer}");
    if names.len() == 3 {
        return Some(names.join("/"));
    }
    let (_, older) = world.group(DPS, id, Method::GET, None).await;
    older["credentialPolicyName"].as_str().map(str::to_owned)
}

async fn synchronize_calls(world: &World) -> usize {
    world.writes().await.iter().filter(|write| write.ends_with("/synchronize")).count()
}

fn of_hub<'r>(request: &'r Value, hub: &str) -> &'r Value {
    let hubs = request["hubs"].as_array().unwrap();
    hubs.iter().find(|found| found["hub"] == hub).unwrap_or_else(|| panic!("no {hub} in {request}"))
}

#[tokio::test]
async fn where_the_service_pushes_nothing_is_ever_synced_and_a_second_run_writes_nothing() {
    let world = world(AUTHORITIES, AUTHORITIES_RULES).await;
    let namespace = world.namespace("contoso-plants").await;
    let (_, group) = world
        .group_by(
            "2026-11-01",
            DPS,
            "line-9",
            Method::PUT,
            Some(&json!({"enrollmentGroupId": "line-9",
            "attestation": {"type": "symmetricKey", "symmetricKey": {}}, "later": {"kept": [1.50, null]}})),
        )
        .await;
    assert!(group["certificatePolicyName"].is_null(), "{group}");
    world.fire("reconcile-assignments").await;
    assert_eq!(named(&world, "line-9").await.as_deref(), Some("contoso-plants/lines-ica/short-lived"));

    let authority = format!("{}/certificateAuthorities/lines-ica", namespace["id"].as_str().unwrap());
    world.rotate(&authority).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let url = world.app(&format!("/api/sync-requests/{id}"));
    let waiting = world
        .until("the push is waited for", async || {
            let request = world.get(&url).await;
            (request["reason"] == "push-awaited").then_some(request)
        })
        .await;
    assert_eq!(waiting["outcome"], "syncing");
    world.post(&world.azure("/simulator/clock"), &json!({"advanceSeconds": 600})).await;
    let done = world.outcome(&id).await;
    assert_eq!(done["outcome"], "trusted", "{done}");
    assert!(of_hub(&done, "contoso-plants-hub-2")["evidence"]["thumbprint"].is_string());

    world.fire("report-policy-status").await;
    let (writes, sends) = (world.writes().await, world.sends().await);
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    assert_eq!(world.outcome(&id).await["outcome"], "already-trusted");
    assert_eq!(world.writes().await, writes);
    assert_eq!(
        world.sends().await.len(),
        sends.len() + 2,
        "the request itself, and the look that it asked for"
    );
    assert_eq!(synchronize_calls(&world).await, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_failed_link_is_explained_at_once_with_the_services_words() {
    let world = world(AUTHORITIES, AUTHORITIES_RULES).await;
    let namespace = world.namespace("contoso-vans").await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let request = world.outcome(&id).await;
    assert_eq!(
        (&request["outcome"], &request["reason"]),
        (&json!("failed"), &json!("link-failed")),
        "{request}"
    );
    let failed = of_hub(&request, "contoso-vans-hub-2");
    let detail = failed["detail"].as_str().unwrap();
    assert!(detail.contains("AdrMiNotAuthorized") && detail.contains("Contributor"), "{detail}");
    assert_eq!(of_hub(&request, "contoso-vans-hub-1")["outcome"], "already-trusted");
    assert_eq!(synchronize_calls(&world).await, 0);
    world.stop().await;
}

#[tokio::test]
async fn on_a_mixed_dps_each_group_keeps_its_kind_and_a_sync_is_for_the_credential_alone() {
    let world = world(MIXED, &mixed_rules("lines-ica/short-lived", "")).await;
    let namespace = world.namespace("contoso-plants").await;
    world.fire("reconcile-assignments").await;
    assert_eq!(named(&world, "line-1").await.as_deref(), Some("short-lived"), "left alone");
    for id in ["line-2", "line-3"] {
        assert_eq!(named(&world, id).await.as_deref(), Some("contoso-plants/lines-ica/short-lived"));
    }
    let report = world.report().await;
    let pairs = report["namespaces"][0]["trust"].as_array().unwrap();
    assert_eq!(pairs.len(), 4, "two hubs, a policy of each kind: {pairs:?}");
    assert!(pairs.iter().all(|pair| pair["trust"] == "trusted"), "{pairs:?}");

    let id = namespace["id"].as_str().unwrap();
    world.rotate(&format!("{id}/credentials/default/policies/short-lived")).await;
    world.rotate(&format!("{id}/certificateAuthorities/lines-ica")).await;
    let request = world.submit(json!({"namespaceId": id})).await;
    let request = world.outcome(&request).await;
    assert_eq!(request["outcome"], "trusted", "{request}");
    assert_eq!(request["hubs"].as_array().unwrap().len(), 4);
    assert_eq!(synchronize_calls(&world).await, 1);
    world.stop().await;
}

#[tokio::test]
async fn groups_are_migrated_by_a_person_and_by_no_function() {
    let moving = "[[namespace.migration]]\nfrom = \"short-lived\"\nto = \"lines-ica/short-lived\"\n";
    let world = world(MIXED, &mixed_rules("short-lived", moving)).await;
    let new = Some("contoso-plants/lines-ica/short-lived");
    world.fire("reconcile-assignments").await;
    assert_eq!(named(&world, "line-1").await.as_deref(), Some("short-lived"));
    assert_eq!(named(&world, "line-3").await.as_deref(), new, "a new group gets what its hubs trust already");

    let report = world.report().await;
    assert_eq!(report["namespaces"][0]["generation"], "migrating");
    let found = report["findings"].as_array().unwrap();
    let told: Vec<(&str, &str)> = found
        .iter()
        .map(|finding| {
            (finding["check"].as_str().unwrap(), finding["subject"]["enrollmentGroup"].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(told, [("group-previous-generation", "line-1")], "{found:?}");
    let (plan, _) = run(&world, &["plan"]).await;
    let planned: Vec<&Value> = plan["assignments"].as_array().unwrap().iter().collect();
    assert_eq!(planned.len(), 1, "{plan}");
    assert_eq!(
        (&planned[0]["enrollmentGroup"], &planned[0]["before"]),
        (&json!("line-1"), &json!("short-lived"))
    );
    let writes = world.writes().await;
    run(&world, &["assign", "--migrate"]).await;
    assert_eq!(world.writes().await, writes, "without --apply nothing is written");

    let migrate = ["assign", "--migrate", "--apply"];
    let (done, exit) = run(&world, &migrate).await;
    assert_eq!(exit, 0, "{done}");
    assert_eq!(named(&world, "line-1").await.as_deref(), new);
    let writes = world.writes().await;
    run(&world, &migrate).await;
    world.fire("reconcile-assignments").await;
    assert_eq!(world.writes().await, writes, "the second run writes nothing");

    let revert = ["assign", "--revert", done["run"].as_str().unwrap(), "--apply"];
    let (reverted, exit) = run(&world, &revert).await;
    assert_eq!(exit, 0, "{reverted}");
    assert_eq!(named(&world, "line-1").await.as_deref(), Some("short-lived"), "taken back as it was");
    assert_eq!(synchronize_calls(&world).await, 0);
    world.stop().await;
}
