//! `[checks]` of `policysync.toml`: the thresholds at which a check makes a finding.

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::reason::Severity;

/// The thresholds of every check that has one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Thresholds {
    /// Of `ca-expiring`.
    pub ca_expiring: CaExpiring,
    /// Of `hub-certificate-limit`.
    pub hub_certificate_limit: HubCertificateLimit,
    /// Of `group-unassigned`.
    pub group_unassigned: GroupUnassigned,
    /// Of `sync-unverified`.
    pub sync_unverified: SyncUnverified,
    /// Of `report-overdue`.
    pub report_overdue: ReportOverdue,
    /// Of `section-stale`.
    pub section_stale: SectionStale,
}

/// The ladder of a CA that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CaExpiring {
    /// Days before the end at which it is announced, each once; the most first.
    pub days: Vec<u16>,
    /// From which of them on it is critical, in days before the end.
    pub critical_days: u16,
}

/// How many certificates a hub can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HubCertificateLimit {
    /// The most that a hub takes (`azure-wire-facts.md` §7).
    pub limit: u16,
    /// A hub with no more free places than this is a finding. Each rotation takes one per policy until the old CA is removed.
    pub margin: u16,
}

/// How long a group may be without the policy that the next reconcile gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct GroupUnassigned {
    /// Minutes after its creation: the period of `POLICYSYNC_RECONCILE_SCHEDULE`, and the time of a run. A group that waits for
    /// something else, or is in a namespace in audit mode, is told at once.
    pub minutes: u32,
}

/// How long an unverified sync stays a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SyncUnverified {
    /// Days after its end.
    pub days: u16,
}

/// How old the report before this one may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ReportOverdue {
    /// Minutes: the period of `POLICYSYNC_REPORT_SCHEDULE`, twice and some.
    pub minutes: u32,
}

/// How old what the report says of a namespace may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SectionStale {
    /// Minutes: the period of `POLICYSYNC_REPORT_SCHEDULE`, twice and some. More where a fleet takes several runs.
    pub minutes: u32,
}

impl Default for CaExpiring {
    fn default() -> Self {
        Self { days: vec![90, 60, 30, 14, 7, 1], critical_days: 14 }
    }
}

impl Default for HubCertificateLimit {
    fn default() -> Self {
        Self { limit: 25, margin: 3 }
    }
}

impl Default for GroupUnassigned {
    fn default() -> Self {
        Self { minutes: 30 }
    }
}

impl Default for SyncUnverified {
    fn default() -> Self {
        Self { days: 7 }
    }
}

impl Default for ReportOverdue {
    fn default() -> Self {
        Self { minutes: 150 }
    }
}

impl Default for SectionStale {
    fn default() -> Self {
        Self { minutes: 150 }
    }
}

impl CaExpiring {
    /// The step of the ladder that a CA with so much time left is on, as its days; `None`: it ends later than the first
    /// of them.
    #[must_use]
    pub fn step(&self, left: Duration) -> Option<u16> {
        self.days.iter().copied().filter(|&days| left <= Duration::days(i64::from(days))).min()
    }

    /// How much a person is needed at a step.
    #[must_use]
    pub fn severity(&self, step: u16) -> Severity {
        if step <= self.critical_days { Severity::Critical } else { Severity::Warning }
    }
}
