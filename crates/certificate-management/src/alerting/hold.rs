//! When the absence of a finding proves nothing: a suppression keeps it quiet, or the report did not see what it is
//! about. An alert clears only when the report has seen that its cause is gone.

use crate::checks::CheckId;
use crate::finding::{Finding, Subject};
use crate::finding_subject::{DEVICES, HUBS, PROVISIONING_SERVICES};
use crate::report::Report;

/// Whether an alert stays as it is, though its finding is not among those of the report.
pub(super) fn is_held(finding: &Finding, report: &Report) -> bool {
    let unread = report.unread.iter().map(|unread| &unread.subject);
    report.suppressed.iter().any(|quiet| quiet.finding.id == finding.id)
        || unread.chain(&report.unseen).any(|unseen| hides(unseen, finding, report))
}

/// Whether the report could not make a finding because it did not see `unseen`.
fn hides(unseen: &Subject, finding: &Finding, report: &Report) -> bool {
    let subject = &finding.subject;
    if unseen.namespace_id.is_none() {
        return match unseen.component.as_deref() {
            Some("requests") => finding.check == CheckId::SyncUnverified,
            Some("assignments") => {
                matches!(finding.check, CheckId::GroupPolicyChanged | CheckId::DevicesBeforePolicy)
            }
            Some("reports") => finding.check == CheckId::ReportOverdue,
            _ => false,
        };
    }
    if unseen.namespace_id != subject.namespace_id {
        return false;
    }
    match unseen.component.as_deref() {
        Some(PROVISIONING_SERVICES) => return subject.provisioning_service.is_some(),
        Some(HUBS) => return subject.hub.as_ref().is_some_and(|hub| !shows(report, subject, hub)),
        _ => {}
    }
    let is_within = |part: &Option<String>, of: &Option<String>| part.is_none() || part == of;
    let is_hidden =
        unseen.component.as_deref() != Some(DEVICES) || finding.check == CheckId::DevicesBeforePolicy;
    is_hidden
        && is_within(&unseen.hub, &subject.hub)
        && is_within(&unseen.provisioning_service, &subject.provisioning_service)
}

/// Whether the list of the namespace's hubs has this one.
fn shows(report: &Report, subject: &Subject, hub: &str) -> bool {
    let own =
        report.namespaces.iter().filter(|namespace| subject.namespace_id.as_ref() == Some(&namespace.id));
    own.flat_map(|namespace| &namespace.hubs).any(|shown| shown.name.eq_ignore_ascii_case(hub))
}
