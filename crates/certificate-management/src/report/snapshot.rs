//! What is kept of a report so that a later one can be compared with it: little enough that one of each hour can stay for days.
//!
//! A snapshot of the largest fleet (1,000 namespaces of ten hubs, every finding that it lists) is under a megabyte, which a test
//! holds; that of ten namespaces some ten kilobytes.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::known_groups::KnownGroup;
use super::summary::GroupCounts;
use super::{Finding, NamespaceReport};
use crate::ArmId;
use crate::checks::CheckId;
use crate::reason::{Reason, Severity};

/// Version of the record.
pub const SNAPSHOT_SCHEMA: &str = "report-snapshot/v1";
/// How many findings are kept, the worst.
pub const FINDINGS_KEPT: usize = 1000;
/// How many hubs of a namespace are kept by name.
const HUBS_KEPT: usize = 64;
/// How many policies of a namespace are kept by name.
const POLICIES_KEPT: usize = 32;
/// How much of a name is kept, in characters.
const KEPT_OF_NAME: usize = 160;

/// What is kept of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// [`SNAPSHOT_SCHEMA`].
    pub schema: String,
    /// When the report was made.
    #[serde(with = "time::serde::rfc3339")]
    pub generated_at: OffsetDateTime,
    /// The worst [`FINDINGS_KEPT`] findings, in the order of the report.
    pub findings: Vec<KnownFinding>,
    /// Whether there were more.
    pub is_cut: bool,
    /// The namespaces, in the order of the configuration.
    pub namespaces: Vec<Standing>,
}

/// What is kept of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KnownFinding {
    /// Its id.
    pub id: String,
    /// The check that found it.
    pub check: CheckId,
    /// How much a person is needed.
    pub severity: Severity,
    /// What is wrong.
    pub reason: Reason,
    /// What it is about.
    pub subject: String,
}

/// What is kept of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its ARM id.
    pub id: ArmId,
    /// What was seen of it; `None`: it could not be read.
    pub seen: Option<Seen>,
    /// Its enrollment groups; `None`: not all of them could be read.
    pub groups: Option<GroupCounts>,
    /// The same by name; `None`: there was no room for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_groups: Option<Vec<KnownGroup>>,
}

/// What was seen of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Names of its linked hubs.
    pub hubs: Vec<String>,
    /// Its policies.
    pub policies: Vec<KnownPolicy>,
    /// Pairs of an active policy and a linked hub.
    pub pairs: usize,
    /// Those of them whose hub admits devices of the policy's current CA.
    pub trusting: usize,
}

/// What is kept of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownPolicy {
    /// Its name.
    pub name: String,
    /// When its issuing CA ends.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ends: Option<OffsetDateTime>,
}

impl Snapshot {
    /// Of a report with these findings, the worst first, and these namespaces.
    #[must_use]
    pub fn of(generated_at: OffsetDateTime, findings: &[Finding], namespaces: Vec<Standing>) -> Self {
        Self {
            schema: SNAPSHOT_SCHEMA.to_owned(),
            generated_at,
            findings: findings.iter().take(FINDINGS_KEPT).map(KnownFinding::of).collect(),
            is_cut: findings.len() > FINDINGS_KEPT,
            namespaces,
        }
    }

    /// Whether this version understands it.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.schema == SNAPSHOT_SCHEMA
    }

    /// Whether a finding of this severity that is not among these was certainly not there. What was cut away is no worse than the
    /// last that is kept.
    #[must_use]
    pub fn knows_all_of(&self, severity: Severity) -> bool {
        let least = self.findings.iter().map(|finding| finding.severity).min();
        !self.is_cut || least.is_some_and(|least| severity > least)
    }
}

impl KnownFinding {
    fn of(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            check: finding.check,
            severity: finding.severity,
            reason: finding.reason,
            subject: beginning(&finding.subject.text),
        }
    }
}

impl Standing {
    /// Of a namespace as the report has it, with its groups by name where they are kept.
    #[must_use]
    pub fn of(namespace: &NamespaceReport, known_groups: Option<Vec<KnownGroup>>) -> Self {
        let policy = |policy: &super::PolicyReport| KnownPolicy {
            name: beginning(&policy.name),
            ends: policy.issuing_ca_not_after,
        };
        let seen = namespace.unreadable.is_none().then(|| Seen {
            hubs: namespace.hubs.iter().take(HUBS_KEPT).map(|hub| beginning(&hub.name)).collect(),
            policies: namespace.policies.iter().take(POLICIES_KEPT).map(policy).collect(),
            pairs: namespace.trust.len(),
            trusting: namespace.trust.iter().filter(|pair| pair.trust.admits_current()).count(),
        });
        let services = &namespace.provisioning_services;
        let are_read = seen.is_some() && services.iter().all(|service| service.unreadable.is_none());
        let groups = are_read.then(|| {
            let mut counts = GroupCounts::default();
            services.iter().for_each(|service| counts.add(&service.enrollment_groups));
            counts
        });
        let known_groups = known_groups.filter(|_| are_read);
        Self { id: namespace.id.clone(), seen, groups, known_groups }
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(KEPT_OF_NAME).collect()
}
