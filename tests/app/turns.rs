//! A walk through the namespaces stops in time, and each namespace has its turn, even when others hang.

use std::time::Duration;

use azure_simulator::Options;
use azure_simulator::fleet::Fleet;
use functions_host::TraceContext;
use policysync::assignment::{self, Waker};
use policysync::reporting;
use policysync::walk::{GroupHint, Pace};
use serde_json::{Value, json};

use crate::in_process::InProcess;

const SUBSCRIPTION: &str = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40";
/// How long each part of a visit may take.
const PART: Duration = Duration::from_secs(1);

/// A pace at which eight visits begin in one walk, when a visit to a namespace that hangs takes so many parts.
fn pace(parts: u32) -> Pace {
    Pace { service: PART, visit: PART, begins: PART * parts * 3 / 2, ..Pace::default() }
}

fn names() -> impl Iterator<Item = String> {
    (0..10).map(|number| format!("hanging-{number}")).chain(["answering".to_owned()])
}

/// Ten namespaces that hang, and behind them one that answers.
pub async fn world(pace: Pace) -> InProcess {
    let mut fleet = format!("subscription = \"{SUBSCRIPTION}\"\nlocation = \"westeurope\"\n");
    let mut configuration = String::new();
    for name in names() {
        fleet += &format!(
            "[[namespace]]\nname = \"{name}\"\nresource_group = \"rg\"\n[[namespace.policy]]\nname = \"default\"\n\
             leaf_validity_days = 30\n[[namespace.hub]]\nname = \"{name}-hub\"\n[[namespace.provisioning_service]]\n\
             name = \"{name}-dps\"\n[[namespace.provisioning_service.enrollment_group]]\nname = \"line-1\"\n"
        );
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers");
        configuration += &format!(
            "[[namespace]]\nid = \"{group}/Microsoft.DeviceRegistry/namespaces/{name}\"\nmode = \"enforce\"\n\
             provisioning_services = [\"{group}/Microsoft.Devices/provisioningServices/{name}-dps\"]\n\
             [[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"default\"\n"
        );
    }
    let fleet = Fleet::from_toml(&fleet).unwrap();
    let mut app = InProcess::of(Options { fleet, ..Options::default() }, &configuration).await;
    app.walk_at(pace);
    app.faults(&json!([{"path": "*/namespaces/hanging-*", "delaySeconds": 60}]));
    app
}

fn reads_of_the_one_that_answers(app: &InProcess) -> usize {
    let is_it = |path: &str| path.to_ascii_lowercase().ends_with("/namespaces/answering");
    app.simulator.log().entries().iter().filter(|entry| is_it(&entry.path)).count()
}

#[tokio::test]
async fn ten_namespaces_that_hang_keep_the_eleventh_from_no_turn_of_the_reconcile() {
    let app = world(pace(1)).await;
    let trace = TraceContext::default();
    let waker = Waker { function: "reconcile-assignments", invocation: "0", trace: &trace };
    let mut assigned = 0;
    for _ in 0..2 {
        let before = reads_of_the_one_that_answers(&app);
        // Eleven turns take two walks of eight.
        for _ in 0..2 {
            let done = assignment::reconcile_all(&app.application, waker).await;
            assert!(done.not_visited > 0, "a walk ends in time: {done:?}");
            assigned += done.assigned;
        }
        assert!(reads_of_the_one_that_answers(&app) > before, "it has its turn within two walks");
    }
    assert_eq!(assigned, 1, "the group of the namespace that answers, once");
}

#[tokio::test]
async fn a_report_says_whose_turn_did_not_come_and_the_next_one_begins_there() {
    let app = world(pace(2)).await;
    for round in 0..2 {
        let before = reads_of_the_one_that_answers(&app);
        for run in 0..2 {
            let done = reporting::run(&app.application).await.unwrap();
            assert!(done.not_visited > 0, "a walk ends in time: {done:?}");
            let report = app.application.store.get::<Value>(reporting::LATEST).await.unwrap().unwrap().value;
            let findings = report["findings"].to_string();
            // From the second run on each of them was looked at.
            assert_eq!(findings.contains("not been looked at yet"), (round, run) == (0, 0), "{findings}");
        }
        assert!(reads_of_the_one_that_answers(&app) > before, "it has its turn within two reports");
    }
}

#[tokio::test]
async fn an_event_whose_namespace_had_no_turn_fails_so_that_it_comes_again() {
    let app = world(pace(1)).await;
    let trace = TraceContext::default();
    let waker = Waker { function: "assign-policy", invocation: "0", trace: &trace };
    // Any of the eleven DPS can have a group of which the event does not say where it is.
    let hint = |service: Option<&str>| GroupHint {
        provisioning_service: service.map(str::to_owned),
        enrollment_group: "line-1".to_owned(),
    };
    let done = assignment::reconcile(&app.application, vec![hint(None)], waker).await;
    let told = done.failures.iter().any(|failure| failure.contains("could not be looked at in time"));
    assert!(told && done.groups == 0, "{done:?}");
    let done = assignment::reconcile(&app.application, vec![hint(Some("answering-dps"))], waker).await;
    assert_eq!(
        (done.groups, done.failures),
        (1, Vec::new()),
        "one that says it waits for no namespace that hangs"
    );
}

#[tokio::test]
async fn provisioning_services_that_hang_leave_the_namespace_its_time() {
    let mut app = InProcess::start().await;
    app.walk_at(Pace { service: Duration::from_secs(2), visit: Duration::from_secs(2), ..Pace::default() });
    app.faults(&json!([{"path": "/dps/*", "delaySeconds": 60}]));
    reporting::run(&app.application).await.unwrap();
    let report = app.application.store.get::<Value>(reporting::LATEST).await.unwrap().unwrap().value;
    let reasons: Vec<&Value> =
        report["findings"].as_array().unwrap().iter().map(|finding| &finding["reason"]).collect();
    assert!(reasons.contains(&&json!("group-unreadable")), "{reasons:?}");
    assert!(!reasons.contains(&&json!("namespace-unreadable")), "{reasons:?}");
}
