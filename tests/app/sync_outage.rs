//! Storage or queue refuse for a while: the app gives up on no request, and each that it has taken gets its outcome.

use policysync::deadlines::Deadlines;
use policysync::reporting;
use policysync::synchronization::batch::BatchError;
use policysync::synchronization::submission::{self, SubmitError};
use serde_json::json;
use time::Duration;

use crate::in_process::{InProcess, received};

#[tokio::test]
async fn storage_that_refuses_holds_every_message_and_nothing_becomes_a_dead_letter() {
    let app = InProcess::start().await;
    let taken = app.request(0, "taken", &json!({}));
    submission::submit(&app.application, &taken).await.unwrap();
    app.faults(&json!([{"path": "/storage/*", "status": 503}]));
    // More deliveries than a queue allows one message.
    let handled = app.deliver_batches(12).await;
    let held: Vec<usize> = handled.into_iter().map(|done| done.unwrap().held).collect();
    assert_eq!(held, [1; 12]);
    assert_eq!(app.dead_letters().await, 0);
    app.faults(&json!([]));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("taken").await.0, "already-trusted");
    assert_eq!(app.on_queue("sync-requests-parked").await.len(), 0);
}

#[tokio::test]
async fn storage_that_refuses_in_the_middle_of_a_sync_costs_time_only() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    // Each fault hits another step of the way: reads, writes, and the answers of writes that were done.
    for fault in [
        json!({"method": "POST", "path": "/servicebus/*", "status": 500, "times": 6}),
        json!({"method": "GET", "path": "/storage/*/syncs/*", "status": 503}),
        json!({"method": "PUT", "path": "/storage/*/syncs/*", "status": 503}),
        json!({"method": "PUT", "path": "/storage/*/syncs/*", "close": true, "afterwards": true}),
        json!({"method": "GET", "path": "/storage/*/requests/*", "status": 503}),
        json!({"method": "PUT", "path": "/storage/*/requests/*", "status": 503}),
        json!({"method": "PUT", "path": "/storage/*/requests/*", "close": true, "afterwards": true}),
    ] {
        app.faults(&json!([&fault]));
        assert!(!app.deliver_batches(2).await.is_empty(), "{fault}");
    }
    app.faults(&json!([]));
    app.deliver(Duration::seconds(30)).await;
    assert_eq!(app.outcome("r").await, ("trusted".to_owned(), None));
    assert_eq!(app.posts(), [Some(202)]);
    assert_eq!(app.dead_letters().await, 0);
}

#[tokio::test]
async fn a_request_whose_plan_was_not_recorded_is_trusted_by_the_sync_and_not_already() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    app.faults(&json!([{"method": "PUT", "path": "/storage/*/requests/*", "status": 503}]));
    app.deliver_batches(1).await;
    assert_eq!((app.posts(), app.outcome("r").await.0.as_str()), (vec![Some(202)], "queued"));
    app.faults(&json!([]));
    app.deliver(Duration::seconds(30)).await;
    assert_eq!(app.outcome("r").await, ("trusted".to_owned(), None));
    assert_eq!(app.posts(), [Some(202)]);
}

#[tokio::test]
async fn what_was_not_taken_over_http_is_taken_with_the_same_key() {
    let app = InProcess::start().await;
    let request = app.request(0, "key", &json!({}));
    app.faults(&json!([{"path": "/storage/*", "status": 503}]));
    assert!(matches!(submission::submit(&app.application, &request).await, Err(SubmitError::State(_))));
    app.faults(&json!([{"path": "/servicebus/*", "status": 400}]));
    assert!(matches!(submission::submit(&app.application, &request).await, Err(SubmitError::Queue(_))));
    // The answer of the queue is lost, but the queue has the message now and drops another one of the same id.
    app.faults(&json!([{"path": "/servicebus/*", "status": 400, "afterwards": true}]));
    assert!(matches!(submission::submit(&app.application, &request).await, Err(SubmitError::Queue(_))));
    app.faults(&json!([]));
    submission::submit(&app.application, &request).await.unwrap();
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("key").await.0, "already-trusted");
}

#[tokio::test]
async fn a_request_whose_message_became_a_dead_letter_is_taken_in_by_the_report() {
    let app = InProcess::start().await;
    let request = app.request(0, "given-up", &json!({}));
    submission::submit(&app.application, &request).await.unwrap();
    let queues = app.simulator.queues();
    while app.dead_letters().await == 0 {
        let wait = std::time::Duration::from_millis(100);
        for message in queues.receive("sync-requests", 1, wait).await {
            queues.abandon("sync-requests", &message.lock_token).await;
        }
    }
    app.later(Duration::minutes(6));
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!((done.taken_in, done.failures), (1, Vec::new()));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("given-up").await.0, "already-trusted");
}

#[tokio::test]
async fn when_nothing_can_be_put_back_the_batch_comes_again_within_its_time() {
    let mut app = InProcess::start().await;
    app.hurry(Deadlines { settled: std::time::Duration::from_secs(4), ..Deadlines::default() });
    app.faults(&json!([
        {"path": "/storage/*", "status": 403},
        {"path": "/servicebus/*", "delaySeconds": 60}
    ]));
    let requests: Vec<_> = (0..16).map(|number| app.request(0, &format!("r-{number}"), &json!({}))).collect();
    let since = std::time::Instant::now();
    let handled = policysync::synchronization::batch::handle(&app.application, received(&requests)).await;
    assert!(matches!(handled, Err(BatchError { .. })));
    assert!(since.elapsed() < std::time::Duration::from_secs(6), "{:?}", since.elapsed());
}
