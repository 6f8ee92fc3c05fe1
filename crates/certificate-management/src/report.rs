//! The report that people look at: what was observed, what needs a person, and how old the data is.
//!
//! - [`namespace`]: policies, the grid of policies and hubs, per namespace.
//! - [`authorities`]: certificate authorities, also those without a policy.
//! - [`groups`]: enrollment groups: counts of all, and the first of each kind.
//! - [`snapshot`]: what is kept of a report, and [`changes`]: what changed between two.
//! - [`activity`]: sync requests in flight, and what became of the last ones.
//!
//! It is made of [`ReportInput`]: what was read, and what could not be; or by [`Fold`], of one namespace after the other.
//! Its JSON is described by `docs/policy-status.schema.json`, which a test holds against real reports.

pub mod activity;
pub mod authorities;
mod build;
pub mod changes;
mod ends;
mod fold;
pub mod groups;
pub mod known_groups;
mod line;
pub mod namespace;
mod not_made;
mod paging;
pub mod snapshot;
mod summary;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

pub use self::activity::{RequestActivity, RequestEntry};
pub use self::authorities::{AuthorityReport, AuthorityWait};
pub use self::ends::CaEnd;
pub use self::fold::{Fold, build, build_with_snapshot};
pub use self::groups::{EnrollmentGroupEntry, EnrollmentGroups, GroupList, PolicyGroups};
pub use self::line::{NamespaceLine, Need};
pub use self::namespace::{NamespaceReport, PolicyReport, ProvisioningServiceReport, TrustReport};
pub use self::not_made::{CheckNotMade, RecordKind};
pub use self::paging::{DETAILED, FINDINGS_ON_PAGE, Page};
pub use self::summary::{FindingCounts, GroupCounts, Summary};
pub use crate::causes::Cause;
pub use crate::facts::Unseen;
pub use crate::finding::Finding;
use crate::finding::Subject;
use crate::model::ReadFailure;
pub use crate::report_input::{
    Counted, EarlyDevices, FleetRecords, LastAssignment, Looks, NamespaceInput, ProvisioningServiceInput,
    Records, ReportInput,
};
pub use crate::waiting::{DeadLetters, ParkedMessage, WaitingMessages};
pub use crate::writes::{HeldGroup, LISTED as LISTED_RUNS, RunEntry};

/// Version of the report's JSON.
pub const REPORT_SCHEMA: &str = "policy-status/v2";

/// The status of every policy on every hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`REPORT_SCHEMA`].
    pub schema: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub generated_at: OffsetDateTime,
    /// When the namespace was looked at that waits longest; as old as the report itself where none was looked at yet.
    #[serde(with = "time::serde::rfc3339")]
    pub oldest_data_at: OffsetDateTime,
    /// Whether `POLICYSYNC_MODE=audit` keeps every function from writing.
    pub kill_switch: bool,
    /// The counts.
    pub summary: Summary,
    /// Which page of the findings this is.
    pub page: Page,
    /// What several findings of this page come down to, the worst first. A finding that none of them names is a cause by itself. A
    /// report that was stored by a version before this member has none.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// What a person should know: those of this page, the worst cause first and behind it what follows from it.
    pub findings: Vec<Finding>,
    /// Findings that `[[suppress]]` of policysync.toml keeps quiet; of a large fleet the first.
    pub suppressed: Vec<SuppressedFinding>,
    /// Checks that were not made, or not whole, since their records could not be read.
    #[serde(default)]
    pub checks_not_made: Vec<CheckNotMade>,
    /// What could not be read; of a large fleet the first. Nothing is claimed about it. Each of it is a finding too.
    pub unread: Vec<Unread>,
    /// What was not seen although nothing failed, such as a hub that a DPS names and no list shows. It raises no finding, and
    /// none about it clears. Of a large fleet the first.
    pub unseen: Vec<Unseen>,
    /// A line for each namespace, in the order of the configuration.
    pub lines: Vec<NamespaceLine>,
    /// The issuing CAs that end next, the first to end first.
    pub ends: Vec<CaEnd>,
    /// The namespaces with all there is to know, in the same order; of a large fleet none: each has a report of its own.
    pub namespaces: Vec<NamespaceReport>,
    /// Sync requests; `None`: records were not looked at, as in `policysync status`.
    pub requests: Option<RequestActivity>,
    /// The groups that are held; `None`: records were not looked at.
    #[serde(default)]
    pub held: Option<Vec<HeldGroup>>,
    /// The runs that wrote last, the newest first; `None`: records were not looked at.
    #[serde(default)]
    pub runs: Option<Vec<RunEntry>>,
    /// Messages that wait for a person; `None`: it was not looked whether there are any, as in the report of one namespace.
    #[serde(default)]
    pub waiting: Option<WaitingMessages>,
}

/// A finding that is kept quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuppressedFinding {
    /// The finding.
    pub finding: Finding,
    /// Why, as the configuration says.
    pub reason: String,
    /// The last day on which it is kept quiet, UTC.
    #[serde(with = "date")]
    pub until: Date,
}

time::serde::format_description!(date, Date, "[year]-[month]-[day]");

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// What it is.
    pub subject: Subject,
    /// Why.
    pub failure: ReadFailure,
}

impl Report {
    /// Whether every pair of an active policy and a linked hub is trusted, and every namespace could be read.
    #[must_use]
    pub fn is_all_trusted(&self) -> bool {
        self.lines.iter().all(|line| !line.is_unreadable && line.pairs > 0 && line.trusting == line.pairs)
    }
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
