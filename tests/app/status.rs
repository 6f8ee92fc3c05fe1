//! `policysync status`, as a person or a pipeline runs it: with the records of the app, and against Azure alone; and the findings that
//! the report hands to the topic.

use serde_json::{Value, json};

use crate::operator::{document, policysync, told};
use crate::world::World;

const NAMESPACE: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants";

fn configuration(rest: &str) -> String {
    // Of the default fleet the file names one namespace and no DPS, which these tests are not about.
    let quiet =
        "[[suppress]]\ncheck = \"not-in-file\"\nsubject = \"*\"\nreason = \"known\"\nuntil = 2099-12-31\n";
    format!("[[namespace]]\nid = \"{NAMESPACE}\"\nsync = \"ask\"\n{rest}\n{quiet}")
}

fn checks(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|it| it["check"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_exit_code_and_the_table_tell_what_needs_a_person() {
    let world = World::configured(&configuration("mode = \"enforce\"\n")).await;
    world.fire("report-policy-status").await;
    let healthy = policysync(&world, &["status"], &[]).await;
    assert_eq!(healthy.status.code(), Some(0), "{}", told(&healthy));
    assert!(told(&healthy).contains("Nothing needs a person."), "{}", told(&healthy));

    world.rotate(&format!("{NAMESPACE}/credentials/default/policies/default")).await;
    let critical = policysync(&world, &["status", "--fail-on", "critical"], &[]).await;
    let table = told(&critical);
    assert_eq!(critical.status.code(), Some(2), "{table}");
    assert!(table.contains("hub-untrusting") && table.contains("policysync submit --namespace"), "{table}");

    let json = policysync(&world, &["status", "--output", "json"], &[]).await;
    assert_eq!(json.status.code(), Some(2));
    let report = document(&json);
    assert_eq!(report["schema"], "policy-status/v2");
    assert!(checks(&report).iter().all(|check| *check == "hub-untrusting"), "{report}");
    assert_eq!((&report["requests"]["recent"], &report["checksNotMade"]), (&json!([]), &json!([])));

    // The kill switch of the command refuses a sync, so none is named.
    let switch = [("POLICYSYNC_MODE", "audit")];
    let refused = told(&policysync(&world, &["status"], &switch).await);
    assert!(refused.contains("Unset POLICYSYNC_MODE") && !refused.contains("policysync submit"), "{refused}");
    let sends = world.sends().await;
    assert_eq!((world.writes().await, sends), (vec![], vec![]));
    world.stop().await;
}

#[tokio::test]
async fn without_records_the_checks_that_rest_on_them_are_named_and_nothing_is_called_healthy() {
    let world = World::configured(&configuration("mode = \"enforce\"\n")).await;
    let none = [("AzureWebJobsStorage", ""), ("POLICYSYNC_STATE", "memory")];
    let lacking = policysync(&world, &["status"], &none).await;
    let text = told(&lacking);
    assert_eq!(lacking.status.code(), Some(3), "{text}");
    assert!(text.contains("sync-unverified") && text.contains("--without-records"), "{text}");
    assert!(!text.contains("Nothing needs a person"), "{text}");
    let json = document(&policysync(&world, &["status", "--output", "json"], &none).await);
    assert_eq!((&json["requests"], &json["summary"]["requestsInFlight"]), (&Value::Null, &Value::Null));
    assert!(json["checksNotMade"].as_array().unwrap().len() > 3, "{json}");
    let on_purpose = policysync(&world, &["status", "--without-records"], &none).await;
    assert_eq!(on_purpose.status.code(), Some(0), "{}", told(&on_purpose));

    // Storage that does not let the person in is the same.
    let fault = json!({"faults": [{"method": "GET", "path": "/storage/**", "status": 403, "times": 999}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&fault).send().await.unwrap();
    assert!(put.status().is_success());
    let closed = policysync(&world, &["status"], &[]).await;
    assert_eq!(closed.status.code(), Some(3), "{}", told(&closed));
    world.stop().await;
}

#[tokio::test]
async fn thresholds_and_suppressions_are_those_of_the_configuration() {
    // The CAs of the simulated Azure end within some years.
    let strict = "[checks.ca-expiring]\ndays = [10000]\ncritical_days = 1\n";
    let world = World::configured(&configuration(strict)).await;
    world.fire("report-policy-status").await;
    let warnings = policysync(&world, &["status", "--output", "json"], &[]).await;
    assert_eq!(warnings.status.code(), Some(1), "{}", told(&warnings));
    assert!(checks(&document(&warnings)).iter().all(|check| *check == "ca-expiring"));
    let lenient = policysync(&world, &["status", "--fail-on", "critical"], &[]).await;
    assert_eq!(lenient.status.code(), Some(0), "{}", told(&lenient));
    world.stop().await;

    let quiet = format!(
        "{strict}[[suppress]]\ncheck = \"ca-expiring\"\nsubject = \"contoso-plants / *\"\nreason = \"known\"\nuntil = 2099-12-31\n"
    );
    let world = World::configured(&configuration(&quiet)).await;
    world.fire("report-policy-status").await;
    let report = policysync(&world, &["status", "--output", "json"], &[]).await;
    assert_eq!(report.status.code(), Some(0), "{}", told(&report));
    assert_eq!(document(&report)["suppressed"][0]["reason"], "known");
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_3_and_wrong_usage_64() {
    let world = World::configured(&configuration("")).await;
    let fault = json!({"faults": [{"method": "GET", "path": "*/namespaces/*", "status": 403, "times": 99}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&fault).send().await.unwrap();
    assert!(put.status().is_success());
    let unreadable = policysync(&world, &["status"], &[]).await;
    assert_eq!(unreadable.status.code(), Some(3), "{}", told(&unreadable));
    assert!(told(&unreadable).contains("permission-missing"), "{}", told(&unreadable));
    // Without a token no role helps.
    for command in [&["status"][..], &["check"]] {
        let anonymous = told(&policysync(&world, command, &[("IDENTITY_HEADER", "wrong")]).await);
        let squeezed = anonymous.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains("IDENTITY_ENDPOINT") && !squeezed.contains("Grant"), "{anonymous}");
    }
    let absent = policysync(&world, &["status"], &[("POLICYSYNC_CONFIG", "absent.toml")]).await;
    assert_eq!(absent.status.code(), Some(3), "{}", told(&absent));
    let wrong = policysync(&world, &["status", "--fail-on", "sometimes"], &[]).await;
    assert_eq!(wrong.status.code(), Some(64));
    let list = policysync(&world, &["status", "--list"], &[("POLICYSYNC_CONFIG", "absent.toml")]).await;
    assert_eq!(list.status.code(), Some(0));
    assert!(told(&list).contains("days = [90, 60, 30, 14, 7, 1]"), "{}", told(&list));
    world.stop().await;
}

#[tokio::test]
async fn the_report_hands_a_finding_to_the_topic_once_and_once_when_it_clears() {
    let world = World::configured(&configuration("mode = \"enforce\"\n")).await;
    let fire = async || {
        let report = world.local.host.fire("report-policy-status", None).await.unwrap();
        assert!(report.succeeded(), "{:?}", report.error);
        let texts = report.outputs.get("findings").cloned().unwrap_or_default();
        texts.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(fire().await, Vec::<Value>::new());
    world.rotate(&format!("{NAMESPACE}/credentials/default/policies/default")).await;
    let raised = fire().await;
    assert!(!raised.is_empty());
    assert!(raised.iter().all(|event| event["data"]["state"] == "raised"), "{raised:?}");
    assert_eq!(fire().await, Vec::<Value>::new());

    let id = world.submit(json!({"namespaceId": NAMESPACE})).await;
    assert_eq!(world.outcome(&id).await["outcome"], "trusted");
    let told = fire().await;
    let cleared = told.iter().filter(|event| event["data"]["state"] == "cleared").count();
    assert_eq!(cleared, raised.len(), "{told:?}");
    // The older CA that the sync left on the hub, or took from it, is a new finding.
    assert!(told.iter().all(|event| {
        let check = &event["data"]["finding"]["check"];
        event["data"]["state"] == "cleared" || check == "ca-leftover" || check == "ca-removed-early"
    }));
    assert_eq!(fire().await, Vec::<Value>::new());
    let report = world.get(&world.app("/api/policy-status")).await;
    assert_eq!(report["requests"]["recent"][0]["requestId"], id.as_str());
    world.stop().await;
}
