//! The size of batches, how long they wait, and how many sessions run at a time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use time::OffsetDateTime;

use super::app::{TestApp, next_invocation};
use super::sources::{Script, messages, queue, start};
use crate::trigger::made_up;
use crate::{InvocationReport, Sources};
use trigger_sources::HubEvent;

const MANY: &str =
    r#"{"type":"serviceBusTrigger","name":"m","queueName":"q","cardinality":"many","dataType":"string"}"#;

/// How many items the handler got.
fn size(report: &InvocationReport, metadata: &str) -> usize {
    let body: Value = serde_json::from_str(&report.logs[0]).unwrap();
    let array: Vec<Value> = serde_json::from_str(body["Metadata"][metadata].as_str().unwrap()).unwrap();
    array.len()
}

fn settings(app: &TestApp, extension: &str, members: &str) {
    app.host_json(&format!(r#""extensions":{{"{extension}":{{{members}}}}}"#));
}

#[tokio::test]
async fn a_batch_of_messages_waits_for_its_fewest_until_its_time_is_over() {
    let app = TestApp::new();
    let members = r#""minMessageBatchSize":4,"maxMessageBatchSize":4,"maxBatchWaitTime":"00:00:01""#;
    settings(&app, "serviceBus", members);
    app.function("bus", MANY);
    let script = Arc::new(Script { messages: Mutex::new(messages(3)), ..Script::default() });
    let begun = Instant::now();
    let (host, mut events) = start(&app, queue(&script)).await;
    assert_eq!(size(&next_invocation(&mut events).await, "MessageIdArray"), 3);
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(script.written(3).await.len(), 3, "the partial batch is settled too");
    host.stop().await;
}

#[tokio::test]
async fn a_batch_of_messages_that_is_large_enough_waits_for_nothing() {
    let app = TestApp::new();
    settings(
        &app,
        "serviceBus",
        r#""minMessageBatchSize":2,"maxMessageBatchSize":3,"maxBatchWaitTime":"00:02:00""#,
    );
    app.function("bus", MANY);
    let script = Arc::new(Script { messages: Mutex::new(messages(5)), ..Script::default() });
    let (host, mut events) = start(&app, queue(&script)).await;
    for expected in [3, 2] {
        assert_eq!(size(&next_invocation(&mut events).await, "MessageIdArray"), expected);
    }
    host.stop().await;
}

#[tokio::test]
async fn a_batch_of_events_waits_for_its_fewest_until_its_time_is_over() {
    let app = TestApp::new();
    settings(&app, "eventHubs", r#""minEventBatchSize":5,"maxWaitTime":"00:00:01""#);
    app.function("hub", r#"{"type":"eventHubTrigger","name":"e","eventHubName":"h","cardinality":"many","dataType":"string"}"#);
    let now = OffsetDateTime::now_utc();
    let event = |number| HubEvent { sequence_number: number, ..made_up::hub_event("x", now) };
    let script = Arc::new(Script { events: Mutex::new((0..3).map(event).collect()), ..Script::default() });
    let sources = Sources { event_hubs: Some(script.clone()), ..Sources::default() };
    let begun = Instant::now();
    let (host, mut events) = start(&app, sources).await;
    assert_eq!(size(&next_invocation(&mut events).await, "SequenceNumberArray"), 3);
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
    host.stop().await;
}

#[tokio::test]
async fn no_more_sessions_run_at_a_time_than_allowed() {
    let bus = r#"{"type":"serviceBusTrigger","name":"m","queueName":"q","isSessionsEnabled":true}"#;
    // With one session the two calls wait for each other in vain.
    for (sessions, function, outcome) in [(1, "meet-2-1", "abandon"), (2, "meet-2-30", "complete")] {
        let app = TestApp::new();
        settings(&app, "serviceBus", &format!(r#""maxConcurrentSessions":{sessions}"#));
        app.function(function, bus);
        // One message for each of two sessions.
        let script = Arc::new(Script { messages: Mutex::new(messages(2)), ..Script::default() });
        let (host, _events) = start(&app, queue(&script)).await;
        assert_eq!(script.written(2).await, [0, 1].map(|number| format!("q {outcome} lock-{number}")));
        host.stop().await;
    }
}
