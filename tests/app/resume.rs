//! A sync whose follow-up message was lost: the report finds it and sends the follow-up again.

use std::sync::Arc;

use async_trait::async_trait;
use azure::{AccessToken, Azure, Cloud, Error, TokenSource};
use certificate_management::request::{Outcome, SyncRequest};
use certificate_management::sync::{Conclusion, SyncRecord};
use policysync::application::Application;
use policysync::commands::local_world::{DEFAULT_CONFIGURATION, Schedules, app_settings};
use policysync::reporting;
use policysync::settings::Settings;
use policysync::synchronization::batch::{self, Received};
use policysync::synchronization::records;
use serde_json::json;
use simulator::cloud::{Options, Simulator};
use state::Change;
use time::{Duration, OffsetDateTime};

struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self, _scope: &str) -> Result<AccessToken, Error> {
        Ok(AccessToken::new("operator", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// The app in this process, against a simulated Azure.
fn application(simulator: &Simulator) -> Application {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policysync.toml");
    std::fs::write(&path, DEFAULT_CONFIGURATION).unwrap();
    let mut variables = app_settings(simulator.url(), Schedules::default());
    variables.insert("POLICYSYNC_CONFIG".to_owned(), path.to_str().unwrap().to_owned());
    let mut application = Application::start(&Settings::from_variables(&variables).unwrap()).unwrap();
    application.azure = Azure::new(Cloud::new(Some(simulator.url())).unwrap(), Arc::new(AnyToken)).unwrap();
    application
}

/// A request of the first namespace, as it comes from the queue.
fn request(application: &Application, id: &str, traceparent: &str) -> SyncRequest {
    let namespace = &application.configuration.namespaces[0].id;
    let text = json!({"namespaceId": namespace, "traceparent": traceparent}).to_string();
    SyncRequest::from_submission(&text, id).unwrap()
}

fn received(request: &SyncRequest) -> Vec<Received> {
    vec![Received { message_id: Some(request.request_id.clone()), text: json!(request).to_string() }]
}

/// The texts of the messages that are on the queue now or are due soon.
async fn sent(simulator: &Simulator) -> Vec<String> {
    let wait = std::time::Duration::from_secs(5);
    let sent = simulator.queues().receive("sync-requests", 10, wait).await;
    sent.into_iter().map(|message| String::from_utf8(message.body).unwrap()).collect()
}

#[tokio::test]
async fn a_sync_whose_follow_up_was_lost_is_found_by_the_report_and_goes_on() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let application = application(&simulator);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = request(&application, "lost", trace);
    let namespace = request.namespace_id.clone();
    batch::handle(&application, received(&request)).await.unwrap();
    assert_eq!(sent(&simulator).await.len(), 1, "its follow-up, which is lost now");
    let long_ago = application.now() - Duration::minutes(10);
    let make_overdue = |record: Option<SyncRecord>| {
        Change::Write(SyncRecord { next_look_at: long_ago, ..record.expect("the sync gathers") })
    };
    application.store.modify(&records::sync_key(&namespace), make_overdue).await.unwrap();

    let done = reporting::run(&application).await.unwrap();
    assert_eq!((done.resumed, done.taken_in, done.failures), (1, 0, Vec::new()));
    assert_eq!(reporting::run(&application).await.unwrap().resumed, 0, "it is under way again");

    let texts = sent(&simulator).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].contains("4bf92f3577b34da6a3ce929d0e0e4736"),
        "the trace of the submit goes on: {texts:?}"
    );
    batch::handle(&application, vec![Received { message_id: None, text: texts[0].clone() }]).await.unwrap();
    let record = records::request(&application.store, "lost").await.unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::AlreadyTrusted);
    simulator.stop().await;
}

#[tokio::test]
async fn a_request_whose_message_was_lost_before_a_sync_knew_it_is_taken_in_by_the_report() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let application = application(&simulator);
    let request = request(&application, "taken", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let long_ago = application.now() - Duration::minutes(10);
    records::admit(&application.store, &request, long_ago).await.unwrap();

    let done = reporting::run(&application).await.unwrap();
    assert_eq!((done.resumed, done.taken_in, done.failures), (0, 1, Vec::new()));
    assert_eq!(reporting::run(&application).await.unwrap().taken_in, 0, "a sync knows it now");

    let texts = sent(&simulator).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    batch::handle(&application, vec![Received { message_id: None, text: texts[0].clone() }]).await.unwrap();
    let record = records::request(&application.store, "taken").await.unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::AlreadyTrusted);
    simulator.stop().await;
}

#[tokio::test]
async fn a_request_without_an_outcome_outlives_every_retention() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let mut application = application(&simulator);
    application.configuration.retention_days = 0;
    let store = application.store.clone();
    let open = request(&application, "open", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    records::admit(&store, &open, application.now()).await.unwrap();
    let done = Conclusion {
        request: request(&application, "done", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        sync_id: None,
        outcome: Outcome::Refused,
        reason: None,
        detail: None,
        hubs: Vec::new(),
    };
    records::admit(&store, &done.request, application.now()).await.unwrap();
    records::conclude(&store, &done, None, application.now()).await.unwrap();
    // What is as old as this very second is not older than now.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

    let report = reporting::run(&application).await.unwrap();
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(records::request(&store, "done").await.unwrap().is_none());
    assert!(records::request(&store, "open").await.unwrap().is_some());
    simulator.stop().await;
}
