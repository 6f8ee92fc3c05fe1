//! The exit codes.

use certificate_management::checks::CheckId;
use certificate_management::finding::{Finding, Subject};
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::ReadFailure;
use certificate_management::reason::Reason;
use certificate_management::report::{Counted, Looks, NamespaceInput, ReportInput};
use time::OffsetDateTime;

use super::*;

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
            looks: Looks::default(),
        }],
        records: None,
        surprises: Vec::new(),
        now: OffsetDateTime::UNIX_EPOCH,
    });
    if is_readable {
        report.lines[0].is_unreadable = false;
        report.findings.clear();
    }
    report.findings.extend(severities.iter().map(|severity| {
        Finding::new(CheckId::CaLeftover, Reason::CaLeftover, Subject::default(), "").with_severity(*severity)
    }));
    report
}

#[test]
fn the_exit_code_is_that_of_the_worst_that_fail_on_lets_through() {
    use Severity::{Critical, Information, Warning};
    for (severities, on_warning, on_critical) in
        [(&[][..], 0, 0), (&[Information], 0, 0), (&[Warning], 1, 0), (&[Warning, Critical], 2, 2)]
    {
        let report = report(severities, true);
        assert_eq!(exit_code(&report, FailOn::Warning), on_warning);
        assert_eq!(exit_code(&report, FailOn::Critical), on_critical);
    }
    assert_eq!(exit_code(&report(&[], false), FailOn::Critical), NOT_EVALUATED);
}

#[test]
fn the_list_names_every_check_with_its_thresholds() {
    let defaults = list::text(&Default::default(), Output::Table);
    for check in CheckId::ALL {
        assert!(defaults.contains(check.code()), "{defaults}");
    }
    assert!(defaults.contains("days = [90, 60, 30, 14, 7, 1]"), "{defaults}");
    let json: serde_json::Value =
        serde_json::from_str(&list::text(&Default::default(), Output::Json)).unwrap();
    assert_eq!(json["checks"].as_array().unwrap().len(), CheckId::ALL.len());
}
