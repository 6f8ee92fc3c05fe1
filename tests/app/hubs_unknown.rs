//! A hub that was not seen proves nothing: the app assigns no group past such a hub, and no finding clears because a
//! list could not be read.

use std::sync::Arc;

use certificate_management::alerting::{FindingEvent, FindingState};
use certificate_management::checks::CheckId;
use certificate_management::generation::NamespaceGeneration;
use certificate_management::next_step::Caller;
use functions_host::TraceContext;
use policysync::assignment::{self, RunSummary, Waker};
use policysync::reporting;
use policysync::walk::GroupHint;
use serde_json::{Value, json};

use crate::in_process::InProcess;
use crate::operator::{DPS, GROUP};

const HUBS: &str = "/subscriptions/*/providers/Microsoft.Devices/IotHubs";
const SERVICES: &str = "/subscriptions/*/providers/Microsoft.Devices/provisioningServices";

async fn reconcile(app: &InProcess) -> RunSummary {
    assignment::reconcile_all(&app.application, waker(&TraceContext::default())).await
}

fn waker(trace: &TraceContext) -> Waker<'_> {
    Waker { function: "reconcile-assignments", invocation: "i", trace }
}

fn endpoint(app: &InProcess) -> String {
    format!("{}/dps/{DPS}", app.simulator.url())
}

async fn policy_of(app: &InProcess, id: &str) -> Option<String> {
    let groups = app.application.fleet.azure.enrollment_groups(NamespaceGeneration::Credentials);
    groups.get(&endpoint(app), id).await.unwrap().unwrap().view.policy
}

async fn refusal(app: &InProcess, id: &str) -> Value {
    let key = format!("refusals/{DPS}/{id}");
    app.application.store.get::<Value>(&key).await.unwrap().unwrap().value
}

/// An empty list, as the service answers when the identity may see nothing in it.
fn empty(path: &str) -> Value {
    json!({"method": "GET", "path": path, "status": 200, "body": {"value": []}})
}

fn fails(path: &str) -> Value {
    json!({"path": path, "status": 503})
}

#[tokio::test]
async fn a_group_whose_hubs_are_not_seen_waits_and_is_assigned_once_they_are() {
    for (what, is_named_by_endpoint, hidden) in [
        ("the hubs are hidden by roles, or in a subscription that is not named", false, empty(HUBS)),
        ("the DPS is named by its endpoint and not found", true, empty(SERVICES)),
        ("the certificates of the hubs cannot be read", false, fails("*/IotHubs/*/certificates")),
    ] {
        let mut app = InProcess::start().await;
        if is_named_by_endpoint {
            let endpoint = endpoint(&app);
            Arc::make_mut(&mut app.application.fleet.configuration).namespaces[0].provisioning_services =
                vec![endpoint];
        }
        app.faults(&json!([hidden]));
        let done = reconcile(&app).await;
        assert_eq!((done.assigned, done.waiting > 0), (0, true), "{what}: {done:?}");
        assert_eq!(policy_of(&app, GROUP).await, None, "{what}");
        let kept = refusal(&app, GROUP).await;
        assert_eq!(kept["reason"], "hubs-unknown", "{what}: {kept}");
        let report = reporting::live::report(&app.application.fleet, Caller::Person, Err("no records")).await;
        let text = serde_json::to_string(&report.namespaces[0]).unwrap();
        assert!(text.contains(r#""status":"waiting-for-trust""#), "{what}: {text}");
        let of_group = report.findings.iter().find(|finding| {
            finding.check == CheckId::GroupUnassigned
                && finding.subject.enrollment_group.as_deref() == Some(GROUP)
        });
        assert_eq!(of_group.unwrap().reason.code(), "hubs-unknown", "{what}");

        app.faults(&json!([]));
        assert_eq!(reconcile(&app).await.assigned, 1, "{what}");
        assert_eq!(policy_of(&app, GROUP).await.as_deref(), Some("default"), "{what}");
    }
}

#[tokio::test]
async fn a_group_of_an_attestation_that_this_version_does_not_know_is_not_written() {
    let app = InProcess::start().await;
    let path = format!("*/enrollmentGroups/{GROUP}");
    let of_tomorrow = json!({"attestation": {"type": "passkey", "passkey": {}}});
    app.faults(&json!([{"method": "GET", "path": path, "merge": of_tomorrow}]));
    let hint = GroupHint { provisioning_service: Some(DPS.to_owned()), enrollment_group: GROUP.to_owned() };
    let trace = TraceContext::default();
    let done = assignment::reconcile(&app.application, vec![hint], waker(&trace)).await;
    assert_eq!((done.groups, done.assigned), (1, 0), "{done:?}");
    assert_eq!(refusal(&app, GROUP).await["reason"], "attestation-unknown");
    app.faults(&json!([]));
    assert_eq!(policy_of(&app, GROUP).await, None);
    assert_eq!(reconcile(&app).await.assigned, 1);
}

/// The events of a report about groups.
fn of_groups(events: &[FindingEvent]) -> Vec<(FindingState, String)> {
    let about = events.iter().filter(|event| event.data.finding.subject.enrollment_group.is_some());
    about.map(|event| (event.data.state, event.data.finding.subject.text.clone())).collect()
}

#[tokio::test]
async fn a_list_that_cannot_be_read_clears_no_finding_and_raises_none_again() {
    let app = InProcess::start().await;
    // A new group is left to the next reconcile first.
    app.later(time::Duration::hours(1));
    let told = reporting::run(&app.application).await.unwrap().events;
    let raised = of_groups(&told);
    assert!(raised.iter().any(|(_, subject)| subject.ends_with(GROUP)), "{raised:?}");
    assert!(raised.iter().all(|(state, _)| *state == FindingState::Raised), "{raised:?}");
    for unreadable in [
        fails(SERVICES),
        fails(HUBS),
        fails("/dps/*/query"),
        fails("*/IotHubs/*/certificates"),
        fails("*/namespaces/*"),
        empty(HUBS),
    ] {
        app.faults(&json!([unreadable]));
        let events = reporting::run(&app.application).await.unwrap().events;
        assert_eq!(of_groups(&events), [], "{unreadable}");
        app.faults(&json!([]));
        let events = reporting::run(&app.application).await.unwrap().events;
        assert_eq!(of_groups(&events), [], "after {unreadable}");
    }
    reconcile(&app).await;
    let events = reporting::run(&app.application).await.unwrap().events;
    let cleared = of_groups(&events);
    assert!(
        cleared.iter().any(|(state, subject)| *state == FindingState::Cleared && subject.ends_with(GROUP))
    );
}
