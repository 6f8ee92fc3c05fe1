//! What one read tells a whole process, and for how long: reports that come soon after each other list nothing twice, what has
//! changed is seen when the answer is old, and neither an event, which says that something has just changed, nor a reconcile,
//! which writes, believes an answer from before.

use azure::remembered::{LISTS_FOR, VERSIONS_FOR};
use functions_host::TraceContext;
use policysync::assignment::{self, Waker};
use policysync::functions::handle_resource_event;
use policysync::reporting;
use serde_json::{Value, json};

use crate::simulated_time::{SimulatedTime, Size, invocation};

const SIZE: Size = Size { subscriptions: 2, namespaces: 6, hubs: 2, services: 6 };

/// Calls since the last time: questions for versions, lists of hubs, lists of DPS, reads of a namespace, of a hub.
fn calls(app: &SimulatedTime) -> [usize; 5] {
    let kinds = [
        "/microsoft.deviceregistry",
        "/iothubs",
        "/provisioningservices",
        "/namespaces/n1",
        "/h1-0/certificates",
    ];
    let counts = kinds.map(|kind| app.azure.count(kind));
    app.azure.forget();
    counts
}

/// How many hubs a new report knows of.
async fn hubs(app: &SimulatedTime) -> u64 {
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!(done.failures, Vec::<String>::new());
    let report = app.application.store.get::<Value>(reporting::LATEST).await.unwrap().unwrap().value;
    report["summary"]["hubs"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_reports_of_a_process_read_once_what_one_read_tells() {
    let app = SimulatedTime::start(SIZE);
    assert_eq!(hubs(&app).await, 12);
    assert_eq!(
        calls(&app),
        [2, 2, 2, 2, 1],
        "once for each subscription; a namespace and a hub once for each report, and for its links once a day"
    );
    app.azure.link("new");
    assert_eq!(hubs(&app).await, 12, "the list is that of the report before");
    assert_eq!(calls(&app), [0, 0, 0, 1, 1]);
    tokio::time::advance(LISTS_FOR).await;
    assert_eq!(hubs(&app).await, 13, "the new hub is seen when the list is old");
    assert_eq!(calls(&app), [0, 2, 2, 1, 1]);
    tokio::time::advance(VERSIONS_FOR).await;
    hubs(&app).await;
    assert_eq!(calls(&app), [2, 2, 2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_event_about_a_hub_that_was_linked_just_now_does_not_believe_an_older_list() {
    let app = SimulatedTime::start(SIZE);
    hubs(&app).await;
    app.azure.link("new");
    app.azure.forget();
    let id = SIZE.hub(0, "new");
    let event = json!({"event": {
        "id": "1", "type": "Microsoft.Resources.ResourceWriteSuccess", "source": "/subscriptions/S", "subject": id,
        "specversion": "1.0", "time": "2026-11-29T12:00:00Z", "data": {"resourceUri": id},
    }});
    let fired = invocation(&handle_resource_event::DEFINITION, &event);
    drop(handle_resource_event::run(&app.application, fired).await.unwrap());
    assert_eq!(app.azure.count("/iothubs"), 1);
    let sent =
        app.azure.answered().iter().filter(|answered| answered.path.starts_with("/servicebus/")).count();
    assert_eq!(sent, 1, "a look at its namespace is scheduled");
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_decides_by_lists_that_it_has_read_itself() {
    let app = SimulatedTime::start(SIZE);
    hubs(&app).await;
    app.azure.forget();
    let waker = Waker { function: "reconcile-assignments", invocation: "0", trace: &TraceContext::default() };
    let done = assignment::reconcile_all(&app.application, waker).await;
    assert_eq!((done.groups, done.failures), (6, Vec::new()));
    assert_eq!(calls(&app), [0, 2, 2, 1, 1]);
}
