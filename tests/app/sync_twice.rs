//! Messages that come twice, early, at several instances at once, or to an instance that is cut off in the middle cost
//! time only.

use std::time::Duration as Wait;

use azure_simulator::Options;
use azure_simulator::fleet::Fleet;
use certificate_management::sync::{MOST_REQUESTS, SyncRecord};
use futures::future::join_all;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::observation::Observer;
use policysync::reporting;
use policysync::synchronization::batch;
use policysync::synchronization::received::Received;
use policysync::synchronization::{records, resume};
use serde_json::{Value, json};
use state::Change;
use time::Duration;

use crate::in_process::{InProcess, received, text};

/// A namespace that needs a sync which takes so many seconds, with a request that has joined.
async fn waiting(synchronize_seconds: u32) -> InProcess {
    let fleet = Fleet { synchronize_seconds, ..Fleet::default_fleet() };
    let app = InProcess::of(Options { fleet, ..Options::default() }, DEFAULT_CONFIGURATION).await;
    app.rotate(0).await;
    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    app
}

fn copies(bodies: &[Value]) -> Vec<Received> {
    bodies.iter().map(|body| text("copy", body.to_string())).collect()
}

#[tokio::test]
async fn a_follow_up_that_comes_early_and_twice_never_stops_the_sync() {
    let app = waiting(150).await;
    let mut seen = 0;
    // The test delivers messages before they are due, and the clock of the app stands still.
    for _ in 0..40 {
        let messages = app.on_queue("sync-requests").await;
        seen += messages.len();
        for copy in copies(&messages) {
            app.handle(vec![copy.clone()]).await;
            app.handle(vec![copy]).await;
        }
        app.simulator.advance(Duration::seconds(30));
        app.deliver_once().await;
    }
    app.deliver(Duration::seconds(5)).await;
    assert!(seen > 4, "{seen}");
    assert_eq!(app.outcome("r").await.0, "trusted");
    assert_eq!(app.posts(), [Some(202)]);
    app.later(Duration::hours(1));
    let resumed = resume::resume(&app.application, &Observer::new(&app.application.fleet)).await;
    assert_eq!(resumed, resume::Resumed::default(), "nothing was left for the report");
}

#[tokio::test]
async fn follow_ups_that_come_too_late_cost_one_read_however_many_there_are() {
    let app = waiting(1).await;
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("r").await.0, "trusted");
    let ended = app.sync(0).await;
    let late = |attempt| {
        json!({"schema": "sync-verification/v1", "syncId": ended.sync_id, "namespaceId": ended.namespace_id,
            "attempt": attempt})
    };
    let late: Vec<Value> = (1..=20).map(late).collect();
    let before = app.simulator.log().entries().len();
    let handled = app.handle(copies(&late)).await;
    let calls = app.simulator.log().entries().split_off(before);
    assert_eq!((handled.follow_ups, handled.held, calls.len()), (20, 0, 1), "{calls:?}");
    assert_eq!(app.sync(0).await, ended);
}

#[tokio::test]
async fn three_instances_at_once_make_one_post() {
    for _ in 0..5 {
        let app = waiting(3).await;
        for _ in 0..3 {
            let messages = app.on_queue("sync-requests").await;
            let instances = (0..3).map(|_| batch::handle(&app.application, copies(&messages)));
            for handled in join_all(instances).await {
                assert_eq!(handled.unwrap().held, 0);
            }
        }
        app.deliver(Duration::seconds(5)).await;
        assert_eq!(app.outcome("r").await.0, "trusted");
        assert_eq!(app.posts(), [Some(202)]);
    }
}

#[tokio::test]
async fn a_batch_that_is_cut_off_at_any_instant_costs_time_only() {
    let cut_off = |after: u64| async move {
        let app = waiting(3).await;
        for _ in 0..4 {
            let messages = copies(&app.on_queue("sync-requests").await);
            // The batch is dropped at any await; the queue delivers its messages again.
            let cut =
                tokio::time::timeout(Wait::from_millis(after), batch::handle(&app.application, messages));
            drop(cut.await);
            app.deliver_batches(1).await;
        }
        app.deliver(Duration::minutes(1)).await;
        let outcome = app.outcome("r").await.0;
        assert!(matches!(outcome.as_str(), "trusted"), "{outcome} when cut off after {after} ms");
        // A second POST is right only where the first had no effect.
        let accepted = app.posts().iter().filter(|status| **status == Some(202)).count();
        assert!(accepted <= 1, "{:?} when cut off after {after} ms", app.posts());
        let open = app.application.store.list(records::TAKEN).await.unwrap();
        assert_eq!(open.keys, Vec::<String>::new());
    };
    for chunk in (0..20).collect::<Vec<u64>>().chunks(5) {
        join_all(chunk.iter().map(|after| cut_off(after * 4 + 2))).await;
    }
}

#[tokio::test]
async fn a_request_that_its_sync_has_no_room_for_comes_again() {
    let app = waiting(3).await;
    let namespace = app.application.fleet.configuration.namespaces[0].id.clone();
    let full = |record: Option<SyncRecord>| {
        let requests = (0..MOST_REQUESTS).map(|number| format!("gone-{number}")).collect();
        Change::Write(SyncRecord { requests, ..record.expect("the sync gathers") })
    };
    app.application.store.modify(&records::sync_key(&namespace), full).await.unwrap();
    let beyond: Vec<_> =
        (0..40).map(|number| app.request(0, &format!("beyond-{number}"), &json!({}))).collect();
    app.handle(received(&beyond)).await;
    assert!(!app.sync(0).await.knows("beyond-0"));
    let marks = app.application.store.list(records::TAKEN).await.unwrap();
    assert_eq!(marks.keys.len(), 40, "no sync knows them");
    app.later(Duration::minutes(10));
    reporting::run(&app.application).await.unwrap();
    app.deliver(Duration::seconds(5)).await;
    for request in &beyond {
        assert_eq!(app.outcome(&request.request_id).await.0, "trusted");
    }
    let marks = app.application.store.list(records::TAKEN).await.unwrap();
    assert_eq!(marks.keys, Vec::<String>::new());
    assert_eq!(app.posts(), [Some(202)]);
}
