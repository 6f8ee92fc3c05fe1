//! Audit mode stops every POST, and no id stands for two requests.

use azure_simulator::Options;
use certificate_management::sync::Phase;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::reporting;
use policysync::synchronization::submission::{self, SubmitError};
use serde_json::json;
use time::Duration;

use crate::in_process::{InProcess, received};

const KILL_SWITCH: (&str, &str) = ("POLICYSYNC_MODE", "audit");

/// A namespace that needs a sync, with a request that has joined.
async fn gathering() -> InProcess {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let requests = [app.request(0, "wanted", &json!({}))];
    app.handle(received(&requests)).await;
    app
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_sent_again_after_a_restart_in_audit() {
    let mut app = gathering().await;
    // The POST itself is lost, so no evidence will come of it.
    app.faults(&json!([{"method": "POST", "path": "*/synchronize", "close": true}]));
    app.deliver_batches(1).await;
    assert_eq!(app.posts(), [None]);
    assert_eq!(app.sync(0).await.phase, Phase::Claimed);
    app.restart(&[KILL_SWITCH]);
    app.faults(&json!([]));
    app.deliver(Duration::minutes(3)).await;
    assert_eq!(app.posts(), [None]);
    assert_eq!(app.outcome("wanted").await, ("refused".to_owned(), Some("audit-mode")));
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_sent_again_in_enforce() {
    let app = gathering().await;
    app.faults(&json!([{"method": "POST", "path": "*/synchronize", "close": true, "times": 1}]));
    app.deliver(Duration::minutes(3)).await;
    assert_eq!(app.posts(), [None, Some(202)]);
    assert_eq!(app.outcome("wanted").await, ("trusted".to_owned(), None));
}

#[tokio::test]
async fn what_gathered_before_the_kill_switch_is_refused_and_nothing_is_sent() {
    let mut app = gathering().await;
    app.restart(&[KILL_SWITCH]);
    app.deliver(Duration::seconds(5)).await;
    let late = [app.request(0, "late", &json!({}))];
    app.handle(received(&late)).await;
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(reporting::run(&app.application).await.unwrap().submitted, 0);
    assert_eq!(app.posts(), []);
    for id in ["wanted", "late"] {
        assert_eq!(app.outcome(id).await, ("refused".to_owned(), Some("audit-mode")), "{id}");
    }
}

#[tokio::test]
async fn an_automatic_request_whose_send_failed_is_sent_again_by_the_next_report() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    app.faults(&json!([{"method": "POST", "path": "/servicebus/*", "status": 400}]));
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!((done.submitted, done.failures.len()), (0, 1), "{:?}", done.failures);
    app.faults(&json!([]));
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!((done.submitted, done.failures), (1, Vec::new()));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.posts(), [Some(202)]);
    assert_eq!(reporting::run(&app.application).await.unwrap().submitted, 0, "every hub trusts");
}

#[tokio::test]
async fn an_automatic_request_that_was_refused_is_made_again_eight_times_a_day_at_the_most() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    app.faults(&json!([{"method": "POST", "path": "*/synchronize", "status": 403}]));
    for _ in 0..10 {
        reporting::run(&app.application).await.unwrap();
        app.deliver(Duration::seconds(1)).await;
    }
    assert_eq!(app.posts(), [Some(403); 8]);
}

#[tokio::test]
async fn one_id_for_two_namespaces_is_one_request_and_the_other_is_parked() {
    // Both of them in enforce mode, so that each would have an outcome of its own.
    let app = InProcess::of(Options::default(), DEFAULT_CONFIGURATION).await;
    app.rotate(1).await;
    let first = app.request(0, "same", &json!({}));
    let (second, neighbour) = (app.request(1, "same", &json!({})), app.request(1, "own", &json!({})));
    app.handle(received(std::slice::from_ref(&first))).await;
    let done = app.handle(received(&[second.clone(), neighbour])).await;
    assert_eq!((done.requests, done.parked, done.held), (2, 1, 0));
    // Over HTTP the app refuses it with 409, and takes a repeat of the first request for the same request.
    let refused = submission::submit(&app.application, &second).await;
    assert!(matches!(refused, Err(SubmitError::DifferentRequest(id)) if id == "same"));
    assert!(submission::submit(&app.application, &first).await.is_ok());
    app.deliver(Duration::seconds(5)).await;
    let parked = app.on_queue("sync-requests-parked").await;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0]["reason"], "request-id-taken");
    let record = app.record("same").await;
    assert_eq!(record.request.namespace_id, first.namespace_id);
    assert!(record.hubs.iter().all(|hub| hub.hub.starts_with("contoso-plants")), "{:?}", record.hubs);
    assert_eq!(app.outcome("same").await.0, "already-trusted");
    assert_eq!(app.outcome("own").await.0, "trusted");
}

#[tokio::test]
async fn one_id_for_two_namespaces_in_one_batch_is_one_request_whichever_comes_first() {
    let app = InProcess::start().await;
    let both = [app.request(0, "same", &json!({})), app.request(1, "same", &json!({}))];
    let done = app.handle(received(&both)).await;
    assert_eq!((done.parked, done.held), (1, 0));
    app.deliver(Duration::seconds(5)).await;
    let record = app.record("same").await;
    let name = record.request.namespace_id.name();
    assert!(record.outcome.is_final() && record.hubs.iter().all(|hub| hub.hub.starts_with(name)));
}
