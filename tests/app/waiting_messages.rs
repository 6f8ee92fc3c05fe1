//! Messages that wait for a person are on the page and in the JSON, until a person has dealt with them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::operator::{policysync, told};
use crate::world::World;

const SAS: &str = "SharedAccessSignature sr=x&sig=eA%3D%3D&se=4102444800&skn=n";

async fn send(world: &World, id: &str, body: &str) {
    let url = world.azure("/servicebus/sync-requests/messages");
    let request = world.client.post(url).header("Authorization", SAS).body(body.to_owned());
    let sent = request.header("BrokerProperties", json!({"MessageId": id}).to_string()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
}

async fn until_parked(world: &World, count: usize) {
    let queue = world.azure("/simulator/queues/sync-requests-parked/messages");
    let is_there = async || (world.get(&queue).await.as_array().unwrap().len() == count).then_some(());
    world.until("the messages are parked", is_there).await;
}

/// What the report tells, as JSON and as a page.
async fn reported(world: &World) -> (Value, String) {
    world.fire("report-policy-status").await;
    let report = world.get(&world.app("/api/policy-status")).await;
    let page = world.client.get(world.app("/api/policy-status")).header("Accept", "text/html");
    (report["waiting"].clone(), page.send().await.unwrap().text().await.unwrap())
}

#[tokio::test]
async fn a_parked_message_is_on_the_page_until_a_person_has_discarded_it() {
    let world = World::default().await;
    let (waiting, page) = reported(&world).await;
    assert_eq!(
        waiting,
        json!({"parked": 0, "isCut": false, "listed": [], "deadLetters": {"count": 0, "isCut": false}})
    );
    assert!(!page.contains("id=\"parked\""), "{page}");
    send(&world, "order-7", "not json").await;
    send(&world, "order-8", "{\"schema\":\"sync-request/v9\"}").await;
    until_parked(&world, 2).await;
    let (waiting, page) = reported(&world).await;
    assert_eq!(waiting["parked"], 2);
    let listed = waiting["listed"].as_array().unwrap();
    let of = |id: &str| listed.iter().find(|message| message["id"] == id).unwrap();
    assert_eq!(of("order-7")["reason"], "message-not-json");
    assert!(of("order-8")["since"].is_string());
    for words in ["id=\"parked\"", "order-7", "message-unknown-schema", "policysync parked resubmit ID"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // It counts no delivery, so no message goes from the queue because a report looks.
    for _ in 0..12 {
        world.fire("report-policy-status").await;
    }
    until_parked(&world, 2).await;

    let output = policysync(&world, &["parked", "discard", "order-7"], &[]).await;
    assert!(output.status.success(), "{}", told(&output));
    let (waiting, page) = reported(&world).await;
    assert_eq!((&waiting["parked"], &waiting["listed"][0]["id"]), (&json!(1), &json!("order-8")));
    assert!(!page.contains("order-7"), "{page}");
    world.stop().await;
}

#[tokio::test]
async fn dead_letters_are_counted_and_stay_what_they_are() {
    let world = World::with_settings(&[("AzureWebJobs.sync-policies.Disabled", "true")]).await;
    for id in ["order-1", "order-2", "order-3"] {
        send(&world, id, "{}").await;
    }
    let head = world.azure("/servicebus/sync-requests/messages/head?timeout=0");
    loop {
        let lock = world.client.post(&head).header("Authorization", SAS).send().await.unwrap();
        if lock.status() == StatusCode::NO_CONTENT {
            break;
        }
        let properties: Value =
            serde_json::from_str(lock.headers()["brokerproperties"].to_str().unwrap()).unwrap();
        let (number, token) = (&properties["SequenceNumber"], properties["LockToken"].as_str().unwrap());
        let address = world.azure(&format!("/servicebus/sync-requests/messages/{number}/{token}"));
        world.client.put(address).header("Authorization", SAS).send().await.unwrap();
    }
    for _ in 0..12 {
        let (waiting, page) = reported(&world).await;
        assert_eq!(waiting["deadLetters"], json!({"count": 3, "isCut": false}));
        assert!(page.contains("3 messages were delivered in vain too often"), "{page}");
    }
    let output = policysync(&world, &["parked", "list"], &[]).await;
    assert!(output.status.success() && told(&output).contains("order-2"), "{}", told(&output));
    world.stop().await;
}

/// Without the right to receive, the report says that it does not know.
#[tokio::test]
async fn dead_letters_that_cannot_be_counted_are_not_none() {
    let world = World::default().await;
    let refusal = json!({"faults": [{"method": "POST", "path": "/servicebus/sync-requests/$deadletterqueue/**", "status": 401,
        "times": 1000}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&refusal).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    let (waiting, page) = reported(&world).await;
    assert_eq!(waiting["deadLetters"], Value::Null);
    assert!(page.contains("could not be learnt"), "{page}");
    world.stop().await;
}
