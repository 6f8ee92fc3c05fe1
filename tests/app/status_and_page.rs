//! `policysync status` and the page about the same world: what the page tells, `status` tells too, so it never says healthy where the
//! page does not.

use std::collections::BTreeSet;

use azure_simulator::Options;
use certificate_management::checks::CheckId;
use certificate_management::next_step::Caller;
use certificate_management::reason::Severity;
use certificate_management::report::Report;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::reporting::{self, live, pages};
use serde_json::{Value, json};
use time::Duration;

use crate::declared::{CREDENTIAL, empty};
use crate::in_process::{InProcess, received, text};
use crate::managed::{self, managed};

/// What the page shows: the newest report of the app.
async fn page(app: &InProcess) -> Report {
    pages::read(&app.application.store, 1).await.unwrap().expect("there is a report")
}

/// What the command prints.
async fn status(app: &InProcess) -> Report {
    live::report(&app.application.fleet, Caller::Person, Ok(&app.application.store)).await
}

async fn report(app: &InProcess) {
    reporting::run(&app.application).await.unwrap();
}

/// The findings as check, reason and subject.
fn told(report: &Report) -> BTreeSet<(CheckId, &'static str, String)> {
    let of = |finding: &certificate_management::report::Finding| {
        (finding.check, finding.reason.code(), finding.subject.text.clone())
    };
    report.findings.iter().map(of).collect()
}

fn worst(report: &Report) -> Option<Severity> {
    report.findings.iter().map(|finding| finding.severity).max()
}

/// Compares the two; answers the checks that found something.
async fn compared(what: &str, app: &InProcess) -> BTreeSet<CheckId> {
    let (page, status) = (page(app).await, status(app).await);
    let (on_page, in_status) = (told(&page), told(&status));
    let lacking: Vec<_> = on_page.difference(&in_status).collect();
    assert!(lacking.is_empty(), "{what}: the page tells, and `status` does not: {lacking:#?}");
    assert!(worst(&status) >= worst(&page), "{what}: {in_status:#?}");
    assert_eq!(status.checks_not_made, vec![], "{what}");
    let both = [&page, &status].map(|report| json!(report.requests));
    assert_eq!(both[0], both[1], "{what}: the sync requests");
    for (on_page, in_status) in page.lines.iter().zip(&status.lines) {
        assert!(in_status.critical >= on_page.critical && in_status.warning >= on_page.warning, "{what}");
    }
    in_status.into_iter().map(|(check, ..)| check).collect()
}

fn forbidden(method: &str, path: &str) -> Value {
    json!({"method": method, "path": path, "status": 403, "times": 1_000})
}

#[tokio::test]
async fn a_world_without_trouble_is_healthy_for_both() {
    let app = InProcess::start().await;
    managed::reconcile(&app).await;
    report(&app).await;
    let found = compared("no trouble", &app).await;
    assert!(!found.contains(&CheckId::HubUntrusting), "{found:?}");
}

#[tokio::test]
async fn parked_messages_and_failed_requests_are_told_by_both() {
    let app = InProcess::start().await;
    app.handle(vec![text("x", "not json")]).await;
    report(&app).await;
    compared("a parked message", &app).await;

    app.rotate(0).await;
    app.faults(&json!([forbidden("POST", "*/synchronize")]));
    app.handle(received(&[app.request(0, "r-1", &json!({}))])).await;
    app.deliver(Duration::seconds(5)).await;
    app.faults(&json!([]));
    report(&app).await;
    let found = compared("a request that failed", &app).await;
    assert!(found.contains(&CheckId::SyncUnverified), "{found:?}");
}

#[tokio::test]
async fn a_rotation_under_way_is_told_by_both() {
    let app = InProcess::start().await;
    report(&app).await;
    app.rotate(0).await;
    report(&app).await;
    let found = compared("a rotation under way", &app).await;
    assert!(found.contains(&CheckId::HubUntrusting), "{found:?}");
    // It is done: the hub no longer has the CA before, which only the looks before remember.
    app.deliver(Duration::seconds(5)).await;
    report(&app).await;
    compared("a rotation that was followed", &app).await;
}

#[tokio::test]
async fn a_report_that_did_not_come_is_told_before_and_after_the_next_one() {
    let app = InProcess::start().await;
    report(&app).await;
    app.later(Duration::hours(5));
    let late = status(&app).await;
    assert!(late.findings.iter().any(|finding| finding.check == CheckId::ReportOverdue), "{:?}", told(&late));
    report(&app).await;
    let found = compared("the report after a gap", &app).await;
    assert!(found.contains(&CheckId::ReportOverdue), "{found:?}");
}

#[tokio::test]
async fn without_any_report_the_checks_of_it_were_not_made() {
    let app = InProcess::start().await;
    let status = status(&app).await;
    let not_made: Vec<CheckId> = status.checks_not_made.iter().map(|one| one.check).collect();
    let of_reports = [CheckId::ReportOverdue, CheckId::ConfigurationBehind];
    assert_eq!(not_made, of_reports, "the page says that there is no report yet");
}

#[tokio::test]
async fn what_the_service_refused_of_the_declared_is_told_by_both() {
    let too_long = CREDENTIAL.replace("= 7", "= 400");
    let app = managed::of(empty("credentials"), &managed("enforce", &too_long, "short-lived")).await;
    for _ in 0..3 {
        managed::reconcile(&app).await;
        managed::next_period(&app);
    }
    report(&app).await;
    let found = compared("a declared policy that was refused", &app).await;
    assert!(found.contains(&CheckId::DeclaredResource), "{found:?}");
}

/// A person may see what the identity of the app may not.
#[tokio::test]
async fn what_only_the_app_cannot_see_is_told_by_both() {
    for (what, fault) in [
        ("it may not read certificates", forbidden("GET", "*/IotHubs/*/certificates")),
        ("it may not read a namespace", forbidden("GET", "*/namespaces/contoso-plants")),
        (
            "no list shows it a hub",
            json!({"method": "GET", "path": "/subscriptions/*/providers/Microsoft.Devices/IotHubs", "status": 200,
                "body": {"value": []}, "times": 1_000}),
        ),
    ] {
        let app = InProcess::start().await;
        app.faults(&json!([fault]));
        report(&app).await;
        app.faults(&json!([]));
        assert!(
            page(&app).await.findings.iter().any(|finding| finding.severity > Severity::Information),
            "{what}"
        );
        compared(what, &app).await;
    }
}

/// A sync would be refused there, so neither sends a person for one.
#[tokio::test]
async fn under_the_kill_switch_and_in_audit_no_next_step_asks_for_a_sync_or_for_a_write_to_come() {
    let audit = DEFAULT_CONFIGURATION.replace("mode = \"enforce\"", "mode = \"audit\"");
    for (what, configuration, settings) in [
        ("the kill switch", DEFAULT_CONFIGURATION, &[("POLICYSYNC_MODE", "audit")][..]),
        ("audit mode", audit.as_str(), &[]),
    ] {
        let mut app = InProcess::of(Options::default(), configuration).await;
        app.restart(settings);
        app.rotate(0).await;
        report(&app).await;
        compared(what, &app).await;
        for report in [page(&app).await, status(&app).await] {
            assert!(!report.findings.is_empty());
            for finding in &report.findings {
                let next_step = &finding.next_step;
                let promises =
                    ["submit", "by itself", "reconcile writes"].iter().any(|words| next_step.contains(words));
                assert!(!promises, "{what}: {}: {next_step}", finding.subject);
            }
        }
    }
}

/// Another person than the app's own identity may not read its storage.
#[tokio::test]
async fn records_that_the_caller_may_not_read_are_no_finding_about_the_app() {
    let app = InProcess::start().await;
    report(&app).await;
    app.faults(&json!([forbidden("GET", "/storage/**")]));
    let status = status(&app).await;
    assert!(status.requests.is_none() && status.summary.requests_in_flight.is_none());
    let not_made: BTreeSet<CheckId> = status.checks_not_made.iter().map(|one| one.check).collect();
    for check in CheckId::ALL.iter().filter(|check| check.rests_on().is_some()) {
        let is_looked_up = *check != CheckId::GroupPolicyChanged;
        assert!(not_made.contains(check) || !is_looked_up, "{check}: {not_made:?}");
    }
    assert!(
        !told(&status).iter().any(|(_, reason, _)| *reason == "permission-missing"),
        "{:?}",
        told(&status)
    );
}
