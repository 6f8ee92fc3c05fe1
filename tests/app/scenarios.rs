//! Scenarios of a fleet, tested from the outside.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::World;

const NAMESPACE: &str = "contoso-plants";

fn group(id: &str) -> Value {
    json!({"enrollmentGroupId": id, "attestation": {"type": "symmetricKey", "symmetricKey": {}}, "provisioningStatus": "enabled",
           "initialTwin": {"tags": {"site": "x"}}, "aMemberOfTomorrow": {"kept": [1.50, null]}})
}

fn states<'a>(report: &'a Value, namespace: &str) -> Vec<&'a str> {
    let namespaces = report["namespaces"].as_array().unwrap();
    let found = namespaces.iter().find(|known| known["name"] == namespace).unwrap();
    found["trust"].as_array().unwrap().iter().map(|pair| pair["trust"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_rotated_policy_becomes_stale_and_trusted_again_after_a_request() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-logistics").await;
    let policy = namespace["policies"][0].as_str().unwrap();
    assert!(states(&world.report().await, "contoso-logistics").iter().all(|trust| *trust == "trusted"));
    world.rotate(policy).await;
    let stale = world.report().await;
    assert!(states(&stale, "contoso-logistics").iter().all(|trust| *trust == "stale"));
    let findings = stale["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["reason"] == "policy-stale" && finding["severity"] == "critical")
    );

    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let outcome = world.outcome(&id).await;
    assert_eq!(outcome["outcome"], "trusted", "{outcome}");
    for hub in outcome["hubs"].as_array().unwrap() {
        assert!(hub["evidence"]["thumbprint"].is_string(), "no outcome without proof: {hub}");
    }
    assert!(states(&world.report().await, "contoso-logistics").iter().all(|trust| *trust == "trusted"));
    let syncs = world.writes().await.iter().filter(|write| write.ends_with("/synchronize")).count();
    assert_eq!(syncs, 1, "one sync for the whole namespace");
    world.stop().await;
}

#[tokio::test]
async fn a_second_look_at_an_unchanged_world_writes_nothing_and_sends_nothing() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await;
    // The first walk assigns every missing policy; from then on the world is as the rules want it.
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    world.outcome(&id).await;
    let (writes, sends) = (world.writes().await, world.sends().await);
    world.fire("reconcile-assignments").await;
    world.fire("report-policy-status").await;
    assert_eq!(world.writes().await, writes);
    assert_eq!(world.sends().await, sends);
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    assert_eq!(world.outcome(&id).await["outcome"], "already-trusted");
    assert_eq!(world.writes().await, writes);
    assert_eq!(
        world.sends().await.len(),
        sends.len() + 2,
        "the request itself, and the look that it asked for"
    );
    world.stop().await;
}

#[tokio::test]
async fn a_created_group_is_assigned_by_its_diagnostic_record_and_nothing_else_of_it_moves() {
    let world = World::default().await;
    let (status, created) =
        world.group("contoso-plants-dps", "line-9", Method::PUT, Some(&group("line-9"))).await;
    assert_eq!(status, StatusCode::OK, "{created}");
    let assigned = world
        .until("the group has a policy", async || {
            let (_, found) = world.group("contoso-plants-dps", "line-9", Method::GET, None).await;
            found["credentialPolicyName"].is_string().then_some(found)
        })
        .await;
    assert_eq!(assigned["credentialPolicyName"], "short-lived");
    for member in ["initialTwin", "aMemberOfTomorrow", "provisioningStatus", "createdDateTimeUtc"] {
        assert_eq!(assigned[member], created[member], "{member}");
    }
    let writes = world.writes().await;
    assert_eq!(writes.len(), 2, "the creation and one write of ours: {writes:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_created_event_from_the_custom_topic_leads_to_the_group() {
    let world = World::default().await;
    // A group that existed before, so that no diagnostic record is on its way.
    let event = json!({"specversion": "1.0", "id": "e-1", "source": "pipeline", "type": "Policysync.EnrollmentGroup.Created",
        "data": {"enrollmentGroupId": "warehouse-gates", "provisioningService": "CONTOSO-PLANTS-DPS.azure-devices-provisioning.net"}});
    let answer = world.post(&world.azure("/simulator/events"), &event).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let assigned = world
        .until("the group has a policy", async || {
            let (_, found) = world.group("contoso-plants-dps", "warehouse-gates", Method::GET, None).await;
            found["credentialPolicyName"].as_str().map(str::to_owned)
        })
        .await;
    assert_eq!(assigned, "default");
    world.stop().await;
}

#[tokio::test]
async fn a_group_waits_until_its_hubs_trust_the_policy_and_is_assigned_then() {
    let world = World::default().await;
    let policy = format!(
        "{}/credentials/default/policies/short-lived",
        world.namespace(NAMESPACE).await["id"].as_str().unwrap()
    );
    world.rotate(&policy).await;
    world.group("contoso-plants-dps", "line-8", Method::PUT, Some(&group("line-8"))).await;
    // With `sync = "automatic"` a waiting group is reason enough for a sync, and the sync alone is no reason to assign.
    let synced = world
        .until("the namespace is synced", async || {
            let report = world.report().await;
            states(&report, NAMESPACE).iter().all(|trust| *trust == "trusted").then_some(report)
        })
        .await;
    assert_eq!(synced["killSwitch"], false);
    world.fire("reconcile-assignments").await;
    let (_, found) = world.group("contoso-plants-dps", "line-8", Method::GET, None).await;
    assert_eq!(found["credentialPolicyName"], "short-lived");
    let writes = world.writes().await;
    let position = |ending: &str| writes.iter().rposition(|write| write.ends_with(ending)).unwrap();
    assert!(position("/synchronize") < position("/line-8"), "trust first: {writes:?}");
    world.stop().await;
}

#[tokio::test]
async fn in_audit_mode_nothing_is_written_for_any_caller() {
    let namespace = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants";
    let world = World::configured(&format!(
        "[[namespace]]\nid = \"{namespace}\"\nprovisioning_services = [\"/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.Devices/provisioningServices/contoso-plants-dps\"]\n[[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"default\"\nreassign = true\n"
    ))
    .await;
    world.rotate(&format!("{namespace}/credentials/default/policies/default")).await;
    world.fire("reconcile-assignments").await;
    let report = world.report().await;
    assert_eq!(report["namespaces"][0]["mode"], "audit");
    let id = world.submit(json!({"namespaceId": namespace})).await;
    let outcome = world.outcome(&id).await;
    assert_eq!(
        (outcome["outcome"].as_str(), outcome["reason"].as_str()),
        (Some("refused"), Some("audit-mode"))
    );
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn the_status_page_is_for_people_and_json_for_pipelines() {
    let world = World::default().await;
    let page = async |accept: &str| {
        let answer =
            world.client.get(world.app("/api/policy-status")).header("Accept", accept).send().await.unwrap();
        (
            answer.status(),
            answer.headers()["content-type"].to_str().unwrap().to_owned(),
            answer.text().await.unwrap(),
        )
    };
    let (status, kind, body) = page("text/html").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/html; charset=utf-8"));
    assert!(body.contains("There is no report yet"), "{body}");
    world.fire("report-policy-status").await;
    let (_, _, body) = page("text/html,application/xhtml+xml,*/*;q=0.8").await;
    for name in ["contoso-plants", "contoso-plants-north", "short-lived", "trusted"] {
        assert!(body.contains(name), "{name} is missing");
    }
    let (_, kind, body) = page("application/json").await;
    assert_eq!(kind, "application/json; charset=utf-8");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["schema"], "policy-status/v2");
    world.stop().await;
}

#[tokio::test]
async fn the_handler_ends_when_its_host_does() {
    let world = World::with_process().await;
    let process = world.local.host.handler_pid().unwrap();
    world.stop().await;
    let gone = std::fs::read_to_string(format!("/proc/{process}/stat")).is_err();
    assert!(gone, "the handler {process} outlived its host");
}

#[test]
fn a_handler_whose_host_vanishes_ends_by_itself() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    // The world runs in a process of its own, so that it can vanish without any clean-up.
    let mut dev = Command::new(env!("CARGO_BIN_EXE_policysync"))
        .args(["dev", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.starts_with("Ready.")), "dev never got ready");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", dev.id())).unwrap();
    let threads = std::fs::read_dir(format!("/proc/{}/task", dev.id())).unwrap();
    let all: String = threads
        .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")).ok())
        .collect();
    let handler: u32 =
        format!("{children} {all}").split_whitespace().next().expect("dev has a child").parse().unwrap();
    dev.kill().unwrap();
    dev.wait().unwrap();
    let since = std::time::Instant::now();
    // A process that has ended has no command line any more, even before its parent waits for it.
    while std::fs::read(format!("/proc/{handler}/cmdline")).is_ok_and(|line| !line.is_empty()) {
        assert!(since.elapsed() < crate::world::PATIENCE, "the handler {handler} outlived its host");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
