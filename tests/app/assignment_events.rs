//! Events about enrollment groups: lost, doubled, malformed, far too many, about groups that are odd or cannot be read.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::operator::{DPS, policy_of};
use crate::world::World;

/// A world whose DPS sends its records so late that none arrives.
async fn without_events() -> World {
    World::with_fleet(|fleet| fleet.diagnostics_delay_seconds = 86_400).await
}

/// Makes a group without a policy, as a pipeline does that knows nothing of policies.
async fn create(world: &World, id: &str, tags: Value) {
    let body = json!({
        "enrollmentGroupId": id,
        "attestation": {"type": "symmetricKey", "symmetricKey": {}},
        "initialTwin": {"tags": tags},
        "aMemberOfTomorrow": 1.50,
    });
    let (status, answer) = world.group(DPS, id, Method::PUT, Some(&body)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

fn record(id: &str) -> Value {
    json!({
        "time": "2026-11-23T05:00:00.0000000Z",
        "resourceId": format!("/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/{}", DPS.to_uppercase()),
        "operationName": "Upsert",
        "category": "ServiceOperations",
        "resultType": "Success",
        "properties": json!({"id": id, "type": "EnrollmentGroup", "protocol": "Http"}).to_string(),
    })
}

/// Delivers events as one batch, in the form of the real host; the answer and how long it took.
async fn deliver(world: &World, events: &[String]) -> (Value, Duration) {
    let since = Instant::now();
    let (status, text) = offer(world, events, "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f20").await;
    assert!(status.is_success(), "{status}: {text}");
    (serde_json::from_str(&text).unwrap(), since.elapsed())
}

/// Delivers events under an invocation id, and returns any answer.
async fn offer(world: &World, events: &[String], invocation: &str) -> (StatusCode, String) {
    let body = json!({"Data": {"records": serde_json::to_string(events).unwrap()}, "Metadata": {}});
    let answer = world
        .client
        .post(format!("{}/assign-policy", world.handler_url()))
        .header("Content-Type", "application/json; charset=utf-8")
        .header("X-Azure-Functions-InvocationId", invocation)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// How often a group was written so far.
async fn writes_of(world: &World, id: &str) -> usize {
    let log = world.get(&world.azure("/simulator/log")).await;
    let is_write = |entry: &&Value| {
        let path = entry["path"].as_str().unwrap();
        entry["method"] == "PUT"
            && entry["status"] == 200
            && path.ends_with(&format!("/enrollmentGroups/{id}"))
    };
    log.as_array().unwrap().iter().filter(is_write).count()
}

async fn faults(world: &World, faults: &Value) {
    let body = json!({ "faults": faults });
    let answer = world.client.put(world.azure("/simulator/faults")).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test]
async fn a_run_that_loses_every_event_still_converges_through_the_timer() {
    let world = without_events().await;
    let ids = ["line-21", "line-22", "docks"];
    for id in ids {
        create(&world, id, json!({})).await;
    }
    world.fire("reconcile-assignments").await;
    for (id, policy) in [("line-21", "short-lived"), ("line-22", "short-lived"), ("docks", "default")] {
        assert_eq!(policy_of(&world, DPS, id).await.as_deref(), Some(policy), "{id}");
        assert_eq!(writes_of(&world, id).await, 2, "{id}: its creation and one assignment");
    }
    assert!(!world.local.explanation().contains("assign-policy"), "{}", world.local.explanation());
    let writes = world.writes().await;
    world.fire("reconcile-assignments").await;
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}

#[tokio::test]
async fn a_run_that_gets_every_event_twice_writes_once() {
    let world = without_events().await;
    let ids = ["line-31", "line-32", "docks"];
    for id in ids {
        create(&world, id, json!({})).await;
    }
    let twice: Vec<Value> = ids.iter().chain(&ids).map(|id| record(id)).collect();
    let events = [json!({"records": twice}).to_string(), record(ids[0]).to_string()];
    // Both deliveries at the same instant, and a third one afterwards.
    let ((first, _), (second, _)) = tokio::join!(deliver(&world, &events), deliver(&world, &events));
    for answer in [&first, &second] {
        assert!(answer["Logs"].to_string().contains("0 failed"), "{answer}");
    }
    deliver(&world, &events).await;
    for id in ids {
        assert!(policy_of(&world, DPS, id).await.is_some(), "{id}");
        assert_eq!(writes_of(&world, id).await, 2, "{id}: its creation and one assignment");
    }
    world.stop().await;
}

#[tokio::test]
async fn malformed_records_in_a_good_batch_harm_no_neighbour() {
    let world = without_events().await;
    create(&world, "line-41", json!({})).await;
    create(&world, "docks", json!({})).await;
    let mut odd_case = record("docks");
    let properties = odd_case["properties"].take();
    odd_case["PROPERTIES"] = serde_json::from_str(properties.as_str().unwrap()).unwrap();
    let with = |name: &str, value: Value| {
        let mut record = record("line-41");
        record[name] = value;
        record
    };
    let records = json!({"records": [
        7, null, "text", [], {},
        with("operationName", json!(5)),
        with("properties", json!("{\"id\":")),
        with("properties", json!({"type": "EnrollmentGroup"})),
        with("resourceId", json!(null)),
        record(""), record(".."), record("a/b"), record("no such group"), record("ghost-ü-\u{1f600}"),
        record("line-41"), odd_case,
    ]});
    let events = ["not json", "{", "\u{0}", "7", "[]", &records.to_string()].map(str::to_owned);
    let (answer, _) = deliver(&world, &events).await;
    assert!(answer["Logs"].to_string().contains("2 assigned"), "{answer}");
    assert_eq!(policy_of(&world, DPS, "line-41").await.as_deref(), Some("short-lived"));
    assert_eq!(policy_of(&world, DPS, "docks").await.as_deref(), Some("default"));
    world.stop().await;
}

#[tokio::test]
async fn a_batch_of_ten_megabytes_costs_one_list_and_not_a_read_for_each_record() {
    let world = without_events().await;
    create(&world, "line-51", json!({})).await;
    let mut events: Vec<String> = Vec::new();
    let mut size = 0;
    while size < 10 * 1024 * 1024 {
        let records: Vec<Value> =
            (0..500).map(|index| record(&format!("ghost-{}-{index}", events.len()))).collect();
        let event = json!({ "records": records }).to_string();
        size += event.len();
        events.push(event);
    }
    events.push(record("line-51").to_string());
    let before = world.get(&world.azure("/simulator/log")).await.as_array().unwrap().len();
    let (answer, took) = deliver(&world, &events).await;
    assert!(answer["Logs"].to_string().contains("1 assigned"), "{answer}");
    assert_eq!(policy_of(&world, DPS, "line-51").await.as_deref(), Some("short-lived"));
    let log = world.get(&world.azure("/simulator/log")).await;
    let calls = log.as_array().unwrap()[before..].iter();
    let calls = calls.filter(|entry| entry["path"].as_str().unwrap().starts_with("/dps/")).count();
    // The list, the keys, the write, the proof, and the look of this test.
    assert!(calls <= 6, "{calls} calls of the DPS");
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_group_with_ten_thousand_tags_keeps_them_all() {
    let world = without_events().await;
    let tags: serde_json::Map<String, Value> =
        (0..10_000).map(|index| (format!("tag{index}"), json!(format!("é{index}")))).collect();
    create(&world, "line-61", Value::Object(tags.clone())).await;
    deliver(&world, &[record("line-61").to_string()]).await;
    let (_, group) = world.group(DPS, "line-61", Method::GET, None).await;
    assert_eq!(group["credentialPolicyName"], "short-lived");
    assert_eq!(group["initialTwin"]["tags"], Value::Object(tags));
    assert_eq!(group["aMemberOfTomorrow"].to_string(), "1.5");
    let output = crate::operator::policysync(&world, &["explain", "line-61"], &[]).await;
    let told = crate::operator::told(&output);
    assert!(
        output.status.success() && told.len() < 10_000 && told.contains("and 9988 more"),
        "{}",
        told.len()
    );
    world.stop().await;
}

#[tokio::test]
async fn ids_with_every_character_that_is_allowed_are_assigned_by_event_and_by_hand() {
    let world = without_events().await;
    let longest = format!("line-{}", "x".repeat(123));
    let ids = ["line-7:B.c_d-E", "LINE-8..__::--9", longest.as_str()];
    for id in ids {
        create(&world, id, json!({})).await;
    }
    let records: Vec<Value> = ids.iter().map(|id| record(&id.to_lowercase())).collect();
    deliver(&world, &[json!({ "records": records }).to_string()]).await;
    for id in ids {
        assert_eq!(policy_of(&world, DPS, id).await.as_deref(), Some("short-lived"), "{id}");
    }
    let (plan, exit) = crate::operator::run(&world, &["assign", "--from", ids[1], "--to", ids[0]]).await;
    assert_eq!((exit, &plan["unchanged"]), (0, &json!(1)), "{plan}");
    world.stop().await;
}

#[tokio::test]
async fn what_a_dps_does_wrong_with_one_group_harms_no_other_and_has_its_reason() {
    let world = without_events().await;
    let code = |code: u32| json!({"status": code / 1_000, "body": {"errorCode": code, "message": "no"}});
    for (number, (fault, reason)) in [
        (code(400_004), "link-not-ready"),
        (code(403_000), "not-permitted"),
        (json!({"status": 429}), "service-unavailable"),
        (json!({"status": 500}), "service-unavailable"),
        (json!({"close": true}), "service-unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        let (bad, good) = (format!("line-bad-{number}"), format!("line-good-{number}"));
        create(&world, &bad, json!({})).await;
        create(&world, &good, json!({})).await;
        let mut on_one = fault.clone();
        on_one["path"] = json!(format!("*/enrollmentGroups/{bad}"));
        faults(&world, &json!([on_one])).await;
        let input = json!({"records": [record(&bad), record(&good)]}).to_string();
        let invocation = format!("0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f3{number}");
        let (status, told) = offer(&world, std::slice::from_ref(&input), &invocation).await;
        assert!(!status.is_success(), "{fault}: another try may help, so it is a failure: {told}");
        let names_it =
            |line: &str| line.contains(&invocation) && line.contains(reason) && line.contains(&bad);
        let what = format!("{fault}: a line of this invocation says {reason}");
        world.until(&what, async || world.local.explanation().lines().any(names_it).then_some(())).await;
        assert_eq!(policy_of(&world, DPS, &good).await.as_deref(), Some("short-lived"), "{fault}");
        faults(&world, &json!([])).await;
        let (answer, _) = deliver(&world, &[input]).await;
        assert!(answer["Logs"].to_string().contains("1 assigned"), "{fault}: {answer}");
        assert_eq!(policy_of(&world, DPS, &bad).await.as_deref(), Some("short-lived"), "{fault}");
    }
    // When the DPS names a time to come back, the app tries again then, within the same invocation.
    create(&world, "line-later", json!({})).await;
    let later = json!({"path": "*/enrollmentGroups/line-later", "status": 429, "retryAfter": 1, "times": 1});
    faults(&world, &json!([later])).await;
    let (answer, took) = deliver(&world, &[record("line-later").to_string()]).await;
    assert!(answer["Logs"].to_string().contains("1 assigned"), "{answer}");
    assert!(took >= Duration::from_secs(1), "{took:?}");
    // For a group that is gone there is nothing to do.
    let (answer, _) = deliver(&world, &[record("line-gone").to_string()]).await;
    assert!(answer["Logs"].to_string().contains("0 groups looked at"), "{answer}");
    world.stop().await;
}
