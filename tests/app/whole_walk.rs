//! How far a reconcile comes, what it begins with, and what it says of that.

use std::time::Duration;

use certificate_management::walk_run::WalkRun;
use functions_host::{Failure, Reply};
use policysync::assignment::LAST_RECONCILE;
use policysync::changes;
use policysync::functions::{assign_policy, handle_streamed_events, reconcile_assignments};
use policysync::reporting;
use policysync::walk::Pace;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::simulated_time::{Answered, SimulatedTime, Size, invocation};

const SIZE: Size = Size { subscriptions: 1, namespaces: 20, hubs: 1, services: 20 };

async fn reconcile(app: &SimulatedTime) -> WalkRun {
    let status = json!({"Last": "2026-11-29T11:45:00Z", "Next": "2026-11-29T12:00:00Z", "LastUpdated": "2026-11-29T11:45:00Z"});
    let timer = json!({"timer": {"ScheduleStatus": status, "IsPastDue": false}});
    let fired = invocation(&reconcile_assignments::DEFINITION, &timer);
    drop(reconcile_assignments::run(&app.application, fired).await.unwrap());
    app.application.store.get::<WalkRun>(LAST_RECONCILE).await.unwrap().unwrap().value
}

/// A diagnostic record says that a group of this DPS was written.
async fn event(app: &SimulatedTime, service: &str) -> Result<Reply, Failure> {
    let properties = json!({"id": "line-1", "type": "EnrollmentGroup"});
    let record = json!({
        "operationName": "Upsert", "category": "ServiceOperations", "resultType": "Success",
        "resourceId": format!("/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/{}", service.to_uppercase()),
        "properties": properties.to_string(),
    });
    let records = json!({"records": json!([record.to_string()]).to_string()});
    assign_policy::run(&app.application, invocation(&assign_policy::DEFINITION, &records)).await
}

async fn partial_findings(app: &SimulatedTime) -> Vec<String> {
    reporting::run(&app.application).await.unwrap();
    let report = app.application.store.get::<Value>(reporting::LATEST).await.unwrap().unwrap().value;
    let findings = report["findings"].as_array().unwrap().iter();
    let partial = findings.filter(|finding| finding["check"] == "reconcile-partial");
    partial.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_namespaces_with_two_hundred_dps_are_reconciled_within_the_period() {
    let app = SimulatedTime::start(Size { subscriptions: 4, namespaces: 1_000, hubs: 10, services: 200 });
    let since = Instant::now();
    let run = reconcile(&app).await;
    assert!(since.elapsed() < Duration::from_secs(15 * 60), "{:?}", since.elapsed());
    assert!(run.is_whole(), "{run}");
    assert_eq!((run.provisioning_services, run.provisioning_services_in_all), (200, 200));
    let calls = app.azure.answered();
    for service in 0..200 {
        let of = format!("/dps/d{service}/");
        let calls = calls.iter().filter(|answered| answered.path.starts_with(&of)).count();
        assert_eq!(calls, 1, "d{service}: a list of groups, of 1,000 operations a minute");
    }
    assert_eq!(partial_findings(&app).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_does_not_fit_into_a_run_says_how_long_it_takes_and_takes_as_long() {
    // Time for a part of the visits; 13 reads each, of 25 a second.
    let pace = Pace { begins: Duration::from_secs(20), ..Pace::default() };
    let app = SimulatedTime::at(Size { subscriptions: 1, namespaces: 120, hubs: 10, services: 120 }, pace);
    let run = reconcile(&app).await;
    let runs = run.runs().unwrap();
    assert!(runs >= 2 && run.provisioning_services < 120, "{run}");
    assert_eq!(run.provisioning_services_in_all, 120);
    assert_eq!(run.whole_seconds(), Some(runs * 900));
    let said = format!("a whole walk takes about {runs} runs, {} minutes", runs * 15);
    assert!(run.to_string().ends_with(&said), "{run}");
    let told = partial_findings(&app).await;
    assert!(told.len() == 1 && told[0].ends_with(&said), "{told:?}");
    app.azure.forget();
    for _ in 0..runs {
        tokio::time::advance(Duration::from_secs(900)).await;
        reconcile(&app).await;
    }
    assert_eq!(app.azure.listed().len(), 120, "as many runs are a whole walk");
}

/// How the work on an event can end without being finished.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Refused,
    Killed,
}

#[tokio::test(start_paused = true)]
async fn a_dps_whose_event_was_not_finished_is_the_first_of_the_next_reconcile() {
    for ends in [Ends::Refused, Ends::Killed] {
        let pace = Pace { at_once: 1, ..Pace::default() };
        let app = SimulatedTime::at(SIZE, pace);
        reconcile(&app).await;
        let longest_unseen = app.azure.listed();
        let later = longest_unseen[13].clone();
        match ends {
            Ends::Refused => {
                app.azure.refuse(&later);
                assert!(event(&app, &later).await.is_err());
            }
            Ends::Killed => {
                app.azure.hang(&later);
                let killed = timeout(Duration::from_secs(5), event(&app, &later)).await;
                assert!(killed.is_err());
            }
        }
        app.azure.heal();
        app.azure.forget();
        reconcile(&app).await;
        let mut expected = longest_unseen.clone();
        let first = expected.remove(13);
        expected.insert(0, first);
        assert_eq!(app.azure.listed(), expected, "{ends:?}: it, and then what was unseen for longest");
        assert_eq!(
            changes::unfinished(&app.application.store).await,
            [],
            "{ends:?}: the reconcile has finished it"
        );
    }
}

/// A namespace was written, says one event, and a group of a DPS was created, says the other.
async fn resource_events(app: &SimulatedTime, namespace: usize, service: &str) -> Result<Reply, Failure> {
    let written = json!({
        "id": "1", "type": "Microsoft.Resources.ResourceWriteSuccess", "source": "s", "specversion": "1.0",
        "subject": SIZE.namespace(namespace), "data": {},
    });
    let created = json!({
        "id": "2", "type": "Policysync.EnrollmentGroup.Created", "source": "s", "specversion": "1.0",
        "data": {"enrollmentGroupId": "line-1", "provisioningService": service},
    });
    let events = json!([written.to_string(), created.to_string()]).to_string();
    let batch = invocation(&handle_streamed_events::DEFINITION, &json!({ "events": events }));
    handle_streamed_events::run(&app.application, batch).await
}

#[tokio::test(start_paused = true)]
async fn a_namespace_whose_look_could_not_be_scheduled_comes_first_and_the_other_event_is_worked_on() {
    let app = SimulatedTime::at(SIZE, Pace { at_once: 1, ..Pace::default() });
    reconcile(&app).await;
    let longest_unseen = app.azure.listed();
    app.azure.forget();
    app.azure.refuse("servicebus");
    let (namespace, service) = (&longest_unseen[13], &longest_unseen[7]);
    let failed = resource_events(&app, namespace.trim_start_matches('d').parse().unwrap(), service).await;
    assert!(failed.is_err());
    let groups = |answered: &Answered| answered.path == format!("/dps/{service}/enrollmentgroups/line-1");
    assert_eq!(app.azure.answered().iter().filter(|answered| groups(answered)).count(), 1);
    app.azure.heal();
    app.azure.forget();
    reconcile(&app).await;
    assert_eq!(app.azure.listed()[..2], [namespace.clone(), longest_unseen[0].clone()]);
    assert_eq!(changes::unfinished(&app.application.store).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_dps_that_refuses_the_reconcile_too_stays_unfinished_and_a_finished_event_changes_no_order() {
    let pace = Pace { at_once: 1, ..Pace::default() };
    let app = SimulatedTime::at(Size { subscriptions: 1, namespaces: 5, hubs: 1, services: 5 }, pace);
    reconcile(&app).await;
    let longest_unseen = app.azure.listed();
    let later = longest_unseen[3].clone();
    drop(event(&app, &later).await.unwrap());
    app.azure.forget();
    reconcile(&app).await;
    assert_eq!(app.azure.listed(), longest_unseen);

    app.azure.refuse(&later);
    assert!(event(&app, &later).await.is_err());
    for _ in 0..2 {
        app.azure.forget();
        let timer = json!({"timer": {"IsPastDue": false}});
        let fired = invocation(&reconcile_assignments::DEFINITION, &timer);
        assert!(reconcile_assignments::run(&app.application, fired).await.is_err());
        assert_eq!(app.azure.listed()[0], later, "each reconcile begins with it");
        assert_eq!(changes::unfinished(&app.application.store).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_reads_the_namespace_of_its_dps_alone() {
    let app = SimulatedTime::start(Size { subscriptions: 1, namespaces: 100, hubs: 1, services: 100 });
    drop(event(&app, "d42").await.unwrap());
    assert_eq!((app.azure.count("/namespaces/n42"), app.azure.count("/namespaces/n41")), (1, 0));
    assert_eq!(app.azure.count("/enrollmentgroups/line-1"), 1);
}
