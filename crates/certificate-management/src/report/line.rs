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

/// How much a namespace needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Something about it is critical.
    AtOnce,
    /// There are warnings about it.
    Soon,
    /// It could not be read, so it is not known.
    Unknown,
    /// Nothing was found.
    None,
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

    /// How much it needs a person, and in which order: the first first. Of namespaces that need one as much as each other, that comes
    /// first whose issuing CA ends next.
    #[must_use]
    pub fn urgency(&self) -> (Need, bool, Option<OffsetDateTime>, String) {
        (self.need(), self.next_end.is_none(), self.next_end, self.id.key())
    }

    /// How much it needs a person.
    #[must_use]
    pub const fn need(&self) -> Need {
        match (self.critical, self.warning, self.is_unreadable) {
            (1.., _, _) => Need::AtOnce,
            (0, 1.., _) => Need::Soon,
            (0, 0, true) => Need::Unknown,
            (0, 0, false) => Need::None,
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

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::checks::testing::{NOW, World};

    #[test]
    fn what_needs_a_person_comes_first_and_eleven_days_before_fifty_nine() {
        let line = World::healthy().report().lines[0].clone();
        let named = |name: &str, critical, warning, days: Option<i64>| NamespaceLine {
            id: line.id.child("x", name),
            critical,
            warning,
            next_end: days.map(|days| NOW + Duration::days(days)),
            ..line.clone()
        };
        let unreadable = NamespaceLine { is_unreadable: true, ..named("g", 0, 0, None) };
        let mut lines = [
            named("h", 0, 0, Some(3)),
            named("d", 0, 9, Some(59)),
            unreadable,
            named("c", 0, 1, Some(11)),
            named("e", 0, 1, None),
            named("b", 7, 0, Some(30)),
            named("a", 1, 0, Some(30)),
            named("i", 0, 0, Some(900)),
        ];
        let sorted = |lines: &mut [NamespaceLine]| -> String {
            lines.sort_by_key(NamespaceLine::urgency);
            lines.iter().map(NamespaceLine::name).collect()
        };
        assert_eq!(sorted(&mut lines), "abcdeghi");
        lines.reverse();
        assert_eq!(sorted(&mut lines), "abcdeghi", "from whatever order");
    }
}
