use certificate_management::checks::CheckId;
use certificate_management::configuration::{Configuration, Thresholds};
use certificate_management::finding::{Finding, Subject, WAITS_FOR};
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::ReadFailure;
use certificate_management::reason::Reason;
use certificate_management::report::{Counted, Looks, NamespaceInput, Records, ReportInput};
use certificate_management::trust_over_time::TrustOverTime;
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
        trust: TrustOverTime::default(),
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
    assert!(fresh.contains("2026-11-25 16:05 UTC") && !fresh.contains("is old"), "{fresh}");
    let old = document(&report, NOW + Duration::days(3), &Thresholds::default(), &Links::default()).unwrap();
    assert!(old.contains("2026-11-25 16:05 UTC") && old.contains("is old"), "{old}");
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

/// Nothing on a page grows old while a tab is open: the same report is the same page, until it is overdue.
#[test]
fn what_a_page_says_does_not_depend_on_when_it_is_sent() {
    let report = report("503", false);
    let at = |now| document(&report, now, &Thresholds::default(), &Links::default()).unwrap();
    assert_eq!(at(NOW), at(NOW + OVERDUE));
    let alone = |now| of_namespace(&report, now, &Thresholds::default(), &Links::default()).unwrap();
    assert_eq!(alone(NOW), alone(NOW + Duration::days(9)));
}

/// The cards of a page, each as its text.
fn cards(html: &str) -> Vec<&str> {
    html.split("<article").skip(1).filter_map(|rest| rest.split("</article>").next()).collect()
}

#[test]
fn every_place_has_one_next_step() {
    let mut report = report("503", false);
    let place = report.findings[0].subject.clone();
    let finding = |n: usize, step: &str| {
        let subject = place.clone().in_policy(&format!("policy-{n}")).on_hub(&format!("hub-{n}"));
        Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, "").with_next_step(step)
    };
    let steps = |report: &Report| -> Vec<usize> {
        let html = document(report, NOW, &Thresholds::default(), &Links::default()).unwrap();
        cards(&html).iter().map(|card| card.matches("<strong>Next step</strong>").count()).collect()
    };
    report.findings = vec![finding(1, "wait"), finding(2, "wait"), finding(3, "wait")];
    assert_eq!(steps(&report), [1], "what is the same in all places is said once");
    report.findings = vec![finding(1, "wait"), finding(2, "act"), finding(3, "wait")];
    assert_eq!(steps(&report), [3], "each place says its own");
}

#[test]
fn namespaces_that_are_in_order_are_folded_and_the_most_urgent_stands_first() {
    let mut report = report("503", false);
    let (line, namespace) = (report.lines[0].clone(), report.namespaces[0].clone());
    (report.lines, report.namespaces) = (Vec::new(), Vec::new());
    for (name, critical, days) in
        [("calm-1", 0, 90), ("later", 1, 59), ("calm-2", 0, 3), ("sooner", 1, 11), ("calm-3", 0, 4)]
            .into_iter()
            .chain((4..9).map(|_| ("calm-n", 0, 90)))
    {
        let id = line.id.child("x", name);
        report.lines.push(NamespaceLine {
            id: id.clone(),
            critical,
            warning: 0,
            is_unreadable: false,
            next_end: Some(NOW + Duration::days(days)),
            ..line.clone()
        });
        let name = name.to_owned();
        report.namespaces.push(report::NamespaceReport { id, name, unreadable: None, ..namespace.clone() });
    }
    let html = document(&report, NOW, &Thresholds::default(), &Links::default()).unwrap();
    let opened: Vec<&str> = html
        .split("<details class=\"namespace\"")
        .skip(1)
        .filter(|rest| rest.starts_with(" open"))
        .filter_map(|rest| rest.split("<h2 class=\"name\">").nth(1)?.split('<').next())
        .collect();
    assert_eq!(opened, ["sooner", "later"]);
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} is not in {html}"));
    assert!(
        place(">sooner</a>") < place(">later</a>") && place(">later</a>") < place("8 namespaces in order")
    );
    assert!(place("8 namespaces in order") < place(">calm-2</a>"));
    // Each line leads to its section, wherever that stands.
    let section = html.split("<section id=\"n4\"").nth(1).unwrap();
    assert!(html.contains("href=\"#n4\">sooner</a>") && section.contains("aria-label=\"Namespace sooner\""));
}

#[test]
fn messages_that_wait_are_the_headline_where_nothing_else_is() {
    use certificate_management::report::{DeadLetters, ParkedMessage, WaitingMessages};
    let mut report = report("503", false);
    report.findings.clear();
    (report.summary.findings.critical, report.summary.findings.warning) = (0, 0);
    let mut html = |waiting| {
        report.waiting = waiting;
        document(&report, NOW, &Thresholds::default(), &Links::default()).unwrap()
    };
    assert!(html(None).contains("Nothing needs a person now"));
    let none = WaitingMessages {
        dead_letters: Some(DeadLetters { count: 0, is_cut: false }),
        ..WaitingMessages::default()
    };
    let empty = html(Some(none.clone()));
    assert!(empty.contains("Nothing needs a person now") && !empty.contains("id=\"parked\""), "{empty}");
    let message = ParkedMessage {
        id: Some("<b>order-7".into()),
        reason: Some("message-not-json".into()),
        detail: None,
        since: NOW,
    };
    let one = html(Some(WaitingMessages { parked: 1, listed: vec![message], ..none.clone() }));
    assert!(one.contains("1 message waits for a person") && one.contains("&#60;b&#62;order-7"), "{one}");
    let dead =
        html(Some(WaitingMessages { dead_letters: Some(DeadLetters { count: 32, is_cut: true }), ..none }));
    assert!(dead.contains("32 messages wait") && dead.contains("At least 32 messages"), "{dead}");
    let unknown = html(Some(WaitingMessages::default()));
    assert!(unknown.contains("could not be learnt"), "{unknown}");
}
