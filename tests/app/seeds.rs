//! Two whole apps that go by one clock and draw from one seed make the same ids.

use ambient::{Ambient, Clock, Randomness};
use azure_simulator::Options;
use functions_host::{Invocation, TraceContext};
use http::HeaderMap;
use policysync::assignment::{self, Waker};
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::functions::sync_requests;
use policysync::synchronization::messages;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use crate::in_process::{InProcess, received, text};

/// The ids that an app makes: of a request over HTTP, of the sync that it joins, of the message of a request that is sent again, of
/// a record of what could not be parked, of one write of the store, and of a run of assignments.
async fn made(ambient: Ambient) -> Vec<String> {
    let app = InProcess::within(ambient, Options::default(), DEFAULT_CONFIGURATION).await;
    let shared = &app.application;
    let namespace = &shared.fleet.configuration.namespaces[0].id;
    let body = json!({"namespaceId": namespace}).to_string();
    let http = json!({"Method": "POST", "Url": "http://localhost/api/sync-requests", "Body": body});
    let envelope = json!({"Data": {"req": http}, "Metadata": {}}).to_string();
    let deadline = Instant::now() + std::time::Duration::from_secs(60);
    let invocation =
        Invocation::decode(&sync_requests::DEFINITION, &HeaderMap::new(), envelope.as_bytes(), deadline);
    drop(sync_requests::run(shared, invocation.unwrap()).await.unwrap());
    let request = app.on_queue("sync-requests").await[0]["requestId"].as_str().unwrap().to_owned();

    let known = app.record(&request).await.request;
    app.handle(received(std::slice::from_ref(&known))).await;
    let sync = app.sync(0).await.sync_id;

    messages::send_request_again(shared, &known).await.unwrap();
    let sent = app.simulator.queues();
    let locked = sent.receive("sync-requests", 16, std::time::Duration::ZERO).await;
    let again = locked.iter().map(|message| message.message_id.clone()).find(|id| id.starts_with("again-"));

    app.faults(&json!([{"method": "POST", "path": "/servicebus/sync-requests-parked/*", "status": 403}]));
    app.handle(vec![text("odd", "{")]).await;
    let kept = shared.store.list("parked-envelopes").await.unwrap().keys;
    let write = shared.fleet.ambient.randomness.uuid().to_string();

    // This is the last one: visits that begin together are taken down in one write, so how many ids a walk draws depends on
    // the time that each takes.
    let waker = Waker { function: "seeds", invocation: "", trace: &TraceContext::default() };
    let run = assignment::reconcile_all(shared, waker).await.run;
    vec![request, sync, again.unwrap(), kept.concat(), write, run]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seed_gives_two_apps_the_same_ids_and_another_seed_others() {
    // Not long ago, since the simulated Azure goes by the time of the machine.
    let now = OffsetDateTime::now_utc() - Duration::SECOND;
    let ambient = |seed| Ambient { clock: Clock::of(move || now), randomness: Randomness::of_seed(seed) };
    let (one, same, other) = (made(ambient(7)).await, made(ambient(7)).await, made(ambient(8)).await);
    assert!(one.iter().all(|id| id.len() > 20), "{one:?}");
    assert_eq!(one, same);
    for (id, of_other_seed) in one.iter().zip(&other) {
        assert_ne!(id, of_other_seed);
    }
}
