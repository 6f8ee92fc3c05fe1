//! When a finding that is absent says nothing: somebody keeps it quiet, or what it is about could not be read.

use crate::checks::CheckId;
use crate::finding::{Finding, Subject};
use crate::report::Report;

/// Whether an alert stays as it is, though its finding is not among those of the report.
pub(super) fn is_held(finding: &Finding, report: &Report) -> bool {
    report.suppressed.iter().any(|quiet| quiet.finding.id == finding.id)
        || report.unread.iter().any(|unread| hides(&unread.subject, finding))
}

/// Whether a finding could not be seen because something is unread.
fn hides(unread: &Subject, finding: &Finding) -> bool {
    if let Some(records) = &unread.component {
        return match records.as_str() {
            "requests" => finding.check == CheckId::SyncUnverified,
            "assignments" => finding.check == CheckId::GroupPolicyChanged,
            "reports" => finding.check == CheckId::ReportOverdue,
            _ => false,
        };
    }
    let subject = &finding.subject;
    let is_within = |part: &Option<String>, of: &Option<String>| part.is_none() || part == of;
    unread.namespace_id == subject.namespace_id
        && is_within(&unread.hub, &subject.hub)
        && is_within(&unread.provisioning_service, &subject.provisioning_service)
}
