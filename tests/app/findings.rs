//! What the report tells of a world: what the file does not name, each cause once, and nothing that comes and goes while the world
//! stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use azure_simulator::Options;
use certificate_management::alerting::{FindingEvent, FindingState};
use certificate_management::checks::CheckId;
use certificate_management::reason::Reason;
use policysync::reporting::{self, LATEST};
use serde_json::{Value, json};
use time::Duration;

use crate::in_process::InProcess;
use crate::operator::{document, policysync, told};
use crate::world::World;

const NAMESPACE: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants";

/// The default fleet, of which the file names one namespace and no DPS.
fn little() -> String {
    format!("[[namespace]]\nid = \"{NAMESPACE}\"\n")
}

async fn report(app: &InProcess) -> Vec<FindingEvent> {
    reporting::run(&app.application).await.unwrap().events
}

async fn findings(app: &InProcess) -> Vec<Value> {
    let latest = app.application.store.get::<Value>(LATEST).await.unwrap().unwrap().value;
    latest["findings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_linked_and_not_named_is_told_by_report_status_and_check() {
    let app = InProcess::of(Options::default(), &little()).await;
    report(&app).await;
    let told_by_report: BTreeSet<(String, String)> = findings(&app)
        .await
        .iter()
        .filter(|finding| finding["check"] == "not-in-file")
        .map(|finding| {
            let text = |member: &str| finding[member].as_str().unwrap().to_owned();
            (text("reason"), finding["subject"]["text"].as_str().unwrap().to_owned())
        })
        .collect();
    let has = |reason: &str, subject: &str| {
        told_by_report.iter().any(|(its, of)| its == reason && of.starts_with(subject))
    };
    assert!(has("provisioning-service-not-named", "contoso-plants / "), "{told_by_report:?}");
    assert!(has("namespace-not-named", "fabrikam-energy"), "{told_by_report:?}");

    // A list that fails says nothing: what was told stays.
    app.faults(&json!([{"path": "/subscriptions/*/providers/Microsoft.Devices/*", "status": 503}]));
    let events = report(&app).await;
    let about = events.iter().filter(|event| event.data.finding.check == CheckId::NotInFile).count();
    assert_eq!(about, 0, "{events:?}");

    let world = World::configured(&little()).await;
    for command in [&["status", "--output", "json"][..], &["check", "--output", "json"]] {
        let output = policysync(&world, command, &[]).await;
        let text = document(&output).to_string();
        assert!(
            text.contains("not-in-file") && text.contains("fabrikam-energy"),
            "{command:?}: {}",
            told(&output)
        );
    }
    world.stop().await;
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_explained_with_the_policy_that_does_not_exist_either() {
    let rules =
        "[[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"of-tomorrow\"\n";
    let world = World::configured(&format!("{}mode = \"enforce\"\n{rules}", little())).await;
    let output = policysync(&world, &["explain", "line-9999", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let plan = document(&output)["plan"].clone();
    assert_eq!((&plan["reason"], &plan["write"]), (&json!("policy-not-found"), &Value::Null), "{plan}");
    assert!(plan["detail"].as_str().unwrap().contains("of-tomorrow"), "{plan}");
    assert_eq!(plan["nextStep"], Reason::PolicyNotFound.next_step());
    let output = policysync(&world, &["explain", "line-9999", "--offline"], &[]).await;
    assert!(
        told(&output).contains("policysync check"),
        "it does not claim that nothing is to do: {}",
        told(&output)
    );
    world.stop().await;
}

#[tokio::test]
async fn a_rotation_is_one_cause_in_report_and_alerts() {
    let mut app = InProcess::start().await;
    app.restart(&[("POLICYSYNC_MODE", "audit")]);
    report(&app).await;
    app.rotate(0).await;
    app.later(Duration::hours(1));
    let events = report(&app).await;
    let latest = app.application.store.get::<Value>(LATEST).await.unwrap().unwrap().value;
    let (causes, all) = (latest["causes"].as_array().unwrap(), latest["findings"].as_array().unwrap());
    let told: Vec<&str> = causes
        .iter()
        .flat_map(|cause| {
            let follows = cause["follows"].as_array().unwrap().iter();
            std::iter::once(&cause["finding"]).chain(follows).map(|id| id.as_str().unwrap())
        })
        .collect();
    // One that no cause names is a cause by itself.
    let ids: Vec<&str> = all.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| told.contains(id)).collect();
    assert_eq!(told, ids, "the findings stand in the order of their causes");
    let untrusting = all.iter().filter(|finding| finding["check"] == "hub-untrusting").count();
    assert!(untrusting > 1 && causes.len() < all.len(), "{} causes of {} findings", causes.len(), all.len());
    // A subscriber that gets an event knows what it follows from, and that was told before.
    let mut known = BTreeSet::new();
    let mut followers = 0;
    for event in &events {
        known.insert(event.data.finding.id.clone());
        if let Some(cause) = &event.data.follows_from {
            followers += 1;
            assert!(known.contains(&cause.id), "{event:?}");
        }
    }
    assert!(followers > 0, "{events:#?}");
}

/// Lists that are stale or empty for once, and reads that fail for once: the world is the same in each report.
#[tokio::test]
async fn nothing_comes_and_goes_while_the_world_stays_as_it_is() {
    let of = |path: &str, probability: f64, with: Value| {
        let mut fault = json!({"method": "GET", "path": path, "probability": probability});
        fault.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        fault
    };
    let fails = || json!({"status": 503});
    for (number, name) in ["as it is", "rotated", "rotated in audit mode"].into_iter().enumerate() {
        let mut app = InProcess::start().await;
        if number == 2 {
            app.restart(&[("POLICYSYNC_MODE", "audit")]);
        }
        app.later(Duration::hours(1));
        if number > 0 {
            app.rotate(0).await;
            app.rotate(1).await;
        }
        let mut states: BTreeMap<String, Vec<(usize, FindingState)>> = BTreeMap::new();
        // What the reports find that see everything.
        let mut found = BTreeSet::new();
        let (mut texts, mut delivered) = (BTreeMap::new(), BTreeSet::new());
        for run in 0..12 {
            // The first and every third report see everything.
            app.faults(&match run % 3 {
                0 => json!([]),
                _ => json!([
                    of("*/IotHubs/*/certificates", 0.4, fails()),
                    of("*/namespaces/*/policies", 0.3, fails()),
                    of("/subscriptions/*/providers/Microsoft.Devices/IotHubs", 0.5, fails()),
                    of("/subscriptions/*/providers/Microsoft.Devices/provisioningServices", 0.5, fails()),
                    of("/dps/*", 0.4, fails()),
                    of(
                        "/subscriptions/*/providers/Microsoft.Devices/IotHubs",
                        0.5,
                        json!({"status": 200, "body": {"value": []}})
                    ),
                ]),
            });
            // The lists of subscriptions are remembered for five minutes.
            app.later(Duration::minutes(6));
            let events = report(&app).await;
            if run % 3 == 0 {
                let ids = |finding: &Value| finding["id"].as_str().unwrap().to_owned();
                found.insert(findings(&app).await.iter().map(ids).collect::<BTreeSet<_>>());
            }
            for event in events {
                let finding = &event.data.finding;
                // No run confirms events here, so they come again, with the same ids.
                if !delivered.insert(event.id.clone()) {
                    continue;
                }
                // That a read failed is news of its own, and its end too.
                if !matches!(finding.check, CheckId::Unreadable | CheckId::PermissionMissing) {
                    states.entry(finding.id.clone()).or_default().push((run, event.data.state));
                    texts.insert(
                        finding.id.clone(),
                        format!("{} {}: {}", finding.check, finding.subject, finding.message),
                    );
                }
            }
        }
        assert_eq!(found.len(), 1, "{name}: reports of the same world differ: {found:?}");
        for (id, states) in &states {
            assert_eq!(states.len(), 1, "{name}: {} came and went: {states:?}", texts[id]);
        }
        assert!(!states.is_empty(), "{name}: there is something to tell");
    }
}
