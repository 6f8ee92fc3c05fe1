//! A sync whose follow-up message was lost: the report finds it and sends the follow-up again.

use std::sync::Arc;

use azure_simulator::Simulator;
use certificate_management::request::{Outcome, SyncRequest};
use certificate_management::sync::{Conclusion, SyncRecord};
use policysync::reporting;
use policysync::synchronization::received::Received;
use policysync::synchronization::records;
use serde_json::json;
use state::Change;
use time::Duration;

use crate::in_process::{InProcess, received};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A request of the first namespace, as it comes from the queue.
fn request(app: &InProcess, id: &str) -> SyncRequest {
    app.request(0, id, &json!({"traceparent": TRACE}))
}

/// The texts of the messages that are on the queue now or are due soon.
async fn sent(simulator: &Simulator) -> Vec<String> {
    let wait = std::time::Duration::from_secs(5);
    let sent = simulator.queues().receive("sync-requests", 10, wait).await;
    sent.into_iter().map(|message| String::from_utf8(message.body).unwrap()).collect()
}

#[tokio::test]
async fn a_sync_whose_follow_up_was_lost_is_found_by_the_report_and_goes_on() {
    let app = InProcess::start().await;
    let (simulator, application) = (&app.simulator, &app.application);
    let request = request(&app, "lost");
    let namespace = request.namespace_id.clone();
    app.handle(received(std::slice::from_ref(&request))).await;
    assert_eq!(sent(simulator).await.len(), 1, "its follow-up, which is lost now");
    let long_ago = application.fleet.now() - Duration::minutes(10);
    let make_overdue = |record: Option<SyncRecord>| {
        Change::Write(SyncRecord { next_look_at: long_ago, ..record.expect("the sync gathers") })
    };
    application.store.modify(&records::sync_key(&namespace), make_overdue).await.unwrap();

    let done = reporting::run(application).await.unwrap();
    assert_eq!((done.resumed, done.taken_in, done.failures), (1, 0, Vec::new()));
    assert_eq!(reporting::run(application).await.unwrap().resumed, 0, "it is under way again");

    let texts = sent(simulator).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].contains("4bf92f3577b34da6a3ce929d0e0e4736"),
        "the trace of the submit goes on: {texts:?}"
    );
    app.handle(vec![Received { message_id: None, text: texts[0].clone() }]).await;
    let record = records::request(&application.store, "lost").await.unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::AlreadyTrusted);
}

#[tokio::test]
async fn a_request_whose_message_was_lost_before_a_sync_knew_it_is_taken_in_by_the_report() {
    let app = InProcess::start().await;
    let (simulator, application) = (&app.simulator, &app.application);
    let request = request(&app, "taken");
    let long_ago = application.fleet.now() - Duration::minutes(10);
    records::admit(&application.store, &request, long_ago).await.unwrap();

    let done = reporting::run(application).await.unwrap();
    assert_eq!((done.resumed, done.taken_in, done.failures), (0, 1, Vec::new()));
    assert_eq!(reporting::run(application).await.unwrap().taken_in, 0, "a sync knows it now");

    let texts = sent(simulator).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    app.handle(vec![Received { message_id: None, text: texts[0].clone() }]).await;
    let record = records::request(&application.store, "taken").await.unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::AlreadyTrusted);
}

#[tokio::test]
async fn a_request_without_an_outcome_outlives_every_retention() {
    let mut app = InProcess::start().await;
    Arc::make_mut(&mut app.application.fleet.configuration).retention_days = 0;
    let application = &app.application;
    let store = application.store.clone();
    let open = request(&app, "open");
    records::admit(&store, &open, application.fleet.now()).await.unwrap();
    let done = Conclusion {
        plan: None,
        request: request(&app, "done"),
        sync_id: None,
        outcome: Outcome::Refused,
        reason: None,
        detail: None,
        hubs: Vec::new(),
    };
    records::admit(&store, &done.request, application.fleet.now()).await.unwrap();
    records::conclude(&store, &done, None, application.fleet.now()).await.unwrap();
    // A record that waits for a person stays too: a parked message names the record that has its body.
    store.put("parked/large", &"body").await.unwrap();
    // A record of this very second is not older than now.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    let report = reporting::run(application).await.unwrap();
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(records::request(&store, "done").await.unwrap().is_none());
    assert!(records::request(&store, "open").await.unwrap().is_some());
    assert!(store.get::<String>("parked/large").await.unwrap().is_some());
}

#[tokio::test]
async fn what_was_lost_is_resumed_though_the_services_hang() {
    let app = InProcess::start().await;
    let request = request(&app, "taken");
    let long_ago = app.application.fleet.now() - Duration::minutes(10);
    records::admit(&app.application.store, &request, long_ago).await.unwrap();
    app.faults(&json!([{"method": "GET", "path": "/subscriptions/*", "delaySeconds": 60}]));
    let cut_off = std::time::Duration::from_secs(2);
    let report = tokio::time::timeout(cut_off, reporting::run(&app.application)).await;
    assert!(report.is_err(), "the report was cut off");
    assert!(app.sync(0).await.knows("taken"));
}
