//! Broken messages and records beside good ones: the app handles the good ones, and loses none.

use certificate_management::parked;
use certificate_management::request::VERIFICATION_SCHEMA;
use policysync::deadlines::Deadlines;
use policysync::reporting;
use policysync::synchronization::received::Received;
use serde_json::json;
use time::Duration;

use crate::in_process::{InProcess, received, text};

/// A large message that cannot be parsed, and whose error quotes all of it.
fn large(quote: &str) -> Received {
    let escaped = json!(quote).to_string().len() - 2;
    let schema = quote.repeat(200 * 1024 / escaped);
    Received { message_id: Some(String::new()), text: json!({"schema": schema}).to_string() }
}

#[tokio::test]
async fn large_messages_without_an_id_are_parked_after_their_neighbours_are_done() {
    let app = InProcess::start().await;
    let attempt = large("x")
        .text
        .replace("\"schema\":\"", &format!("\"schema\":\"{VERIFICATION_SCHEMA}\",\"attempt\":\""));
    let mut messages = vec![large("x"), large("\u{1}"), large("ä"), text("attempt", attempt), text("", "")];
    messages.extend(received(&[app.request(0, "neighbour", &json!({}))]));
    let done = app.handle(messages).await;
    assert_eq!((done.requests, done.parked, done.held), (1, 5, 0));
    let parked = app.on_queue("sync-requests-parked").await;
    assert_eq!(parked.len(), 5, "each of them, though three have no id");
    assert!(parked.iter().all(|envelope| envelope["detail"].as_str().unwrap().chars().count() <= 500));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("neighbour").await.0, "already-trusted");
}

#[tokio::test]
async fn the_records_keep_what_the_parked_queue_refuses() {
    let app = InProcess::start().await;
    app.faults(&json!([{"path": "/servicebus/sync-requests-parked/*", "status": 403}]));
    let done = app.handle(vec![text("bad", "no json"), large("x")]).await;
    assert_eq!((done.parked, done.held), (2, 0));
    let kept = app.application.store.list(parked::KEPT).await.unwrap();
    assert_eq!(kept.keys.len(), 2);
}

#[tokio::test]
async fn what_can_be_parked_nowhere_is_held_and_parked_when_the_outage_is_over() {
    let app = InProcess::start().await;
    app.faults(&json!([
        {"path": "/servicebus/sync-requests-parked/*", "status": 403},
        {"method": "PUT", "path": "/storage/*/parked*", "status": 403}
    ]));
    let mut messages = vec![text("bad", "no json"), large("\u{1}")];
    messages.extend(received(&[app.request(0, "neighbour", &json!({}))]));
    let done = app.handle(messages).await;
    assert_eq!((done.parked, done.held), (0, 2));
    app.faults(&json!([]));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.on_queue("sync-requests-parked").await.len(), 2);
    assert_eq!(app.outcome("neighbour").await.0, "already-trusted");
}

#[tokio::test]
async fn a_parked_queue_that_hangs_takes_no_more_than_the_time_of_the_batch() {
    let mut app = InProcess::start().await;
    app.hurry(Deadlines { settled: std::time::Duration::from_secs(3), ..Deadlines::default() });
    app.faults(&json!([{"path": "/servicebus/sync-requests-parked/*", "delaySeconds": 60}]));
    let messages = (0..16).map(|number| text(&format!("bad-{number}"), "no json")).collect();
    let since = std::time::Instant::now();
    let done = app.handle(messages).await;
    assert!(since.elapsed() < std::time::Duration::from_secs(4), "{:?}", since.elapsed());
    assert_eq!(done.parked + done.held, 16);
}

#[tokio::test]
async fn a_look_with_a_long_reason_leads_to_a_request_that_can_be_read() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let namespace = &app.application.fleet.configuration.namespaces[0].id;
    let look =
        json!({"schema": "namespace-look/v1", "namespaceId": namespace, "because": "x".repeat(100 * 1024)});
    app.handle(vec![text("look", look.to_string())]).await;
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.on_queue("sync-requests-parked").await.len(), 0);
    assert_eq!(app.posts(), [Some(202)]);
}

/// Replaces a record by something that is no record.
async fn break_record(app: &InProcess, key: &str) {
    app.application.store.put(key, &"no record").await.unwrap();
}

#[tokio::test]
async fn a_request_whose_record_is_broken_keeps_no_outcome_from_its_neighbours() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let requests = [app.request(0, "broken", &json!({})), app.request(0, "whole", &json!({}))];
    app.handle(received(&requests)).await;
    break_record(&app, "requests/broken").await;
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("whole").await.0, "trusted");
    assert!(!app.sync(0).await.is_open(), "it waits for nothing");
    assert_eq!(app.posts(), [Some(202)]);
}

#[tokio::test]
async fn a_request_whose_record_breaks_while_it_is_synced_keeps_no_outcome_from_its_neighbours() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let requests = [app.request(0, "broken", &json!({})), app.request(0, "whole", &json!({}))];
    app.handle(received(&requests)).await;
    app.deliver_batches(1).await;
    assert_eq!(app.posts(), [Some(202)]);
    break_record(&app, "requests/broken").await;
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("whole").await.0, "trusted");
}

#[tokio::test]
async fn a_new_message_for_a_broken_record_is_held_alone() {
    let app = InProcess::start().await;
    break_record(&app, "requests/broken").await;
    let requests = [app.request(0, "broken", &json!({})), app.request(0, "whole", &json!({}))];
    let done = app.handle(received(&requests)).await;
    assert_eq!((done.held, done.parked), (1, 0));
    let worn = Received { message_id: Some("broken~held-100".to_owned()), ..received(&requests)[0].clone() };
    let done = app.handle(vec![worn]).await;
    assert_eq!((done.held, done.parked), (0, 1), "after hours a person has to look");
}

#[tokio::test]
async fn a_sync_whose_record_is_broken_keeps_nothing_from_other_namespaces() {
    let app = InProcess::start().await;
    let requests = [app.request(0, "broken", &json!({})), app.request(1, "whole", &json!({}))];
    let namespace = &app.application.fleet.configuration.namespaces[0].id;
    break_record(&app, &policysync::synchronization::records::sync_key(namespace)).await;
    let done = app.handle(received(&requests)).await;
    assert_eq!((done.held, done.parked), (1, 0));
    let report = reporting::run(&app.application).await.unwrap();
    assert!(
        report.failures.iter().any(|failure| failure.contains("contoso-plants")),
        "{:?}",
        report.failures
    );
    // A person has removed the record; the app still knows the requests that it took meanwhile.
    app.application.store.delete(&policysync::synchronization::records::sync_key(namespace)).await.unwrap();
    app.deliver(Duration::seconds(5)).await;
    for id in ["broken", "whole"] {
        assert_eq!(app.outcome(id).await.0, "already-trusted", "{id}");
    }
}
