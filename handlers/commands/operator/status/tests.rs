//! The exit codes.

use certificate_management::checks::CheckId;
use certificate_management::configuration::Configuration;
use certificate_management::finding::{Finding, Subject};
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::ReadFailure;
use certificate_management::reason::Reason;
use certificate_management::report::{
    self, CheckNotMade, Counted, DeadLetters, Looks, NamespaceInput, ParkedMessage, RecordKind, ReportInput,
    WaitingMessages,
};
use certificate_management::trust_over_time::TrustOverTime;
use time::OffsetDateTime;

use super::*;
use crate::commands::golden;

fn report(severities: &[Severity], is_readable: bool) -> Report {
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    let configuration = Configuration::parse(&format!("[[namespace]]\nid = \"{id}\"")).unwrap();
    let mut report = report::build(&ReportInput {
        configuration: &configuration,
        kill_switch: false,
        namespaces: vec![NamespaceInput {
            configuration: &configuration.namespaces[0],
            observation: Err(ReadFailure::other("503")),
            provisioning_services: Ok(Vec::new()),
            counted: Counted::default(),
            declared: None,
            links: None,
            issuers: SeenIssuers::default(),
            trust: TrustOverTime::default(),
            looks: Looks::default(),
        }],
        records: None,
        surprises: Vec::new(),
        standing: None,
        now: OffsetDateTime::UNIX_EPOCH,
    });
    if is_readable {
        report.lines[0].is_unreadable = false;
        report.findings.clear();
        report.summary.findings = Default::default();
        report.summary.unreadable_namespaces = 0;
    }
    report.findings.extend(severities.iter().map(|severity| {
        Finding::new(CheckId::CaLeftover, Reason::CaLeftover, Subject::default(), "").with_severity(*severity)
    }));
    report
}

fn arguments(fail_on: FailOn, without_records: bool) -> Arguments {
    Arguments { fail_on, without_records, watch: None, list: false, output: Output::Table }
}

/// A report that tells of messages, with dead letters counted: none unless it says otherwise.
fn looked(mut report: Report) -> Looked {
    let none =
        WaitingMessages { dead_letters: Some(DeadLetters { count: 0, is_cut: false }), ..Default::default() };
    let is_told = report.checks_not_made.is_empty();
    report.waiting = report.waiting.or_else(|| is_told.then_some(none));
    Looked { report, uncounted: None }
}

fn messages(parked: usize, dead_letters: Option<usize>) -> WaitingMessages {
    let message = ParkedMessage { id: None, reason: None, detail: None, since: OffsetDateTime::UNIX_EPOCH };
    WaitingMessages {
        parked,
        is_cut: false,
        listed: vec![message; parked],
        dead_letters: dead_letters.map(|count| DeadLetters { count, is_cut: false }),
    }
}

#[test]
fn messages_that_wait_are_told_with_their_number_since_when_and_the_command_that_shows_them() {
    let mut report = report(&[], true);
    report.waiting = Some(messages(1, Some(2)));
    assert_eq!(exit_code(&report, &arguments(FailOn::Warning, false)), 1);
    assert_eq!(exit_code(&report, &arguments(FailOn::Critical, false)), 0);
    let text = print::screen(&looked(report)).plain(200);
    assert!(text.starts_with("3 messages wait.") && text.contains("1 parked message, the first since 1970-01-01 00:00 UTC; 2 dead letters.\n→ `policysync parked list`"), "{text}");
}

#[test]
fn dead_letters_that_were_not_counted_are_said_and_nothing_is_called_well() {
    let mut report = report(&[], true);
    report.waiting = Some(messages(0, None));
    assert_eq!(exit_code(&report, &arguments(FailOn::Warning, false)), 0);
    let why = Some("ServiceBusConnection is not set".to_owned());
    let text = print::screen(&Looked { report, uncounted: why }).plain(200);
    assert!(
        text.starts_with("Nothing was found.")
            && text.contains("Not checked: dead letters. Why: ServiceBusConnection is not set."),
        "{text}"
    );
}

#[test]
fn the_exit_code_is_that_of_the_worst_that_fail_on_lets_through() {
    use Severity::{Critical, Information, Warning};
    for (severities, on_warning, on_critical) in
        [(&[][..], 0, 0), (&[Information], 0, 0), (&[Warning], 1, 0), (&[Warning, Critical], 2, 2)]
    {
        let report = report(severities, true);
        assert_eq!(exit_code(&report, &arguments(FailOn::Warning, false)), on_warning);
        assert_eq!(exit_code(&report, &arguments(FailOn::Critical, false)), on_critical);
    }
    assert_eq!(exit_code(&report(&[], false), &arguments(FailOn::Critical, false)), NOT_EVALUATED);
}

#[test]
fn checks_that_were_not_made_are_3_unless_they_were_left_out_on_purpose() {
    for severities in [&[][..], &[Severity::Critical]] {
        let report = report(severities, true).without_records("no storage account");
        for fail_on in [FailOn::Warning, FailOn::Critical] {
            assert_eq!(exit_code(&report, &arguments(fail_on, false)), NOT_EVALUATED);
        }
        let worst = if severities.is_empty() { 0 } else { 2 };
        assert_eq!(exit_code(&report, &arguments(FailOn::Warning, true)), worst);
    }
}

#[test]
fn nothing_is_called_well_that_was_not_looked_at() {
    let whole = print::screen(&looked(report(&[], true))).plain(80);
    assert!(whole.starts_with("Nothing needs a person."), "{whole}");
    let lacking = print::screen(&looked(report(&[], true).without_records("no storage account"))).plain(80);
    assert!(!lacking.contains("Nothing needs a person"), "{lacking}");
    for check in CheckId::ALL.iter().filter(|check| check.rests_on().is_some()) {
        assert!(lacking.contains(check.code()), "{check}: {lacking}");
    }
}

/// A report with what makes lines long: an ARM id in a next step, sentences, and names that others chose.
fn long() -> Report {
    let mut report = report(&[], true);
    let id = report.lines[0].id.clone();
    let subject = Subject::namespace(&id);
    let pair = |hub: &str| subject.clone().in_policy("short-lived").on_hub(hub);
    report.findings = vec![
        Finding::new(
            CheckId::HubUntrusting,
            Reason::PolicyStale,
            pair("contoso-plants-hub-west-europe-1"),
            "the hub has an older CA, which ends on 2026-12-01, and not the one that the policy has had since 2026-11-29",
        )
        .with_next_step(format!("Run `policysync submit --namespace {id}`.")),
        Finding::new(
            CheckId::GroupUnassigned,
            Reason::NoRuleMatches,
            subject.clone().in_provisioning_service("https://contoso-dps.azure-devices-provisioning.net").group("line\u{1b}[2J-7"),
            "3 rules tried",
        )
        .with_severity(Severity::Warning),
        Finding::new(CheckId::SectionStale, Reason::SectionStale, subject, "what is known of it is 95 minutes old, and 75 are expected at the most"),
    ];
    (report.summary.findings.critical, report.summary.findings.warning) = (1, 2);
    let why =
        "the records of requests could not be read: the storage account did not answer within 10 seconds";
    report.with_checks_not_made(CheckNotMade::without(RecordKind::Requests, why).collect())
}

#[test]
fn the_golden_report_fits_the_width() {
    golden::compare("status", &print::screen(&looked(long())), &[]);
    assert!(!print::screen(&looked(long())).plain(80).contains("/subscriptions/"), "a name is enough");
}

#[test]
fn no_width_makes_a_line_of_words_longer() {
    for width in 60..160 {
        let text = print::screen(&looked(long())).plain(width);
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width, "{width} columns: {longest}");
    }
}

#[test]
fn a_verdict_says_in_words_what_its_colour_says() {
    for (severities, word) in [(&[Severity::Critical][..], "critical"), (&[Severity::Warning], "warning")] {
        let mut report = report(severities, true);
        let counts = &mut report.summary.findings;
        (counts.critical, counts.warning) = match severities[0] {
            Severity::Critical => (1, 0),
            _ => (0, 1),
        };
        let screen = print::screen(&looked(report));
        assert!(screen.render(80).starts_with('\u{1b}'), "{}", screen.render(80));
        assert!(screen.plain(80).starts_with(&format!("1 {word}.")), "{}", screen.plain(80));
    }
}

#[test]
fn the_list_names_every_check_with_its_thresholds() {
    let defaults = list::screen(&Default::default()).plain(120);
    for check in CheckId::ALL {
        assert!(defaults.contains(check.code()), "{defaults}");
    }
    assert!(defaults.contains("days = [90, 60, 30, 14, 7, 1]"), "{defaults}");
    let json: serde_json::Value = serde_json::from_str(&list::json(&Default::default())).unwrap();
    assert_eq!(json["checks"].as_array().unwrap().len(), CheckId::ALL.len());
}

/// The sentence that would break it: the command that grants a role has the name of the namespace as its scope.
#[test]
fn a_command_of_az_keeps_the_id_and_one_of_ours_has_the_name() {
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    for (command, expected) in [
        (
            format!("Grant the role: `az role assignment create --scope \"{id}\"`."),
            format!("scope \"{id}\"`"),
        ),
        (format!("Run `policysync submit --namespace {id}`."), "namespace contoso`.".to_owned()),
    ] {
        let mut report = report(&[Severity::Critical], true);
        report.findings[0].next_step = command;
        let text = print::screen(&looked(report)).plain(400);
        assert!(text.contains(&expected), "{text}");
    }
}
