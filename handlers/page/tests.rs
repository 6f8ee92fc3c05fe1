use certificate_management::configuration::Configuration;
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::ReadFailure;
use certificate_management::report::{Counted, Looks, NamespaceInput, Records, ReportInput};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-25 16:05 UTC);
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
        now: NOW,
    })
}

#[test]
fn what_services_say_does_not_become_markup() {
    let html =
        document(&report("<script>alert(1)</script>\"'&</style>", false), NOW, OVERDUE, &Links::default())
            .unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert_eq!(html.matches("alert(1)").count(), 3, "at the top, as a finding, and in its section");
    assert_eq!(html.matches("</style>").count(), 1);
}

#[test]
fn a_report_says_how_old_it_is_and_an_old_one_that_it_is_old() {
    let report = report("503", false);
    let fresh = document(&report, NOW + OVERDUE, OVERDUE, &Links::default()).unwrap();
    assert!(fresh.contains("2 hours before") && !fresh.contains("is old"), "{fresh}");
    let old = document(&report, NOW + Duration::days(3), OVERDUE, &Links::default()).unwrap();
    assert!(old.contains("3 days before") && old.contains("is old"), "{old}");
}

#[test]
fn the_kill_switch_is_told_and_then_no_single_namespace_is() {
    let html = document(&report("503", true), NOW, OVERDUE, &Links::default()).unwrap();
    assert!(
        html.contains("<code>POLICYSYNC_MODE=audit</code> is set") && !html.contains("is in audit mode"),
        "{html}"
    );
    assert!(
        !document(&report("503", false), NOW, OVERDUE, &Links::default())
            .unwrap()
            .contains("POLICYSYNC_MODE")
    );
}

#[test]
fn every_finding_has_its_row_of_the_runbook_on_the_page() {
    let html = document(&report("503", false), NOW, OVERDUE, &Links::default()).unwrap();
    assert!(
        html.contains("href=\"#check-unreadable\"") && html.contains("id=\"check-unreadable\""),
        "{html}"
    );
}
