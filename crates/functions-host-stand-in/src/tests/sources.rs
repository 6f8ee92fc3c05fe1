//! Listeners: the functions that they fire, and the messages, events and deliveries afterwards.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::app::{TestApp, next_invocation};
use crate::trigger::made_up;
use crate::{Host, HostOptions, Outcome, Sources};
use trigger_sources::{
    Delivery, EventGridSource, EventHubSource, HubEvent, LockedMessage, Pending, QueueSource,
};

/// A source that hands out its items once, and records every call.
#[derive(Default)]
pub(super) struct Script {
    pub(super) messages: Mutex<VecDeque<LockedMessage>>,
    pub(super) events: Mutex<Vec<HubEvent>>,
    pub(super) deliveries: Mutex<VecDeque<Delivery>>,
    pub(super) done: Mutex<Vec<String>>,
    pub(super) told: Notify,
}

impl Script {
    fn write(&self, what: String) {
        self.done.lock().unwrap().push(what);
        self.told.notify_one();
    }

    /// Waits until `count` things were asked and gives them, sorted.
    pub(super) async fn written(&self, count: usize) -> Vec<String> {
        let wait = async {
            while self.done.lock().unwrap().len() < count {
                self.told.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("less was asked of the source");
        let mut done = self.done.lock().unwrap().clone();
        done.sort();
        done
    }
}

impl QueueSource for Script {
    fn receive<'a>(&'a self, _: &'a str, most: usize, wait: Duration) -> Pending<'a, Vec<LockedMessage>> {
        Box::pin(async move {
            let taken: Vec<_> = {
                let mut messages = self.messages.lock().unwrap();
                let count = most.min(messages.len());
                messages.drain(..count).collect()
            };
            if taken.is_empty() {
                tokio::time::sleep(wait).await;
            }
            taken
        })
    }

    fn complete<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool> {
        self.write(format!("{queue} complete {lock_token}"));
        Box::pin(std::future::ready(true))
    }

    fn abandon<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool> {
        self.write(format!("{queue} abandon {lock_token}"));
        Box::pin(std::future::ready(true))
    }
}

impl EventHubSource for Script {
    fn receive<'a>(
        &'a self,
        _: &'a str,
        after: i64,
        most: usize,
        wait: Duration,
    ) -> Pending<'a, Vec<HubEvent>> {
        Box::pin(async move {
            self.write(format!("after {after}"));
            let events = self.events.lock().unwrap().clone();
            let later = events.into_iter().filter(|event| event.sequence_number > after);
            let taken: Vec<_> = later.take(most).collect();
            if taken.is_empty() {
                tokio::time::sleep(wait).await;
            }
            taken
        })
    }
}

impl EventGridSource for Script {
    fn next(&self, wait: Duration) -> Pending<'_, Option<Delivery>> {
        Box::pin(async move {
            let next = self.deliveries.lock().unwrap().pop_front();
            if next.is_none() {
                tokio::time::sleep(wait).await;
            }
            next
        })
    }

    fn settle(&self, delivery: u64, accepted: bool) -> Pending<'_, ()> {
        self.write(format!("{delivery} {accepted}"));
        Box::pin(std::future::ready(()))
    }
}

pub(super) fn messages(count: usize) -> VecDeque<LockedMessage> {
    let now = OffsetDateTime::now_utc();
    let message = |index: usize| LockedMessage {
        lock_token: format!("lock-{index}"),
        session_id: Some(format!("session-{}", index % 2)),
        ..made_up::message(&format!("{{\"n\":{index}}}"), now, true)
    };
    (0..count).map(message).collect()
}

pub(super) async fn start(
    app: &TestApp,
    sources: Sources,
) -> (Host, tokio::sync::mpsc::UnboundedReceiver<crate::HostEvent>) {
    let (options, events) = app.options();
    (Host::start(HostOptions { manual: false, sources, ..options }).await.unwrap(), events)
}

pub(super) fn queue(script: &Arc<Script>) -> Sources {
    Sources { queues: Some(script.clone()), ..Sources::default() }
}

#[tokio::test]
async fn a_batch_is_completed_or_abandoned_as_a_whole() {
    for (name, expected) in [
        ("bus", ["q complete lock-0", "q complete lock-1", "q complete lock-2"]),
        ("fail-bus", ["q abandon lock-0", "q abandon lock-1", "q abandon lock-2"]),
    ] {
        let app = TestApp::new();
        app.host_json(r#""extensions":{"serviceBus":{"maxMessageBatchSize":2}}"#);
        app.function(name, r#"{"type":"serviceBusTrigger","name":"m","queueName":"q","cardinality":"many","dataType":"string"}"#);
        let script = Arc::new(Script { messages: Mutex::new(messages(3)), ..Script::default() });
        let (host, mut events) = start(&app, queue(&script)).await;
        assert_eq!(script.written(3).await, expected);
        let first = next_invocation(&mut events).await;
        if name == "bus" {
            let body: Value = serde_json::from_str(&first.logs[0]).unwrap();
            assert_eq!(body["Metadata"]["MessageIdArray"].as_str().unwrap().split(',').count(), 2);
        }
        host.stop().await;
    }
}

#[tokio::test]
async fn a_session_batch_never_mixes_sessions() {
    let app = TestApp::new();
    app.function("bus", r#"{"type":"serviceBusTrigger","name":"m","queueName":"q","cardinality":"many","dataType":"string","isSessionsEnabled":true}"#);
    let script = Arc::new(Script { messages: Mutex::new(messages(4)), ..Script::default() });
    let (host, mut events) = start(&app, queue(&script)).await;
    for session in ["session-0", "session-1"] {
        let report = next_invocation(&mut events).await;
        let body: Value = serde_json::from_str(&report.logs[0]).unwrap();
        assert_eq!(body["Metadata"]["SessionIdArray"], json!(format!(r#"["{session}","{session}"]"#)));
        assert!(body["Metadata"]["MessageSession"]["SessionLockedUntil"].is_string());
    }
    script.written(4).await;
    host.stop().await;
}

#[tokio::test]
async fn single_messages_run_beside_each_other_and_are_settled_alone() {
    let app = TestApp::new();
    app.function("meet-8-30", r#"{"type":"serviceBusTrigger","name":"m","queueName":"q"}"#);
    let script = Arc::new(Script { messages: Mutex::new(messages(8)), ..Script::default() });
    let (host, _events) = start(&app, queue(&script)).await;
    // None of them succeeds before all are under way.
    let completed: Vec<String> = (0..8).map(|number| format!("q complete lock-{number}")).collect();
    assert_eq!(script.written(8).await, completed);
    host.stop().await;
}

#[tokio::test]
async fn without_auto_complete_nothing_is_settled_after_success() {
    let app = TestApp::new();
    app.function(
        "bus",
        r#"{"type":"serviceBusTrigger","name":"m","queueName":"q","autoCompleteMessages":false}"#,
    );
    app.function(
        "fail-bus",
        r#"{"type":"serviceBusTrigger","name":"m","queueName":"p","autoCompleteMessages":false}"#,
    );
    for (count, name) in [(0, "bus"), (1, "fail-bus")] {
        let script = Arc::new(Script { messages: Mutex::new(messages(1)), ..Script::default() });
        let other = if name == "bus" { "fail-bus" } else { "bus" };
        let (mut options, mut events) = app.options();
        options.app_settings.insert(format!("AzureWebJobs.{other}.Disabled"), "true".to_owned());
        let host =
            Host::start(HostOptions { manual: false, sources: queue(&script), ..options }).await.unwrap();
        next_invocation(&mut events).await;
        let written = script.written(count).await;
        assert_eq!(written, if count == 0 { vec![] } else { vec!["p abandon lock-0".to_owned()] });
        host.stop().await;
    }
}

#[tokio::test]
async fn an_event_hub_checkpoint_advances_even_on_failure() {
    let app = TestApp::new();
    app.host_json(r#""extensions":{"eventHubs":{"maxEventBatchSize":2}}"#);
    app.function("fail-hub", r#"{"type":"eventHubTrigger","name":"e","eventHubName":"h","cardinality":"many","dataType":"string"}"#);
    let now = OffsetDateTime::now_utc();
    let events =
        (0..3).map(|number| HubEvent { sequence_number: number, ..made_up::hub_event("x", now) }).collect();
    let script = Arc::new(Script { events: Mutex::new(events), ..Script::default() });
    let sources = Sources { event_hubs: Some(script.clone()), ..Sources::default() };
    let (host, _events) = start(&app, sources).await;
    assert_eq!(script.written(3).await, ["after -1", "after 1", "after 2"]);
    host.stop().await;
}

#[tokio::test]
async fn a_retry_sequence_has_one_invocation_id_and_tells_each_attempt_of_the_last() {
    let app = TestApp::new();
    app.function_with(
        "flaky-hub",
        r#"{"type":"eventHubTrigger","name":"e","eventHubName":"h","cardinality":"many","dataType":"string"}"#,
        r#","retry":{"strategy":"fixedDelay","maxRetryCount":3,"delayInterval":"00:00:00.05"}"#,
    );
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    let last = host.fire("flaky-hub", Some("x".to_owned())).await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let report = next_invocation(&mut events).await;
        assert_eq!(report.invocation_id, last.invocation_id);
        outcomes.push(report.outcome);
    }
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Failed, Outcome::Succeeded]);
    let body: Value = serde_json::from_str(&last.logs[0]).unwrap();
    let retry = &body["Metadata"]["RetryContext"];
    assert_eq!((&retry["RetryCount"], &retry["MaxRetryCount"]), (&json!(2), &json!(3)));
    assert_eq!(retry["Exception"]["InstanceId"], json!(last.invocation_id));
    assert_eq!(retry["Exception"]["InnerException"]["StatusCode"], 500);
    host.stop().await;
}

#[tokio::test]
async fn an_event_grid_post_is_accepted_only_if_every_event_was_handled() {
    let app = TestApp::new();
    app.function("grid", r#"{"type":"eventGridTrigger","name":"event"}"#);
    app.function("flaky-grid", r#"{"type":"eventGridTrigger","name":"event"}"#);
    let delivery = |id, body| Delivery { id, body };
    let script = Arc::new(Script {
        deliveries: Mutex::new(VecDeque::from([delivery(1, json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]))])),
        ..Script::default()
    });
    let sources = Sources { event_grid: Some(script.clone()), ..Sources::default() };
    let (host, mut events) = start(&app, sources).await;
    assert_eq!(script.written(1).await, ["1 false"]);
    let mut failed = 0;
    for _ in 0..6 {
        failed += usize::from(next_invocation(&mut events).await.outcome == Outcome::Failed);
    }
    assert_eq!(failed, 2, "two of three events failed in one of the functions");
    script.deliveries.lock().unwrap().push_back(delivery(2, json!({"id": "d", "specversion": "1.0"})));
    host.stop().await;
}

#[tokio::test]
async fn timers_fire_on_start_on_schedule_and_after_failures() {
    let app = TestApp::new();
    let timer = |schedule: &str, more: &str| {
        format!(r#"{{"type":"timerTrigger","name":"timer","schedule":"{schedule}"{more}}}"#)
    };
    app.function("startup", &timer("0 0 3 1 1 *", r#","runOnStartup":true"#));
    app.function("fail-often", &timer("* * * * * *", ""));
    app.function("late", &timer("0 0 3 1 1 *", ""));
    let (mut options, mut events) = app.options();
    let now = OffsetDateTime::now_utc();
    let missed = crate::trigger::timer::ScheduleStatus {
        last: Some(now - time::Duration::hours(2)),
        next: now - time::Duration::hours(1),
        stored_utc: true,
    };
    options.timers.insert("late".to_owned(), missed);
    let host = Host::start(HostOptions { manual: false, ..options }).await.unwrap();
    let mut often = 0;
    let (mut startup, mut late) = (None, None);
    while often < 2 || startup.is_none() || late.is_none() {
        let report = next_invocation(&mut events).await;
        match report.function.as_str() {
            "fail-often" => often += 1,
            "startup" => startup = report.logs.into_iter().next(),
            _ => late = report.logs.into_iter().next(),
        }
    }
    let timer =
        |log: Option<String>| serde_json::from_str::<Value>(&log.unwrap()).unwrap()["Data"]["timer"].clone();
    let (startup, late) = (timer(startup), timer(late));
    assert_eq!((&startup["IsPastDue"], &late["IsPastDue"]), (&json!(false), &json!(true)));
    assert!(startup["ScheduleStatus"]["Last"].as_str().unwrap().starts_with("0001-01-01"));
    assert!(late["ScheduleStatus"]["Next"].as_str().unwrap().ends_with('Z'));
    host.stop().await;
}
