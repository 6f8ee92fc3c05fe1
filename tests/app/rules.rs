//! The rules of the Functions host's protocol that concern the app as a whole (`functions-host-protocol.md` §6); the
//! others have their tests in `crates/functions-host`.

use std::path::Path;

use policysync::functions::DEFINITIONS;
use serde_json::{Value, json};

use crate::world::World;

/// A batch of messages as the host sends it: texts in a list in a text.
fn batch(texts: &[String], message_ids: &[&str]) -> Value {
    json!({
        "Data": {"requests": serde_json::to_string(texts).unwrap()},
        "Metadata": {"MessageIdArray": serde_json::to_string(message_ids).unwrap(), "DeliveryCountArray": json!(vec![1; texts.len()]).to_string()},
    })
}

async fn deliver(world: &World, invocation: &str, body: &Value) -> Value {
    let request = world.client.post(format!("{}/sync-policies", world.handler_url()));
    let request = request
        .header("X-Azure-Functions-InvocationId", invocation)
        .header("Content-Type", "application/json; charset=utf-8");
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.json().await.unwrap()
}

fn request(namespace: &Value, id: &str) -> String {
    json!({"schema": "sync-request/v1", "requestId": id, "namespaceId": namespace["id"]}).to_string()
}

#[tokio::test]
async fn rule_11_a_batch_with_bad_messages_succeeds_after_parking_them() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await;
    let texts = ["{".to_owned(), request(&namespace, "good"), "7".to_owned()];
    let answer =
        deliver(&world, "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f10", &batch(&texts, &["bad-1", "good", "bad-2"]))
            .await;
    assert!(
        answer["Logs"].to_string().contains("1 request,") && answer["Logs"].to_string().contains("2 parked"),
        "{answer}"
    );
    assert_eq!(world.outcome("good").await["outcome"], "already-trusted");
    world.stop().await;
}

#[tokio::test]
async fn rule_12_the_key_of_idempotence_is_the_request_and_not_the_invocation() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-logistics").await;
    world.rotate(namespace["policies"][0].as_str().unwrap()).await;
    let batch = batch(&[request(&namespace, "once")], &["once"]);
    for invocation in ["0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f11", "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f12"] {
        deliver(&world, invocation, &batch).await;
    }
    assert_eq!(world.outcome("once").await["outcome"], "trusted");
    deliver(&world, "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f13", &batch).await;
    let syncs = world.writes().await.iter().filter(|write| write.ends_with("/synchronize")).count();
    assert_eq!(syncs, 1);
    world.stop().await;
}

#[tokio::test]
async fn rule_17_stdout_has_a_line_with_the_invocation_id_and_stderr_is_silent() {
    let world = World::with_process().await;
    let report = world.local.host.fire("report-policy-status", None).await.unwrap();
    let said = world
        .until("the invocation is logged", async || {
            let said = world.local.explanation();
            said.contains(&report.invocation_id).then_some(said)
        })
        .await;
    assert!(!said.contains("stderr"), "{said}");
    world.stop().await;
}

#[test]
fn rule_25_output_names_are_spelt_as_in_function_json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("function-definitions");
    for definition in DEFINITIONS {
        let text = std::fs::read_to_string(folder.join(definition.name).join("function.json")).unwrap();
        let function_json: Value = serde_json::from_str(&text).unwrap();
        let bindings = function_json["bindings"].as_array().unwrap();
        let outputs = bindings.iter().filter(|binding| binding["direction"] == "out");
        let names: Vec<&str> = outputs.map(|binding| binding["name"].as_str().unwrap()).collect();
        let expected: Vec<&str> = definition.all_outputs().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{}", definition.name);
    }
}

#[tokio::test]
async fn rule_33_no_key_of_a_caller_is_logged_or_answered() {
    let world = World::with_process().await;
    let secret = "s3cr3t-function-key";
    let request = world.client.post(world.app("/api/sync-requests")).header("x-functions-key", secret);
    let answer = request.header("Authorization", secret).body("{").send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains(secret));
    assert!(!world.local.explanation().contains(secret), "{}", world.local.explanation());
    world.stop().await;
}

#[tokio::test]
async fn the_synthetic_payloads_of_the_reference_are_understood_or_refused_in_words() {
    let world = World::default().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payloads");
    // Puts the data of each payload under the name of our own binding of that trigger.
    for (file, function, theirs, ours) in [
        ("req.timer.json", "report-policy-status", "timer", "timer"),
        ("req.timer.first-run.json", "reconcile-assignments", "timer", "timer"),
        ("req.servicebus.batch.string.json", "sync-policies", "messages", "requests"),
        ("req.eventhub.batch.string.json", "assign-policy", "events", "records"),
        ("req.eventgrid.single.json", "handle-resource-event", "event", "event"),
        ("req.cloudevents.single.json", "handle-resource-event", "event", "event"),
        ("req.http.json", "sync-requests", "req", "req"),
    ] {
        let mut payload: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        let data = payload["Data"][theirs].take();
        payload["Data"] = json!({ ours: data });
        let post = world
            .client
            .post(format!("{}/{function}", world.handler_url()))
            .header("X-Azure-Functions-InvocationId", "00000000-0000-0000-0000-000000000001")
            .header("Content-Type", "application/json; charset=utf-8");
        let answer = post.body(payload.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{file}: {}", answer.status());
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["Outputs"].is_object(), "{file}: {answer}");
    }
    // Its messages have an unknown schema, so the app parks them.
    let parked = world.get(&world.azure("/simulator/queues/sync-requests-parked/messages")).await;
    assert_eq!(parked.as_array().unwrap().len(), 2, "{parked}");
    world.stop().await;
}
