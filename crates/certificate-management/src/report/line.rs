//! One namespace in a line: what there is to compare it by.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Finding, NamespaceReport};
use crate::ArmId;
use crate::configuration::Mode;
use crate::reason::Severity;

/// One namespace in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceLine {
    /// Its ARM id.
    pub id: ArmId,
    /// Whether functions write to it.
    pub mode: Mode,
    /// Until when it is frozen and why; left out where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// When the part of it was looked at that waits longest, to the second; `None`: a part was not looked at yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub seen_at: Option<OffsetDateTime>,
    /// Whether it could not be read, and then the rest is nothing. Left out where it could be, as almost always.
    #[serde(rename = "unreadable", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unreadable: bool,
    /// Critical findings about it.
    pub critical: usize,
    /// Warnings about it.
    pub warning: usize,
    /// Pairs of an active policy and a linked hub.
    pub pairs: usize,
    /// Those of them whose hub admits devices of the policy's current CA.
    pub trusting: usize,
    /// Enrollment groups that should have a policy.
    pub groups: usize,
    /// Those of them that name a policy of the namespace.
    pub assigned: usize,
    /// When its next issuing CA ends, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_end: Option<OffsetDateTime>,
}

impl NamespaceLine {
    /// What a namespace comes to, with the findings about it that are not kept quiet.
    pub(super) fn of(namespace: &NamespaceReport, findings: &[Finding]) -> Self {
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let groups = || namespace.provisioning_services.iter().map(|service| &service.enrollment_groups);
        let oldest = namespace.seen_at.min(namespace.services_seen_at);
        let next_end = namespace.policies.iter().filter_map(|policy| policy.issuing_ca_not_after).min();
        Self {
            id: namespace.id.clone(),
            mode: namespace.mode,
            frozen: None,
            seen_at: oldest.map(whole_seconds),
            is_unreadable: namespace.unreadable.is_some(),
            critical: of(Severity::Critical),
            warning: of(Severity::Warning),
            pairs: namespace.trust.len(),
            trusting: namespace.trust.iter().filter(|pair| pair.trust.admits_current()).count(),
            groups: groups().map(|groups| groups.total - groups.opted_out.count).sum(),
            assigned: groups().map(|groups| groups.assigned()).sum(),
            next_end: next_end.map(whole_seconds),
        }
    }

    /// Counts one more finding about it.
    pub(super) const fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Critical => self.critical += 1,
            Severity::Warning => self.warning += 1,
            Severity::Information => {}
        }
    }

    /// The namespace's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.id.name()
    }
}

/// A thousand lines are read over slow networks, and nothing in them is compared by parts of a second.
fn whole_seconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}
