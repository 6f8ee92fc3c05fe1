//! `policysync parked` over dead letters and over messages that are kept in the records: it shows where each waits, and
//! a person sends it again or throws it away.

use ambient::Randomness;
use reqwest::StatusCode;
use serde_json::{Value, json};
use state::{BlobSettings, Store};

use crate::operator::{document, policysync, told};
use crate::world::World;

const SAS: &str = "SharedAccessSignature sr=x&sig=eA%3D%3D&se=4102444800&skn=n";
const REQUESTS: &str = "sync-requests";
const PARKED: &str = "sync-requests-parked";

/// A world in which no function takes a message, so that a message stays where a test has put it.
async fn world() -> World {
    World::with_settings(&[("AzureWebJobs.sync-policies.Disabled", "true")]).await
}

/// The records that the app and the commands share.
fn records(world: &World) -> Store {
    let text =
        format!("BlobEndpoint={};AccountName=storage;AccountKey=c2ltdWxhdG9y", world.azure("/storage"));
    let settings = BlobSettings::from_connection_string(&text, "policysync").unwrap();
    Store::open(settings, Randomness::of_system()).unwrap()
}

async fn send(world: &World, queue: &str, id: Option<&str>, body: &[u8]) {
    let url = world.azure(&format!("/servicebus/{queue}/messages"));
    let mut request = world.client.post(url).header("Authorization", SAS).body(body.to_vec());
    if let Some(id) = id {
        let properties = json!({"MessageId": id}).to_string();
        let ascii: String = properties
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect();
        request = request.header("BrokerProperties", ascii);
    }
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
}

/// Delivers the messages of a queue in vain, as often as the queue allows.
async fn deliver_in_vain(world: &World, queue: &str) {
    loop {
        let head = world.azure(&format!("/servicebus/{queue}/messages/head?timeout=0"));
        let lock = world.client.post(head).header("Authorization", SAS).send().await.unwrap();
        if lock.status() == StatusCode::NO_CONTENT {
            break;
        }
        let properties: Value =
            serde_json::from_str(lock.headers()["brokerproperties"].to_str().unwrap()).unwrap();
        let (number, token) = (&properties["SequenceNumber"], properties["LockToken"].as_str().unwrap());
        let address = world.azure(&format!("/servicebus/{queue}/messages/{number}/{token}"));
        let given_back = world.client.put(address).header("Authorization", SAS).send().await.unwrap();
        assert_eq!(given_back.status(), StatusCode::OK);
    }
}

async fn on_queue(world: &World, queue: &str, state: &str) -> Vec<Value> {
    let messages = world.get(&world.azure(&format!("/simulator/queues/{queue}/messages"))).await;
    messages.as_array().unwrap().iter().filter(|message| message["state"] == state).cloned().collect()
}

async fn listed(world: &World) -> Vec<Value> {
    let output = policysync(world, &["parked", "list", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let document = document(&output);
    assert_eq!(document["schema"], "parked-messages/v1");
    document["messages"].as_array().unwrap().clone()
}

fn envelope(id: &str, body: &str) -> Value {
    json!({"schema": "parked-message/v1", "messageId": id, "reason": "message-not-json", "detail": "no JSON object",
        "parkedAt": "2026-11-29T08:00:00Z", "body": body, "wholeBody": null})
}

async fn run(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let output = policysync(world, arguments, &[]).await;
    (output.status.code(), told(&output))
}

#[tokio::test]
async fn each_message_is_shown_with_where_it_waits_and_is_sent_again_before_it_is_removed() {
    let world = world().await;
    let request = json!({"schema": "sync-request/v1", "requestId": "order-1",
        "namespaceId": world.namespace("contoso-plants").await["id"]})
    .to_string();
    send(&world, REQUESTS, Some("order-1"), request.as_bytes()).await;
    deliver_in_vain(&world, REQUESTS).await;
    send(&world, PARKED, Some("order-2"), envelope("order-2", "not json").to_string().as_bytes()).await;
    let store = records(&world);
    store.put("parked-envelopes/01", &envelope("order-3", "kept").to_string()).await.unwrap();
    store.put("parked-envelopes/02", &envelope("order-4", "kept too")).await.unwrap();

    let list = listed(&world).await;
    let seen: Vec<(&str, &str)> = list
        .iter()
        .map(|message| (message["id"].as_str().unwrap(), message["place"].as_str().unwrap()))
        .collect();
    let expected =
        [("order-2", "parked"), ("order-1", "dead-letter"), ("order-3", "kept"), ("order-4", "kept")];
    assert_eq!(seen, expected);
    assert_eq!(list[1]["deadLetterReason"], "MaxDeliveryCountExceeded");
    assert_eq!(list[1]["deliveryCount"], 11);
    assert_eq!(list[2]["record"], "parked-envelopes/01");
    let (code, table) = run(&world, &["parked", "list"]).await;
    assert_eq!(code, Some(0), "{table}");
    for words in ["dead letter, 12 deliveries", "MaxDeliveryCountExceeded", "kept in the records", "kept too"]
    {
        assert!(table.contains(words), "`{words}` is missing in:\n{table}");
    }

    for (id, body) in [("order-1", request.as_str()), ("order-3", "kept"), ("order-4", "kept too")] {
        let (code, told) = run(&world, &["parked", "resubmit", id]).await;
        assert_eq!(code, Some(0), "{told}");
        let active = on_queue(&world, REQUESTS, "active").await;
        let again = active.iter().find(|message| message["body"] == body).unwrap();
        // A new id, since the queue has seen the old one and would drop the message.
        assert!(again["messageId"].as_str().unwrap().starts_with(&format!("{id}~")), "{again}");
    }
    assert_eq!(on_queue(&world, REQUESTS, "dead-lettered").await, Vec::<Value>::new());
    assert_eq!(store.list("parked-envelopes").await.unwrap().keys, Vec::<String>::new());
    assert_eq!(listed(&world).await.len(), 1);
    // It sends the message before it completes the old one: a kill in between leaves two messages and never none.
    let log = world.get(&world.azure("/simulator/log")).await;
    let position = |method: &str, part: &str| {
        let entries = log.as_array().unwrap().iter();
        let is = |entry: &&Value| entry["method"] == method && entry["path"].as_str().unwrap().contains(part);
        entries.enumerate().filter(|(_, entry)| is(entry)).map(|(at, _)| at).next_back().unwrap()
    };
    let completed = position("DELETE", "/sync-requests/$deadletterqueue/messages/order-1/");
    let sends = log.as_array().unwrap()[..completed].iter();
    let sent =
        |entry: &&Value| entry["method"] == "POST" && entry["path"] == "/servicebus/sync-requests/messages";
    assert_eq!(sends.filter(sent).count(), 2, "the first send and the second before the completion");
    world.stop().await;
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_sent_again_stays_where_it_is() {
    let world = world().await;
    send(&world, REQUESTS, Some("order-1"), b"{}").await;
    send(&world, REQUESTS, Some("order-2"), b"\xff\xfe\x00 of another program").await;
    deliver_in_vain(&world, REQUESTS).await;
    let refusal =
        json!({"faults": [{"method": "POST", "path": "/servicebus/sync-requests/messages", "status": 403}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&refusal).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    let (code, told) = run(&world, &["parked", "resubmit", "order-1"]).await;
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(on_queue(&world, REQUESTS, "dead-lettered").await.len(), 2);
    world.client.delete(world.azure("/simulator/faults")).send().await.unwrap();
    // As text it would be another message.
    let (code, told) = run(&world, &["parked", "resubmit", "order-2"]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("resubmit order-2 --file") && told.contains("discard order-2"), "{told}");
    assert_eq!(on_queue(&world, REQUESTS, "active").await, Vec::<Value>::new());
    assert_eq!(listed(&world).await.len(), 2);
    for id in ["order-1", "order-2"] {
        assert_eq!(run(&world, &["parked", "discard", id]).await.0, Some(0));
    }
    assert_eq!(listed(&world).await, Vec::<Value>::new());
    world.stop().await;
}

#[tokio::test]
async fn whatever_ids_and_bodies_they_have_each_is_listed_and_discarded_and_no_terminal_obeys_them() {
    let world = world().await;
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\r\n\u{7}owned";
    let large = format!("\"{}\"", "\\\"".repeat(100 * 1024));
    send(&world, REQUESTS, Some(""), b"no id").await;
    send(&world, REQUESTS, Some(".."), b"dots").await;
    send(&world, REQUESTS, Some(hostile), hostile.as_bytes()).await;
    send(&world, REQUESTS, Some("--help"), b"an option").await;
    send(&world, REQUESTS, Some("large"), large.as_bytes()).await;
    send(&world, REQUESTS, Some("twice"), b"first").await;
    deliver_in_vain(&world, REQUESTS).await;
    send(&world, PARKED, Some("a"), envelope("twice", "second").to_string().as_bytes()).await;
    send(&world, PARKED, Some("b"), envelope(hostile, hostile).to_string().as_bytes()).await;
    records(&world).put("parked-envelopes/01", &json!({"schema": "other"})).await.unwrap();

    let list = listed(&world).await;
    assert_eq!(list.len(), 9, "{list:?}");
    let ids: Vec<String> = list.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect();
    let mut different = ids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 9, "{ids:?}");
    assert!(!ids.contains(&"twice".to_owned()) && ids.contains(&"large".to_owned()), "{ids:?}");
    for output in ["table", "json"] {
        let output = policysync(&world, &["parked", "list", "--output", output], &[]).await;
        let text = told(&output);
        let obeyed = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().find(obeyed), None, "{text:?}");
        assert!(text.chars().count() < 20_000, "it is {} characters long", text.chars().count());
    }
    let (code, told) = run(&world, &["parked", "discard", "dead-letter/"]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("dead-letter/1"), "{told}");
    let (code, told) = run(&world, &["parked", "resubmit", "large"]).await;
    assert_eq!(code, Some(0), "{told}");
    let active = on_queue(&world, REQUESTS, "active").await;
    assert_eq!(active[0]["body"], large.as_str());
    // A message that was looked at often gets a new number in its queue, so the test looks up the ids each time.
    while let Some(message) = listed(&world).await.first() {
        let id = message["id"].as_str().unwrap();
        let (code, told) = run(&world, &["parked", "discard", id]).await;
        assert_eq!(code, Some(0), "{id}: {told}");
    }
    assert_eq!(on_queue(&world, REQUESTS, "dead-lettered").await, Vec::<Value>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_body_that_was_too_large_to_be_parked_is_sent_whole_from_the_records() {
    let world = world().await;
    let whole = "\"".repeat(200 * 1024);
    let quoting = |id: &str, at: &str| {
        let mut envelope = envelope(id, &whole[..1000]);
        envelope["wholeBody"] = json!(at);
        envelope.to_string()
    };
    send(&world, PARKED, None, quoting("order-1", "parked/01").as_bytes()).await;
    send(&world, PARKED, None, quoting("order-2", "parked/02").as_bytes()).await;
    send(&world, PARKED, None, quoting("order-3", "requests/secret").as_bytes()).await;
    let store = records(&world);
    store.put("parked/01", &whole).await.unwrap();
    store.put("requests/secret", &"not a body").await.unwrap();
    let (code, told) = run(&world, &["parked", "resubmit", "order-1"]).await;
    assert_eq!(code, Some(0), "{told}");
    let active = on_queue(&world, REQUESTS, "active").await;
    assert_eq!((active.len(), active[0]["body"].as_str()), (1, Some(whole.as_str())));
    for id in ["order-2", "order-3"] {
        let (code, told) = run(&world, &["parked", "resubmit", id]).await;
        assert_eq!(code, Some(1));
        assert!(told.contains("there is no record"), "{told}");
    }
    assert_eq!((on_queue(&world, REQUESTS, "active").await.len(), listed(&world).await.len()), (1, 2));
    world.stop().await;
}

#[tokio::test]
async fn a_place_that_cannot_be_looked_at_is_told_and_the_others_are_shown() {
    let world = world().await;
    send(&world, REQUESTS, Some("order-1"), b"{}").await;
    deliver_in_vain(&world, REQUESTS).await;
    let forbidden = json!({"faults": [{"method": "GET", "path": "/storage/**", "status": 403}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&forbidden).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    let (code, told) = run(&world, &["parked", "list"]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("order-1") && told.contains("records: "), "{told}");
    // A message that was not seen could have an id with the same beginning.
    let (code, told) = run(&world, &["parked", "discard", "order"]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("order-1") && told.contains("there may be others"), "{told}");
    assert_eq!(run(&world, &["parked", "discard", "order-1"]).await.0, Some(0));
    // Without the setting the command looks at the queues only, and says so.
    let none = [("AzureWebJobsStorage", ""), ("POLICYSYNC_STATE", "memory")];
    let output = policysync(&world, &["parked", "list"], &none).await;
    let told = crate::operator::told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("Nothing is parked.") && told.contains("the records were not looked at"), "{told}");
    world.stop().await;
}
