//! Bad input: one clear outcome each, nothing lost, the neighbours unharmed.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn send(world: &World, body: &str) {
    let url = world.azure("/servicebus/sync-requests/messages");
    let sas = "SharedAccessSignature sr=x&sig=eA%3D%3D&se=4102444800&skn=n";
    let answer =
        world.client.post(url).header("Authorization", sas).body(body.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn messages_that_cannot_be_understood_are_parked_and_their_neighbours_done() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await;
    send(&world, "not json").await;
    send(&world, r#"{"schema":"sync-request/v9"}"#).await;
    send(&world, r#"{"schema":"sync-request/v1","requestId":"r","namespaceId":"contoso"}"#).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    assert_eq!(world.outcome(&id).await["outcome"], "already-trusted");
    let parked = world
        .until("three messages are parked", async || {
            let messages = world.get(&world.azure("/simulator/queues/sync-requests-parked/messages")).await;
            (messages.as_array().unwrap().len() == 3).then(|| messages.to_string())
        })
        .await;
    for reason in ["message-not-json", "message-unknown-schema", "message-invalid"] {
        assert!(parked.contains(reason), "{reason} is missing: {parked}");
    }
    let queues = world.get(&world.azure("/simulator/queues")).await;
    assert_eq!(queues["sync-requests"]["deadLettered"], 0, "{queues}");
    world.stop().await;
}

#[tokio::test]
async fn requests_for_what_does_not_exist_end_with_a_reason() {
    let world = World::configured(
        "[[namespace]]\nid = \"/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants\"\nmode = \"enforce\"\n\
         [[namespace]]\nid = \"/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-none/providers/Microsoft.DeviceRegistry/namespaces/ghost\"\nmode = \"enforce\"\n",
    )
    .await;
    let known = world.namespace("contoso-plants").await["id"].clone();
    let ghost = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-none/providers/Microsoft.DeviceRegistry/namespaces/ghost";
    for (body, outcome, reason) in [
        (json!({"namespaceId": ghost}), "failed", "namespace-not-found"),
        (json!({"namespaceId": known, "hubs": ["nowhere"]}), "refused", "unknown-hub"),
        (json!({"namespaceId": known, "policies": ["nothing"]}), "refused", "unknown-policy"),
    ] {
        let id = world.submit(body.clone()).await;
        let ended = world.outcome(&id).await;
        assert_eq!(
            (ended["outcome"].as_str(), ended["reason"].as_str()),
            (Some(outcome), Some(reason)),
            "{body}: {ended}"
        );
        assert!(ended["nextStep"].as_str().is_some_and(|step| !step.is_empty()));
    }
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn wrong_submissions_name_the_field() {
    let world = World::default().await;
    let url = world.app("/api/sync-requests");
    for (body, field) in [
        (json!({}), "namespaceId"),
        (json!({"namespaceId": "contoso"}), "namespaceId"),
        (json!([]), "body"),
        (json!({"namespaceId": world.namespace("contoso-plants").await["id"], "hubs": []}), "hubs"),
    ] {
        let answer = world.post(&url, &body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["fields"][0]["field"], field, "{answer}");
    }
    let answer =
        world.client.post(&url).header("Content-Type", "application/json").body("{").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer = world.client.get(world.app("/api/sync-requests/none-of-ours")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn the_same_idempotency_key_is_one_request() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let submit = async |body: Value| {
        let request =
            world.client.post(world.app("/api/sync-requests")).header("Idempotency-Key", "release-42");
        let answer = request.json(&body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (_, first) = submit(json!({"namespaceId": namespace})).await;
    let (status, again) = submit(json!({"namespaceId": namespace})).await;
    assert_eq!((status, &again["requestId"]), (StatusCode::ACCEPTED, &first["requestId"]));
    let (status, other) = submit(json!({"namespaceId": namespace, "reason": "another wish"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{other}");
    world.stop().await;
}

#[tokio::test]
async fn garbage_at_the_handlers_own_door_is_refused_and_the_next_invocation_works() {
    let world = World::default().await;
    let door = world.handler_url();
    let post = async |path: &str, body: &'static str| {
        let request = world
            .client
            .post(format!("{door}{path}"))
            .header("X-Azure-Functions-InvocationId", "garbage")
            .header("Content-Type", "application/json; charset=utf-8");
        let answer = request.body(body).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let (status, body) = post("/no-such-function", r#"{"Data":{},"Metadata":{}}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("sync-policies"), "it says what there is: {body}");
    for body in ["", "{", "[]", "null", r#"{"Data":7}"#] {
        let (status, answer) = post("/sync-policies", body).await;
        assert!(status.is_client_error() || status.is_server_error(), "{body}: {status} {answer}");
        assert!(!answer.is_empty());
    }
    world.fire("report-policy-status").await;
    world.stop().await;
}

#[tokio::test]
async fn a_message_that_does_not_fit_when_it_is_parked_harms_no_neighbour() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await;
    // Each quotation mark takes two bytes once it is written as JSON.
    send(&world, &"\"".repeat(200 * 1024)).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    assert_eq!(world.outcome(&id).await["outcome"], "already-trusted");
    let parked = world
        .until("the message is parked", async || {
            let messages = world.get(&world.azure("/simulator/queues/sync-requests-parked/messages")).await;
            messages.as_array().unwrap().first().cloned()
        })
        .await;
    assert!(parked.to_string().contains("wholeBody"), "it says where the whole body is: {parked}");
    let queues = world.get(&world.azure("/simulator/queues")).await;
    assert_eq!(queues["sync-requests"]["deadLettered"], 0, "{queues}");
    world.stop().await;
}

#[tokio::test]
async fn a_submission_that_would_not_fit_into_a_message_is_refused_at_once() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let body = json!({"namespaceId": namespace, "ticket": "x".repeat(300 * 1024)});
    let answer = world.post(&world.app("/api/sync-requests"), &body).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["fields"][0]["field"], "body", "{answer}");
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}
