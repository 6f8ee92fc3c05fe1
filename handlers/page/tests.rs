use certificate_management::checks::CheckId;
use certificate_management::configuration::{Configuration, Thresholds};
use certificate_management::finding::{Finding, Subject, WAITS_FOR};
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::ReadFailure;
use certificate_management::reason::Reason;
use certificate_management::report::{Counted, Looks, NamespaceInput, Records, ReportInput};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-25 16:05 UTC);
/// When a report is overdue where the configuration says nothing.
const OVERDUE: Duration = Duration::minutes(150);

/// The report of one namespace that cannot be read.
fn report(why: &str, kill_switch: bool) -> Report {
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    let configuration =
        Configuration::parse(&format!("[[namespace]]\nid = \"{id}\"\nmode = \"enforce\"")).unwrap();
    let namespace = NamespaceInput {
        configuration: &configuration.namespaces[0],
        observation: Err(ReadFailure::other(why)),
        provisioning_services: Ok(Vec::new()),
        counted: Counted::default(),
        declared: None,
        links: None,
        issuers: SeenIssuers::default(),
        looks: Looks::at(NOW),
    };
    report::build(&ReportInput {
        configuration: &configuration,
        kill_switch,
        namespaces: vec![namespace],
        records: Some(Records::default()),
        surprises: Vec::new(),
        standing: None,
        now: NOW,
    })
}

#[test]
fn what_services_say_does_not_become_markup() {
    let html = document(
        &report("<script>alert(1)</script>\"'&</style>", false),
        NOW,
        &Thresholds::default(),
        &Links::default(),
    )
    .unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert_eq!(html.matches("alert(1)").count(), 3, "at the top, as a finding, and in its section");
    assert_eq!(html.matches("</style>").count(), 1);
}

#[test]
fn a_report_says_how_old_it_is_and_an_old_one_that_it_is_old() {
    let report = report("503", false);
    let fresh = document(&report, NOW + OVERDUE, &Thresholds::default(), &Links::default()).unwrap();
    assert!(fresh.contains("2 hours before") && !fresh.contains("is old"), "{fresh}");
    let old = document(&report, NOW + Duration::days(3), &Thresholds::default(), &Links::default()).unwrap();
    assert!(old.contains("3 days before") && old.contains("is old"), "{old}");
}

#[test]
fn the_kill_switch_is_told_and_then_no_single_namespace_is() {
    let html = document(&report("503", true), NOW, &Thresholds::default(), &Links::default()).unwrap();
    assert!(
        html.contains("<code>POLICYSYNC_MODE=audit</code> is set") && !html.contains("is in audit mode"),
        "{html}"
    );
    assert!(
        !document(&report("503", false), NOW, &Thresholds::default(), &Links::default())
            .unwrap()
            .contains("POLICYSYNC_MODE")
    );
}

#[test]
fn every_finding_has_its_row_of_the_runbook_on_the_page() {
    let html = document(&report("503", false), NOW, &Thresholds::default(), &Links::default()).unwrap();
    assert!(
        html.contains("href=\"#check-unreadable\"") && html.contains("id=\"check-unreadable\""),
        "{html}"
    );
}

#[test]
fn the_runbook_on_the_page_has_the_thresholds_of_the_configuration() {
    let mut report = report("503", false);
    for (check, reason) in [
        (CheckId::CaExpiring, Reason::CaExpiring),
        (CheckId::HubCertificateLimit, Reason::HubCertificateLimit),
        (CheckId::ReportOverdue, Reason::ReportOverdue),
    ] {
        report.findings.push(Finding::new(check, reason, Subject::component("x"), ""));
    }
    let text = "[checks.ca-expiring]\ndays = [41, 23]\ncritical_days = 23\n[checks.hub-certificate-limit]\nlimit = 12\n\
                margin = 5\n[checks.report-overdue]\nminutes = 77";
    let thresholds: Thresholds = Configuration::examine(text).unwrap().configuration.checks;
    let html = document(&report, NOW, &thresholds, &Links::default()).unwrap();
    for words in ["41 and 23 days", "from 7 certificates on; a hub takes 12", "77 minutes"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    for default in ["90, 60", "a hub takes 25", "150 minutes"] {
        assert!(!html.contains(default), "{default}: {html}");
    }
    assert!(
        document(&report, NOW, &Thresholds::default(), &Links::default())
            .unwrap()
            .contains("90, 60, 30, 14, 7 and 1 days")
    );
}

#[test]
fn what_follows_from_a_cause_stands_under_it() {
    let mut report = report("503", false);
    let hub = report.findings[0].subject.clone().in_policy("short").on_hub("h1");
    let group = |n: usize| {
        let group = report.findings[0]
            .subject
            .clone()
            .in_provisioning_service("https://d")
            .group(&format!("line-{n}"));
        Finding::new(CheckId::GroupUnassigned, Reason::WaitingForTrust, group, "").with(WAITS_FOR, "h1")
    };
    let mut findings: Vec<Finding> = (0..12).map(group).collect();
    findings.push(Finding::new(CheckId::HubUntrusting, Reason::PolicyStale, hub, ""));
    report.summary.findings.critical = 1;
    report.summary.findings.warning = 12;
    report.summary.findings.causes = 1;
    report.findings = findings;
    let html = document(&report, NOW, &Thresholds::default(), &Links::default()).unwrap();
    assert_eq!(html.matches("<article").count(), 1, "{html}");
    assert!(html.contains("12 findings with it: 12 group-unassigned"), "{html}");
    assert!(html.contains("13 findings come down to 1 cause."), "{html}");
    assert!(html.contains("line-11"));
}
