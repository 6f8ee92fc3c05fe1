//! `policysync parked`: no message that cannot be parsed is lost, and a person decides what becomes of it.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::operator::{document, policysync, told};
use crate::world::World;

const SAS: &str = "SharedAccessSignature sr=x&sig=eA%3D%3D&se=4102444800&skn=n";

/// Puts a message on a queue, as another program would.
async fn send(world: &World, queue: &str, id: Option<&str>, body: Vec<u8>) {
    let url = world.azure(&format!("/servicebus/{queue}/messages"));
    let mut request = world.client.post(url).header("Authorization", SAS).body(body);
    if let Some(id) = id {
        request = request.header("BrokerProperties", json!({"MessageId": id}).to_string());
    }
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
}

async fn on_shelf(world: &World) -> Vec<Value> {
    let messages = world.get(&world.azure("/simulator/queues/sync-requests-parked/messages")).await;
    messages.as_array().unwrap().clone()
}

async fn until_parked(world: &World, count: usize) {
    world
        .until("the messages are parked", async || (on_shelf(world).await.len() == count).then_some(()))
        .await;
}

async fn listed(world: &World) -> Vec<Value> {
    let output = policysync(world, &["parked", "list", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let document = document(&output);
    assert_eq!(document["schema"], "parked-messages/v1");
    document["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_that_is_not_json_is_listed_resubmitted_and_discarded() {
    let world = World::default().await;
    let output = policysync(&world, &["parked", "list"], &[]).await;
    assert_eq!((output.status.code(), told(&output).as_str()), (Some(0), "Nothing is parked.\n"));
    assert_eq!(listed(&world).await, Vec::<Value>::new());

    send(&world, "sync-requests", Some("order-7"), b"not json".to_vec()).await;
    send(&world, "sync-requests", Some("order-8"), b"{\"schema\":\"sync-request/v9\"}".to_vec()).await;
    until_parked(&world, 2).await;
    let list = listed(&world).await;
    let of = |list: &[Value], id: &str| list.iter().find(|message| message["id"] == id).cloned();
    let found = of(&list, "order-7").unwrap();
    assert_eq!(
        (found["reason"].as_str(), found["body"].as_str()),
        (Some("message-not-json"), Some("not json"))
    );
    assert!(found["parkedAt"].is_string() && found["detail"].is_string(), "{found}");
    let output = policysync(&world, &["parked", "list"], &[]).await;
    for expected in ["order-7", "message-not-json", "not json", "order-8", "message-unknown-schema"] {
        assert!(told(&output).contains(expected), "`{expected}` is missing in:\n{}", told(&output));
    }
    assert!(told(&output).contains("policysync parked resubmit ID --edit"), "{}", told(&output));

    for wrong in [&["parked", "discard", "order-"][..], &["parked", "resubmit", "none"]] {
        let output = policysync(&world, wrong, &[]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            told(&output).contains("order-8") || told(&output).contains("parked list"),
            "{}",
            told(&output)
        );
    }

    // The queue does not drop the message as a duplicate of itself: the function gets it, and parks it once more.
    let output = policysync(&world, &["parked", "resubmit", "order-7"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let list = world
        .until("the message is parked again", async || {
            let list = listed(&world).await;
            let again = list.iter().any(|message| message["id"].as_str().unwrap().starts_with("order-7~"));
            again.then_some(list)
        })
        .await;
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(of(&list, "order-7").is_none(), "the old one is gone: {list:?}");
    let again = list.iter().find(|message| message["id"].as_str().unwrap().starts_with("order-7~")).unwrap();
    assert_eq!(again["body"], "not json");

    for beginning in ["order-7", "order-8"] {
        let output = policysync(&world, &["parked", "discard", beginning, "--output", "json"], &[]).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(document(&output)["done"], "discarded");
    }
    assert_eq!(on_shelf(&world).await, Vec::<Value>::new());
    world.stop().await;
}

#[tokio::test]
async fn looking_often_never_makes_a_dead_letter() {
    let world = World::default().await;
    send(&world, "sync-requests", Some("order-7"), b"not json".to_vec()).await;
    until_parked(&world, 1).await;
    // Others have looked at the message too: four deliveries.
    for _ in 0..4 {
        let head = world.azure("/servicebus/sync-requests-parked/messages/head?timeout=5");
        let lock = world.client.post(head).header("Authorization", SAS).send().await.unwrap();
        let address = lock.headers()["location"].to_str().unwrap().to_owned();
        let given_back = world.client.put(address).header("Authorization", SAS).send().await.unwrap();
        assert_eq!(given_back.status(), StatusCode::OK);
    }
    let before = on_shelf(&world).await;
    assert_eq!(before[0]["deliveryCount"], 4, "{before:?}");
    assert_eq!(listed(&world).await[0]["id"], "order-7");
    let after = on_shelf(&world).await;
    assert_eq!((after.len(), after[0]["deliveryCount"].as_u64()), (1, Some(0)), "a fresh copy: {after:?}");
    assert_eq!((&after[0]["body"], &after[0]["subject"]), (&before[0]["body"], &before[0]["subject"]));
    let list = listed(&world).await;
    assert_eq!((list[0]["id"].as_str(), list[0]["deliveryCount"].as_u64()), (Some("order-7"), Some(1)));
    assert_eq!(world.get(&world.azure("/simulator/queues")).await["sync-requests-parked"]["deadLettered"], 0);
    world.stop().await;
}

#[tokio::test]
async fn whatever_lies_on_the_queue_can_be_listed_and_discarded() {
    let world = World::default().await;
    for body in [&b"\xff\xfe of another program"[..], b"{\"schema\":\"parked-message/v1\"}", b""] {
        send(&world, "sync-requests-parked", None, body.to_vec()).await;
    }
    let list = listed(&world).await;
    assert_eq!(list.len(), 3, "{list:?}");
    for message in &list {
        assert_eq!(message["id"], format!("parked/{}", message["sequenceNumber"]));
        assert!(message["detail"].as_str().unwrap().contains("not parked by Policysync"), "{message}");
        let output = policysync(&world, &["parked", "discard", message["id"].as_str().unwrap()], &[]).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    }
    assert_eq!(on_shelf(&world).await, Vec::<Value>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_named() {
    let world = World::default().await;
    let output =
        policysync(&world, &["parked", "list"], &[("POLICYSYNC_PARKED_QUEUE", "no-such-queue")]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("no-such-queue"), "{}", told(&output));
    let output = policysync(&world, &["parked", "discard", ""], &[]).await;
    assert_eq!(output.status.code(), Some(64));
    world.stop().await;
}

#[tokio::test]
async fn another_text_is_sent_in_the_place_of_a_parked_one() {
    let world = World::default().await;
    let id = world.namespace("contoso-plants").await["id"].as_str().unwrap().to_owned();
    let right = |request: &str| {
        json!({"schema": "sync-request/v1", "requestId": request, "namespaceId": id}).to_string()
    };
    send(&world, "sync-requests", Some("order-1"), b"not json".to_vec()).await;
    send(&world, "sync-requests", Some("order-2"), b"{\"schema\":\"sync-request/v1\"}".to_vec()).await;
    until_parked(&world, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();

    // What would be parked again is not sent, and the message stays.
    std::fs::write(at("wrong.json"), "{\"schema\":\"sync-request/v1\"}").unwrap();
    let output =
        policysync(&world, &["parked", "resubmit", "order-1", "--file", &at("wrong.json")], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("parked again") && told(&output).contains("requestId"),
        "{}",
        told(&output)
    );
    let output =
        policysync(&world, &["parked", "resubmit", "order-1", "--file", &at("none.json")], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("cannot read"), "{}", told(&output));
    let output =
        policysync(&world, &["parked", "resubmit", "order-2", "--edit"], &[("EDITOR", "false")]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("nothing was sent"), "{}", told(&output));
    let both = ["parked", "resubmit", "order-1", "--edit", "--file", "x"];
    assert_eq!(policysync(&world, &both, &[]).await.status.code(), Some(64));
    assert_eq!(listed(&world).await.len(), 2);

    std::fs::write(at("right.json"), right("corrected-1")).unwrap();
    let output =
        policysync(&world, &["parked", "resubmit", "order-1", "--file", &at("right.json")], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // An editor with an option, that a shell has to take apart.
    std::fs::write(at("edited.json"), right("corrected-2")).unwrap();
    let editor = format!("cp -f {}", at("edited.json"));
    let output =
        policysync(&world, &["parked", "resubmit", "order-2", "--edit"], &[("EDITOR", &editor)]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    for request in ["corrected-1", "corrected-2"] {
        let address = world.app(&format!("/api/sync-requests/{request}"));
        world
            .until("the request is known", async || {
                world.client.get(&address).send().await.ok().filter(|answer| answer.status().is_success())
            })
            .await;
    }
    assert_eq!(listed(&world).await, Vec::<Value>::new());
    world.stop().await;
}
