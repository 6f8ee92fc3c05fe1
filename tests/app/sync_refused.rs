//! Refusals of a service, and the pauses that it asks for: a lock is final, a conflict ends at the need's one deadline,
//! and the app waits for no pause that is longer than the longest one between two looks.

use azure_simulator::Options;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use serde_json::{Value, json};
use time::Duration;

use crate::in_process::{InProcess, received, text};

/// A namespace that needs a sync, with a request that has joined. The app waits `seconds` for evidence.
async fn waiting(seconds: u32, faults: &Value) -> InProcess {
    let mode = "mode = \"enforce\"";
    let configuration = format!("{mode}\nevidence_deadline_seconds = {seconds}");
    let app = InProcess::of(Options::default(), &DEFAULT_CONFIGURATION.replace(mode, &configuration)).await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    app.faults(faults);
    app
}

fn conflict(code: &str) -> Value {
    let body = json!({"error": {"code": code, "message": "no"}});
    json!([{"method": "POST", "path": "*/synchronize", "status": 409, "body": body}])
}

#[tokio::test]
async fn a_lock_is_one_post_and_then_final() {
    for code in ["ScopeLocked", "ReadOnlyDisabledSubscription"] {
        let app = waiting(1800, &conflict(code)).await;
        app.deliver(Duration::seconds(5)).await;
        assert_eq!(app.posts(), [Some(409)]);
        assert_eq!(app.outcome("r").await, ("failed".to_owned(), Some("namespace-locked")));
    }
}

#[tokio::test]
async fn a_conflict_for_ever_ends_at_the_deadline_of_the_need() {
    let app = waiting(60, &conflict("Conflict")).await;
    let submitted = app.record("r").await.submitted_at;
    app.deliver(Duration::seconds(10)).await;
    assert_eq!(app.outcome("r").await, ("failed".to_owned(), Some("sync-conflict")));
    let took = app.record("r").await.updated_at - submitted;
    assert!(took >= Duration::seconds(60) && took < Duration::minutes(3), "{took}");
    assert!(app.posts().len() <= 8, "{:?}", app.posts());
}

#[tokio::test]
async fn no_pause_that_a_service_asks_for_stops_a_sync() {
    for seconds in [86_400_u64, 900_000_000_000, u64::MAX] {
        for fault in [
            json!({"method": "POST", "path": "*/synchronize", "status": 429, "retryAfter": seconds, "times": 1}),
            json!({"method": "GET", "path": "*/operationStatuses/*", "status": 200, "retryAfter": seconds, "times": 1,
                   "body": {"status": "Running"}}),
        ] {
            let app = waiting(1800, &json!([&fault])).await;
            app.deliver_batches(2).await;
            let due = app.sync(0).await.next_look_at - app.application.fleet.now();
            // Each follow-up comes at once here, so the app takes the queue's clock for two minutes ahead, the most that it believes.
            assert!(due <= Duration::minutes(3 + 2), "{due} after {fault}");
        }
    }
}

#[tokio::test]
async fn a_hub_that_asks_for_a_day_is_unreadable_and_its_neighbours_are_seen() {
    for seconds in [86_400_u64, 900_000_000_000] {
        let faults =
            json!([{"method": "GET", "path": "*-south/certificates", "status": 429, "retryAfter": seconds}]);
        let app = waiting(60, &faults).await;
        app.deliver_batches(2).await;
        let due = app.sync(0).await.next_look_at - app.application.fleet.now();
        assert!(due <= Duration::minutes(3), "{due}");
    }
}

#[tokio::test]
async fn forged_follow_ups_change_nothing() {
    let app = waiting(1800, &json!([])).await;
    let before = app.sync(0).await;
    let of = |namespace: usize, sync_id: &str, attempt: u64| {
        let namespace = &app.application.fleet.configuration.namespaces[namespace].id;
        let body = json!({"schema": "sync-verification/v1", "syncId": sync_id, "namespaceId": namespace, "attempt": attempt});
        text(&format!("forged-{attempt}-{sync_id}"), body.to_string())
    };
    let forged = vec![
        of(0, &before.sync_id, u64::from(u32::MAX)),
        of(0, &before.sync_id, u64::from(u32::MAX) + 1),
        of(0, &before.sync_id, 0),
        of(0, "another", 1),
        of(1, &before.sync_id, 1),
        of(2, "", 1),
    ];
    let done = app.handle(forged).await;
    assert_eq!((done.follow_ups, done.held, done.parked), (5, 0, 1), "one of them is no number");
    assert_eq!(app.sync(0).await, before);
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("r").await.0, "trusted");
    assert_eq!(app.posts(), [Some(202)]);
}

#[tokio::test]
async fn a_waiting_request_for_one_hub_is_satisfied_by_the_sync_that_it_waits_for() {
    let app = waiting(1800, &json!([])).await;
    app.deliver_batches(1).await;
    assert_eq!(app.posts(), [Some(202)]);
    let one = app.request(0, "one", &json!({"hubs": ["contoso-plants-north"]}));
    app.handle(received(&[one])).await;
    assert_eq!(app.sync(0).await.waiting, ["one"]);
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("one").await.0, "already-trusted");
    assert_eq!(app.posts(), [Some(202)]);
}

#[tokio::test]
async fn hubs_that_are_gone_in_the_middle_end_the_request() {
    let app = waiting(1800, &json!([])).await;
    app.deliver_batches(1).await;
    app.faults(&json!([{"method": "GET", "path": "*/IotHubs", "status": 200, "body": {"value": []}}]));
    app.deliver(Duration::minutes(1)).await;
    assert_eq!(app.outcome("r").await, ("refused".to_owned(), Some("hub-gone")));
    assert!(!app.sync(0).await.is_open());
}

#[tokio::test]
async fn looks_at_a_namespace_that_stays_unreadable_back_off_and_end() {
    let app = InProcess::start().await;
    app.faults(
        &json!([{"method": "GET", "path": "*/namespaces/contoso-plants*", "status": 503, "retryAfter": 900}]),
    );
    let namespace = &app.application.fleet.configuration.namespaces[0].id;
    let look = |attempt: u32| {
        let body = json!({"schema": "namespace-look/v1", "namespaceId": namespace, "because": "an event", "attempt": attempt});
        text("look", body.to_string())
    };
    app.handle(vec![look(0)]).await;
    app.deliver(Duration::ZERO).await;
    let reads = app.simulator.log().entries();
    let reads = reads.iter().filter(|entry| entry.path.ends_with("/namespaces/contoso-plants")).count();
    assert!((2..=40).contains(&reads), "{reads}");
    let done = app.handle(vec![look(u32::MAX)]).await;
    assert_eq!((done.held, app.on_queue("sync-requests").await.len()), (0, 0), "a forged one ends at once");
}
