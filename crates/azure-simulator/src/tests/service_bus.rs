//! Service Bus over REST and as a source of the Functions host stand-in.

use std::collections::HashSet;
use std::time::Instant;

use serde_json::json;
use time::format_description::well_known::Rfc2822;

use super::*;

const QUEUE: &str = "/servicebus/sync-requests/messages";
const HEAD: &str = "/servicebus/sync-requests/messages/head?timeout=0";
const DEAD: &str = "/servicebus/sync-requests/$deadletterqueue/messages/head?timeout=0";

impl Caller {
    async fn send(&self, properties: &Value, body: &str) -> StatusCode {
        let request = self.request(Method::POST, QUEUE).header("BrokerProperties", properties.to_string());
        request.body(body.to_owned()).send().await.unwrap().status()
    }

    async fn peek_lock(&self, path: &str) -> Response {
        self.request(Method::POST, path).send().await.unwrap()
    }

    async fn at(&self, method: Method, address: &str) -> StatusCode {
        let request = self.client.request(method, address).header("authorization", signature(600));
        request.send().await.unwrap().status()
    }

    async fn counts(&self) -> Value {
        self.json("/simulator/queues").await["sync-requests"].clone()
    }
}

fn broker(answer: &Response) -> Value {
    serde_json::from_str(&header(answer, "brokerproperties").unwrap()).unwrap()
}

#[tokio::test]
async fn a_message_is_sent_locked_renewed_unlocked_and_completed() {
    let cloud = Caller::start().await;
    let sent = cloud
        .request(Method::POST, QUEUE)
        .header("content-type", "application/json")
        .header("BrokerProperties", r#"{"MessageId":"m/1","Label":"sync","CorrelationId":"c"}"#)
        .header("kind", "\"größer\"".to_owned().replace("ö", "\\u00f6").replace("ß", "\\u00df"))
        .header("attempt", "2")
        .body(r#"{"schema":"sync-request/v1"}"#);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::CREATED);

    let locked = cloud.peek_lock(HEAD).await;
    assert_eq!(locked.status(), StatusCode::CREATED);
    let properties = broker(&locked);
    assert_eq!(properties["MessageId"], "m/1");
    assert_eq!(properties["Label"], "sync");
    assert_eq!(properties["DeliveryCount"], 1);
    assert_eq!(properties["State"], "Active");
    assert_eq!(properties["SequenceNumber"], 1);
    assert!(OffsetDateTime::parse(properties["LockedUntilUtc"].as_str().unwrap(), &Rfc2822).is_ok());
    assert!(OffsetDateTime::parse(properties["EnqueuedTimeUtc"].as_str().unwrap(), &Rfc2822).is_ok());
    assert_eq!(header(&locked, "content-type").unwrap(), "application/json");
    assert_eq!(header(&locked, "kind").unwrap(), r#""gr\u00f6\u00dfer""#);
    assert_eq!(header(&locked, "attempt").unwrap(), "2");
    let address = header(&locked, "location").unwrap();
    let token = properties["LockToken"].as_str().unwrap();
    assert_eq!(address, format!("{}{QUEUE}/m%2F1/{token}", cloud.simulator.url()));
    assert_eq!(locked.text().await.unwrap(), r#"{"schema":"sync-request/v1"}"#);

    assert_eq!(cloud.peek_lock(HEAD).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(cloud.at(Method::POST, &address).await, StatusCode::OK, "renew");
    assert_eq!(cloud.at(Method::PUT, &address).await, StatusCode::OK, "unlock");
    assert_eq!(cloud.at(Method::DELETE, &address).await, StatusCode::NOT_FOUND, "the lock is gone");
    let again = cloud.peek_lock(HEAD).await;
    assert_eq!(broker(&again)["DeliveryCount"], 2);
    assert_eq!(cloud.at(Method::DELETE, &header(&again, "location").unwrap()).await, StatusCode::OK);
    assert_eq!(cloud.counts().await, json!({"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 0}));
}

#[tokio::test]
async fn a_destructive_read_removes_the_message() {
    let cloud = Caller::start().await;
    cloud.send(&json!({}), "gone").await;
    let read = cloud.request(Method::DELETE, HEAD).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK);
    assert_eq!(read.text().await.unwrap(), "gone");
    let empty = cloud.request(Method::DELETE, HEAD).send().await.unwrap();
    assert_eq!(empty.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let cloud = Caller::start().await;
    let batch = |body: Value| {
        let request = cloud.request(Method::POST, QUEUE);
        request
            .header("content-type", "application/vnd.microsoft.servicebus.json")
            .body(body.to_string())
            .send()
    };
    let broken = batch(json!([{"Body": "a"}, {"Body": 2}])).await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert_eq!(cloud.counts().await["active"], 0);
    let good =
        batch(json!([{"Body": "a", "BrokerProperties": {"MessageId": "1"}}, {"Body": "b"}])).await.unwrap();
    assert_eq!(good.status(), StatusCode::CREATED);
    assert_eq!(cloud.counts().await["active"], 2);
}

#[tokio::test]
async fn a_duplicate_is_accepted_and_dropped() {
    let cloud = Caller::start().await;
    let id = json!({"MessageId": "same"});
    assert_eq!(cloud.send(&id, "first").await, StatusCode::CREATED);
    assert_eq!(cloud.send(&id, "second").await, StatusCode::CREATED);
    assert_eq!(cloud.counts().await["active"], 1);
    cloud.simulator.advance(time::Duration::minutes(10));
    assert_eq!(cloud.send(&id, "third").await, StatusCode::CREATED);
    assert_eq!(cloud.counts().await["active"], 2);
}

#[tokio::test]
async fn after_ten_deliveries_a_message_is_a_dead_letter() {
    let cloud = Caller::start().await;
    cloud.send(&json!({"MessageId": "poison"}), "{").await;
    for _ in 0..10 {
        let locked = cloud.peek_lock(HEAD).await;
        assert_eq!(locked.status(), StatusCode::CREATED);
        assert_eq!(cloud.at(Method::PUT, &header(&locked, "location").unwrap()).await, StatusCode::OK);
    }
    assert_eq!(cloud.peek_lock(HEAD).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(cloud.counts().await["deadLettered"], 1);
    let dead = cloud.peek_lock(DEAD).await;
    assert_eq!(header(&dead, "deadletterreason").unwrap(), r#""MaxDeliveryCountExceeded""#);
    assert!(header(&dead, "deadlettererrordescription").unwrap().contains("10 delivery attempts"));
    let properties = broker(&dead);
    assert_eq!((&properties["MessageId"], &properties["DeliveryCount"]), (&json!("poison"), &json!(11)));
    let address = header(&dead, "location").unwrap();
    assert!(address.contains("/sync-requests/$deadletterqueue/messages/poison/"), "{address}");
    let elsewhere = address.replace("/$deadletterqueue", "");
    assert_eq!(cloud.at(Method::DELETE, &elsewhere).await, StatusCode::NOT_FOUND, "another half");
    assert_eq!(cloud.peek_lock(DEAD).await.status(), StatusCode::NO_CONTENT, "it is locked");
    assert_eq!(cloud.at(Method::PUT, &address).await, StatusCode::OK, "unlocked");
    let to_dead = DEAD.replace("/head?timeout=0", "");
    let refused = cloud.request(Method::POST, &to_dead).body("x").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "only the broker puts messages there");
    // The number of the message works as well as its id, as the reference says of
    // `messages/{messageId|sequenceNumber}`.
    let dead = cloud.peek_lock(DEAD).await;
    let properties = broker(&dead);
    let (number, token) = (&properties["SequenceNumber"], properties["LockToken"].as_str().unwrap());
    let address = format!("{}{to_dead}/{number}/{token}", cloud.simulator.url());
    assert_eq!(cloud.at(Method::POST, &address).await, StatusCode::OK, "renewed");
    assert_eq!(cloud.at(Method::DELETE, &address).await, StatusCode::OK);
    assert_eq!(cloud.counts().await["deadLettered"], 0);
}

#[tokio::test]
async fn a_scheduled_message_comes_when_the_clock_was_pushed_past_it() {
    let cloud = Caller::start().await;
    cloud.simulator.advance(time::Duration::hours(5));
    // The sender runs on real time: to it, this is in ten minutes.
    let due = (OffsetDateTime::now_utc() + time::Duration::minutes(10)).format(&Rfc2822).unwrap();
    cloud.send(&json!({"ScheduledEnqueueTimeUtc": due, "MessageId": "later"}), "{}").await;
    assert_eq!(cloud.counts().await["scheduled"], 1);
    assert_eq!(
        cloud.peek_lock(HEAD).await.status(),
        StatusCode::NO_CONTENT,
        "five hours ahead is not ten minutes later"
    );

    let waiting = cloud.request(Method::POST, "/servicebus/sync-requests/messages/head?timeout=25").send();
    let started = Instant::now();
    let push = async {
        until(|| cloud.simulator.log().entries().iter().any(|entry| entry.query == "timeout=25")).await;
        cloud.post("/simulator/clock", &json!({"advanceSeconds": 600})).await
    };
    let (received, pushed) = tokio::join!(waiting, push);
    assert_eq!(pushed.status(), StatusCode::OK);
    let received = received.unwrap();
    assert_eq!(received.status(), StatusCode::CREATED);
    assert_eq!(broker(&received)["MessageId"], "later");
    assert!(started.elapsed() < Duration::from_secs(10), "woken by the clock, not by its timeout");
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_by_a_message() {
    let cloud = Caller::start().await;
    let queues = cloud.simulator.queues();
    let started = Instant::now();
    let wait = Duration::from_secs(20);
    let properties = json!({});
    let (received, status) =
        tokio::join!(queues.receive("sync-requests", 10, wait), cloud.send(&properties, "{}"));
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(received.len(), 1);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(queues.abandon("sync-requests", &received[0].lock_token).await);
    let again = queues.receive("Sync-Requests", 10, Duration::ZERO).await;
    assert_eq!(again[0].delivery_count, 2);
    assert!(queues.complete("sync-requests", &again[0].lock_token).await);
    assert!(!queues.complete("sync-requests", &again[0].lock_token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_receivers_hold_one_message() {
    const MESSAGES: usize = 200;
    let cloud = Caller::start().await;
    for index in 0..MESSAGES {
        cloud.send(&json!({"MessageId": index.to_string()}), "{}").await;
    }
    let receivers = (0..8).map(|receiver| {
        let queues = cloud.simulator.queues();
        let (client, url) = (client(), format!("{}{HEAD}", cloud.simulator.url()));
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                if receiver % 2 == 0 {
                    let batch = queues.receive("sync-requests", 7, Duration::ZERO).await;
                    if batch.is_empty() {
                        return mine;
                    }
                    mine.extend(batch.into_iter().map(|message| message.message_id));
                } else {
                    let answer =
                        client.post(&url).header("authorization", signature(60)).send().await.unwrap();
                    if answer.status() == StatusCode::NO_CONTENT {
                        return mine;
                    }
                    mine.push(broker(&answer)["MessageId"].as_str().unwrap().to_owned());
                }
            }
        })
    });
    let mut all = Vec::new();
    for receiver in receivers.collect::<Vec<_>>() {
        all.extend(receiver.await.unwrap());
    }
    assert_eq!(all.len(), MESSAGES);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
}

#[tokio::test]
async fn a_lock_that_ran_out_is_lost() {
    let cloud = Caller::start().await;
    cloud.send(&json!({}), "{}").await;
    let address = header(&cloud.peek_lock(HEAD).await, "location").unwrap();
    cloud.simulator.advance(time::Duration::seconds(61));
    assert_eq!(cloud.at(Method::DELETE, &address).await, StatusCode::NOT_FOUND);
    assert_eq!(cloud.counts().await["active"], 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_xml() {
    let cloud = Caller::start().await;
    let refused = async |request: RequestBuilder| {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, body) =
        refused(cloud.request(Method::POST, "/servicebus/nowhere/messages").body("{}")).await;
    assert_eq!(status, 410);
    assert!(body.starts_with("<Error><Code>410</Code><Detail>The queue 'nowhere' does not exist."), "{body}");
    let (status, _) = refused(cloud.request(Method::POST, QUEUE).body("a".repeat(300 * 1024))).await;
    assert_eq!(status, 403);
    let (status, _) = refused(cloud.request(Method::POST, QUEUE).body("a".repeat(5 * 1024 * 1024))).await;
    assert_eq!(status, 403);
    let (status, body) = refused(cloud.request(Method::POST, QUEUE).header("brokerproperties", "{")).await;
    assert_eq!(status, 400);
    assert!(body.contains("BrokerProperties"), "{body}");
    let dead = "/servicebus/sync-requests/$deadletterqueue/messages";
    assert_eq!(refused(cloud.request(Method::POST, dead).body("{}")).await.0, 400);
    assert_eq!(refused(cloud.request(Method::GET, QUEUE)).await.0, 405);
}

#[tokio::test]
async fn what_a_queue_holds_can_be_looked_at_without_touching_it() {
    let cloud = Caller::start().await;
    let due = (OffsetDateTime::now_utc() + time::Duration::minutes(10)).format(&Rfc2822).unwrap();
    cloud.send(&json!({"MessageId": "now", "Label": "sync"}), "text").await;
    cloud.send(&json!({"MessageId": "later", "ScheduledEnqueueTimeUtc": due}), "{}").await;
    for _ in 0..2 {
        let shown = cloud.json("/simulator/queues/sync-requests/messages").await;
        assert_eq!(shown[0]["state"], "active");
        assert_eq!(shown[0]["messageId"], "now");
        assert_eq!(shown[0]["subject"], "sync");
        assert_eq!(shown[0]["body"], "text");
        assert_eq!(shown[0]["deliveryCount"], 0);
        assert_eq!(shown[1]["state"], "scheduled");
        assert!(shown[1]["scheduledFor"].is_string());
    }
    assert_eq!(cloud.get("/simulator/queues/nowhere/messages").await.status(), StatusCode::NOT_FOUND);
}
