//! A sync whose follow-up message was lost: the report finds it and sends the follow-up again.

use std::sync::Arc;

use async_trait::async_trait;
use azure::{AccessToken, Azure, Cloud, Error, TokenSource};
use certificate_management::ArmId;
use certificate_management::request::{Outcome, SyncRequest};
use policysync::application::Application;
use policysync::commands::local_world::{DEFAULT_CONFIGURATION, Schedules, app_settings};
use policysync::reporting;
use policysync::settings::Settings;
use policysync::synchronization::batch::{self, Received};
use policysync::synchronization::records::{self, SyncRecord};
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

#[tokio::test]
async fn a_sync_whose_follow_up_was_lost_is_found_by_the_report_and_goes_on() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let application = application(&simulator);
    let namespace = application.configuration.namespaces[0].id.clone();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let text = json!({"namespaceId": namespace, "traceparent": traceparent}).to_string();
    let request = SyncRequest::from_submission(&text, "lost").unwrap();
    records::admit(&application.store, &request, application.now()).await.unwrap();
    open_sync(&application, &namespace, Some(traceparent.to_owned())).await;

    let done = reporting::run(&application).await.unwrap();
    assert_eq!((done.resumed, done.failures), (1, Vec::new()));
    assert_eq!(reporting::run(&application).await.unwrap().resumed, 0, "it is under way again");

    let sent = simulator.queues().receive("sync-requests", 10, std::time::Duration::from_secs(5)).await;
    let texts: Vec<String> =
        sent.into_iter().map(|message| String::from_utf8(message.body).unwrap()).collect();
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

/// A sync that has gathered the request, and whose first look was due ten minutes ago.
async fn open_sync(application: &Application, namespace: &ArmId, traceparent: Option<String>) {
    let long_ago = application.now() - Duration::minutes(10);
    let requests = vec!["lost".to_owned()];
    let record = SyncRecord::gathering(namespace, requests, traceparent, long_ago, Duration::minutes(30));
    records::change_sync(&application.store, namespace, |_| (Change::Write(record.clone()), ()))
        .await
        .unwrap();
}
