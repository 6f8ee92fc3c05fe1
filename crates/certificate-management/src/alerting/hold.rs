//! When the absence of a finding proves nothing: a suppression keeps it quiet, or the report did not see what it is
//! about. An alert clears only when the report has seen that its cause is gone.

use crate::checks::CheckId;
use crate::finding::{Finding, Subject};
use crate::finding_subject::{DECLARED, DEVICES, HUBS, LINKS, PROVISIONING_SERVICES};
use crate::reason::Reason;
use crate::report::Report;

/// Whether an alert stays as it is, though its finding is not among those of the report.
pub(super) fn is_held(finding: &Finding, report: &Report) -> bool {
    report.suppressed.iter().any(|quiet| quiet.finding.id == finding.id)
        || report.unread.iter().any(|unread| hides(&unread.subject, &[], finding))
        || report.unseen.iter().any(|unseen| hides(&unseen.subject, &unseen.shown, finding))
}

/// Whether the report could not make a finding because it did not see `unseen`, of which it saw only the hubs `shown`.
fn hides(unseen: &Subject, shown: &[String], finding: &Finding) -> bool {
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
        Some(LINKS) => return finding.reason == Reason::LinkNeedMissing,
        Some(DECLARED) => return finding.check == CheckId::DeclaredResource,
        Some(HUBS) => return subject.hub.as_ref().is_some_and(|hub| !shows(shown, hub)),
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
fn shows(shown: &[String], hub: &str) -> bool {
    shown.iter().any(|shown| shown.eq_ignore_ascii_case(hub))
}
