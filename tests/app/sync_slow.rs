//! Services that hang or are slow: a batch answers in time with what it got done, and a hub that was not seen stays
//! unknown.

use std::time::{Duration as Wait, Instant};

use azure_simulator::Options;
use azure_simulator::fleet::{Fleet, Hub};
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::deadlines::Deadlines;
use policysync::synchronization::batch::Handled;
use serde_json::json;
use time::Duration;

use crate::in_process::{InProcess, received, text};

/// The deadlines of a batch, all of them shorter by this factor.
fn hurried(by: u32) -> Deadlines {
    let Deadlines { hub, observed, post, done, settled } = Deadlines::default();
    Deadlines {
        hub: hub / by,
        observed: observed / by,
        post: post / by,
        done: done / by,
        settled: settled / by,
    }
}

/// A batch of the messages that are due.
async fn next_batch(app: &InProcess) -> Handled {
    app.deliver_batches(1).await.remove(0).unwrap()
}

#[tokio::test]
async fn hubs_that_hang_are_unreadable_and_neither_start_a_sync_nor_keep_up_the_neighbours() {
    let mut fleet = Fleet::default_fleet();
    fleet.namespaces[0].hubs = (0..12).map(|number| Hub::new(&format!("hub-{number:02}"))).collect();
    let mut app = InProcess::of(Options { fleet, ..Options::default() }, DEFAULT_CONFIGURATION).await;
    app.hurry(hurried(10));
    // Ten of the twelve. Every one of them trusts every policy.
    app.faults(&json!([
        {"method": "GET", "path": "*/hub-0*/certificates", "delaySeconds": 60}
    ]));
    app.handle(received(&[app.request(0, "slow", &json!({})), app.request(1, "neighbour", &json!({}))]))
        .await;
    let since = Instant::now();
    let done = next_batch(&app).await;
    assert!(since.elapsed() < Wait::from_millis(4_500), "{:?}", since.elapsed());
    assert_eq!((done.follow_ups, done.held), (2, 0));
    assert_eq!(app.outcome("neighbour").await.0, "already-trusted");
    let record = app.record("slow").await;
    let unread =
        record.hubs.iter().filter(|hub| hub.reason.is_some_and(|why| why.code() == "hub-unreadable"));
    assert_eq!((record.outcome.to_string().as_str(), unread.count()), ("syncing", 20));
    app.faults(&json!([]));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("slow").await, ("trusted".to_owned(), None));
    assert_eq!(app.posts(), []);
}

#[tokio::test]
async fn a_namespace_that_hangs_is_looked_at_again_by_a_look_and_not_by_the_same_message() {
    let mut app = InProcess::start().await;
    app.hurry(hurried(10));
    app.faults(&json!([{"method": "GET", "path": "*/namespaces/contoso-plants*", "delaySeconds": 60}]));
    let namespace = &app.application.fleet.configuration.namespaces[0].id;
    let look = json!({"schema": "namespace-look/v1", "namespaceId": namespace, "because": "an event"});
    let done = app.handle(vec![text("look", look.to_string())]).await;
    assert_eq!((done.looks, done.held), (1, 0));
    let again = app.on_queue("sync-requests").await;
    assert_eq!((again.len(), &again[0]["attempt"]), (1, &json!(1)));
}

#[tokio::test]
async fn an_invocation_without_time_left_claims_nothing_that_it_cannot_send() {
    let mut app = InProcess::start().await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    // The deadline for the POST is over, as if the observation had taken all the time.
    app.hurry(Deadlines { post: Wait::ZERO, ..Deadlines::default() });
    for _ in 0..4 {
        assert_eq!(next_batch(&app).await.held, 0);
    }
    assert_eq!(app.posts(), []);
    assert_eq!(app.outcome("r").await, ("queued".to_owned(), Some("service-unavailable")));
    app.hurry(Deadlines::default());
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.posts(), [Some(202)]);
    assert_eq!(app.outcome("r").await.0, "trusted");
}

#[tokio::test]
async fn a_post_that_hangs_ends_in_time_for_its_record_and_is_not_sent_twice() {
    let mut app = InProcess::start().await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    app.hurry(Deadlines { done: Wait::from_secs(4), ..Deadlines::default() });
    app.faults(&json!([{"method": "POST", "path": "*/synchronize", "delaySeconds": 60}]));
    let done = next_batch(&app).await;
    assert_eq!(done.held, 0, "the answer that was lost is recorded, and its follow-up is sent");
    assert_eq!(app.on_queue("sync-requests").await[0]["attempt"], 2);
    app.faults(&json!([]));
    app.hurry(Deadlines::default());
    app.deliver(Duration::minutes(1)).await;
    assert_eq!(app.outcome("r").await.0, "trusted");
    assert_eq!(app.posts().len(), 2, "the first one never came to the service");
}

#[tokio::test]
async fn seven_hundred_requests_are_one_look_with_storage_at_30_milliseconds() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let requests: Vec<_> =
        (0..700).map(|number| app.request(0, &format!("r-{number}"), &json!({}))).collect();
    app.faults(&json!([{"path": "/storage/*", "delaySeconds": 0.03}]));
    for batch in requests.chunks(100) {
        app.handle(received(batch)).await;
    }
    let since = Instant::now();
    assert_eq!(next_batch(&app).await.held, 0);
    assert!(since.elapsed() < Wait::from_secs(20), "{:?}", since.elapsed());
    assert_eq!(app.posts(), [Some(202)]);
    app.deliver(Duration::seconds(5)).await;
    app.faults(&json!([]));
    for request in &requests {
        assert_eq!(app.outcome(&request.request_id).await.0, "trusted", "{}", request.request_id);
    }
    assert_eq!(app.posts(), [Some(202)]);
}
