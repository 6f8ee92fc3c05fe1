//! The counts of a report.

use serde::{Deserialize, Serialize};

use super::{EnrollmentGroups, Finding, NamespaceReport, RequestActivity};
use crate::reason::Severity;
use crate::trust::Trust;

/// The counts of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Namespaces that are configured.
    pub namespaces: usize,
    /// Those of them that could not be read.
    pub unreadable_namespaces: usize,
    /// Policies.
    pub policies: usize,
    /// Linked hubs.
    pub hubs: usize,
    /// Pairs of an active policy and a linked hub, by state of trust.
    pub trust: TrustCounts,
    /// Enrollment groups, by where they stand.
    pub enrollment_groups: GroupCounts,
    /// Findings, by severity.
    pub findings: FindingCounts,
    /// What could not be read.
    pub unread: usize,
    /// What was not seen although nothing failed.
    pub unseen: usize,
    /// Sync requests without an outcome yet, of those that the report lists; `None`: records were not looked at.
    pub requests_in_flight: Option<usize>,
}

/// Pairs by state of trust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustCounts {
    /// [`Trust::Trusted`].
    pub trusted: usize,
    /// [`Trust::Leftover`].
    pub leftover: usize,
    /// [`Trust::Stale`].
    pub stale: usize,
    /// [`Trust::Missing`].
    pub missing: usize,
    /// [`Trust::Unreadable`].
    pub unreadable: usize,
}

/// Enrollment groups by where they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GroupCounts {
    /// All that could be read.
    pub total: usize,
    /// They name a policy of the namespace.
    pub assigned: usize,
    /// They have no policy and should have one.
    pub unassigned: usize,
    /// They get their policy later.
    pub waiting: usize,
    /// They name a policy that the namespace does not have.
    pub dangling: usize,
    /// They should have no policy.
    pub opted_out: usize,
}

/// Findings by severity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingCounts {
    /// Devices fail now, or will soon.
    pub critical: usize,
    /// A person should look this week.
    pub warning: usize,
    /// No person is needed.
    pub information: usize,
    /// Kept quiet by the configuration; not among the others.
    pub suppressed: usize,
    /// What the others come down to: see [`crate::causes`].
    #[serde(default)]
    pub causes: usize,
}

impl Summary {
    /// Counts what is said of the fleet as a whole.
    pub(super) fn count(
        &mut self,
        findings: &[Finding],
        suppressed: usize,
        requests: Option<&RequestActivity>,
    ) {
        self.findings = FindingCounts { suppressed, ..FindingCounts::default() };
        self.requests_in_flight = requests.map(|requests| requests.in_flight.len());
        for finding in findings {
            *match finding.severity {
                Severity::Critical => &mut self.findings.critical,
                Severity::Warning => &mut self.findings.warning,
                Severity::Information => &mut self.findings.information,
            } += 1;
        }
    }

    /// Counts one namespace.
    pub(super) fn add(&mut self, namespace: &NamespaceReport) {
        self.namespaces += 1;
        self.unreadable_namespaces += usize::from(namespace.unreadable.is_some());
        self.policies += namespace.policies.len();
        self.hubs += namespace.hubs.len();
        for pair in &namespace.trust {
            *match pair.trust {
                Trust::Trusted => &mut self.trust.trusted,
                Trust::Leftover => &mut self.trust.leftover,
                Trust::Stale => &mut self.trust.stale,
                Trust::Missing => &mut self.trust.missing,
                Trust::Unreadable => &mut self.trust.unreadable,
            } += 1;
        }
        for groups in namespace.provisioning_services.iter().map(|service| &service.enrollment_groups) {
            self.enrollment_groups.add(groups);
        }
    }
}

impl GroupCounts {
    /// Counts those of one DPS.
    pub(super) fn add(&mut self, groups: &EnrollmentGroups) {
        self.total += groups.total;
        self.assigned += groups.assigned();
        self.unassigned += groups.unassigned.count;
        self.waiting += groups.waiting.count;
        self.dangling += groups.dangling.count;
        self.opted_out += groups.opted_out.count;
    }
}
