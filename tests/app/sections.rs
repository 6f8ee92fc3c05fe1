//! Each run stores what its looks have seen: so a run that dies has done what it did, a fleet that takes several runs is
//! reported all the same, and a sync's last look is news without another one.

use std::time::Duration;

use certificate_management::ArmId;
use certificate_management::section::Section;
use functions_host::TraceContext;
use policysync::assignment::{self, Waker};
use policysync::walk::Pace;
use policysync::{reporting, sections};
use serde_json::{Value, json};

use crate::in_process::{InProcess, received};
use crate::turns;

async fn section(app: &InProcess, id: &ArmId) -> Section {
    sections::read(&app.application.store, id).await.unwrap()
}

async fn latest(app: &InProcess) -> Value {
    app.application.store.get::<Value>(reporting::LATEST).await.unwrap().unwrap().value
}

#[tokio::test]
async fn a_run_that_is_killed_with_its_visits_is_gone_on_with_behind_them() {
    // Each visit hangs for longer than any of these runs lives.
    let part = Duration::from_secs(30);
    let pace = Pace { service: part, visit: part, begins: part, ..Pace::default() };
    let app = turns::world(pace).await;
    let answering = app.application.fleet.configuration.namespaces.last().unwrap().id.clone();
    for _ in 0..3 {
        let dies = tokio::time::timeout(Duration::from_secs(2), reporting::run(&app.application)).await;
        assert!(dies.is_err(), "namespaces hang");
    }
    // Four at once hang, and eleven are had by three runs.
    let seen = section(&app, &answering).await;
    assert!(seen.namespace.seen_at().is_some() && seen.services.seen_at().is_some());
    assert!(app.application.store.get::<Value>(reporting::LATEST).await.unwrap().is_none());
}

#[tokio::test]
async fn a_fleet_that_takes_several_runs_is_reported_whole_with_the_age_of_each_part() {
    // No time for any visit.
    let pace = Pace { begins: Duration::ZERO, ..Pace::default() };
    let mut app = InProcess::start().await;
    let namespaces = app.application.fleet.configuration.namespaces.len();
    assert!(namespaces >= 3);
    app.walk_at(pace);
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!((done.namespaces, done.not_visited), (0, namespaces), "a walk without time visits nothing");
    let report = latest(&app).await;
    assert_eq!(report["lines"].as_array().unwrap().len(), namespaces);
    assert_eq!(report["lines"][0]["seenAt"], Value::Null);

    app.walk_at(Pace::default());
    assert_eq!(reporting::run(&app.application).await.unwrap().namespaces, namespaces);
    app.walk_at(pace);
    app.later(time::Duration::hours(2));
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!(done.not_visited, namespaces);
    let report = latest(&app).await;
    let checks = |report: &Value| -> Vec<Value> {
        report["findings"].as_array().unwrap().iter().map(|finding| finding["check"].clone()).collect()
    };
    assert!(report["lines"].as_array().unwrap().iter().all(|line| line["seenAt"] != Value::Null), "{report}");
    assert!(report["summary"]["trust"]["trusted"].as_u64().unwrap() > 0, "what was seen stays said");
    assert!(!checks(&report).contains(&json!("section-stale")), "two hours are not too old");

    app.later(time::Duration::hours(1));
    let done = reporting::run(&app.application).await.unwrap();
    let stale = checks(&latest(&app).await).iter().filter(|check| **check == "section-stale").count();
    assert_eq!(stale, namespaces);
    assert!(done.events.iter().any(|event| event.subject.starts_with("section-stale/")));

    app.walk_at(Pace::default());
    let done = reporting::run(&app.application).await.unwrap();
    let cleared = done.events.iter().filter(|event| {
        event.subject.starts_with("section-stale/") && event.data.state.to_string() == "cleared"
    });
    assert_eq!(cleared.count(), namespaces, "each namespace that is seen again is told to be");
}

#[tokio::test]
async fn the_section_of_a_namespace_that_left_the_configuration_goes_and_the_others_stay() {
    let mut app = InProcess::start().await;
    reporting::run(&app.application).await.unwrap();
    let left =
        ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/left");
    let left = Section::new(&left.unwrap());
    sections::record(&app.application.store, &left).await.unwrap();
    let kept =
        async |app: &InProcess| app.application.store.list(sections::SECTIONS).await.unwrap().keys.len();
    let configured = app.application.fleet.configuration.namespaces.len();
    assert_eq!(kept(&app).await, configured + 1);
    // A run that has no time to look at them leaves them as they are, however old they get.
    app.walk_at(Pace { begins: Duration::ZERO, ..Pace::default() });
    app.later(time::Duration::days(89));
    reporting::run(&app.application).await.unwrap();
    assert_eq!(kept(&app).await, configured + 1);
    app.later(time::Duration::days(2));
    reporting::run(&app.application).await.unwrap();
    assert_eq!(kept(&app).await, configured);
}

#[tokio::test]
async fn the_last_look_of_a_sync_is_kept_without_a_report() {
    let app = InProcess::start().await;
    app.rotate(0).await;
    let request = app.request(0, "r-1", &json!({}));
    app.handle(received(std::slice::from_ref(&request))).await;
    app.deliver(time::Duration::seconds(5)).await;
    assert_eq!(app.outcome("r-1").await.0, "trusted");
    let seen = section(&app, &request.namespace_id).await;
    assert_eq!(seen.services.looked_at(), None, "a sync reads no enrollment groups");
    let configuration = &app.application.fleet.configuration.namespaces[0];
    let input = seen.into_input(configuration);
    let observation = input.observation.unwrap();
    assert!(
        observation.pairs().iter().all(|pair| pair.assessment.trust.admits_current()),
        "what it saw last"
    );
}

#[tokio::test]
async fn a_reconcile_keeps_both_parts_with_what_it_wrote() {
    let app = InProcess::start().await;
    let trace = TraceContext::default();
    let waker = Waker { function: "reconcile-assignments", invocation: "0", trace: &trace };
    let done = assignment::reconcile_all(&app.application, waker).await;
    let mut named = 0;
    for configuration in &app.application.fleet.configuration.namespaces {
        let seen = section(&app, &configuration.id).await;
        assert!(seen.services.seen_at().is_some(), "{}", configuration.id);
        let input = seen.into_input(configuration);
        let services = input.provisioning_services.unwrap();
        for group in services.iter().flat_map(|service| service.enrollment_groups.iter().flatten()) {
            named += usize::from(group.policy.is_some());
        }
    }
    assert!(done.groups > 0 && named >= done.assigned, "{done:?}: {named}");
    let again = assignment::reconcile_all(&app.application, waker).await;
    assert_eq!(again.assigned, 0);
}
