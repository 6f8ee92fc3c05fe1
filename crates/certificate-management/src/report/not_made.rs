//! The checks that were not made, since what they rest on could not be read or was not looked at. A report that lacks some says so:
//! where nothing was looked at, nothing is healthy.

use serde::{Deserialize, Serialize};

use super::{Finding, FleetRecords, Report};
use crate::checks::CheckId;
use crate::model::{ReadFailure, ReadFailureKind};
use crate::reason::Reason;

/// A check that was not made, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckNotMade {
    /// The check.
    pub check: CheckId,
    /// Why not.
    pub why: String,
}

/// Records of Policysync that checks rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Sync requests.
    Requests,
    /// Writes to enrollment groups.
    Assignments,
    /// Reports.
    Reports,
    /// Runs of `reconcile-assignments`.
    Walks,
    /// What runs have seen of namespaces.
    Sections,
}

impl RecordKind {
    /// Its name, as findings and records have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Assignments => "assignments",
            Self::Reports => "reports",
            Self::Walks => "walks",
            Self::Sections => "sections",
        }
    }
}

impl CheckId {
    /// The records that it rests on; `None`: it rests on what is seen in Azure, or on the configuration.
    #[must_use]
    pub const fn rests_on(self) -> Option<RecordKind> {
        match self {
            Self::SyncUnverified => Some(RecordKind::Requests),
            Self::GroupPolicyChanged => Some(RecordKind::Assignments),
            // Which version the app has in force is known to its own runs alone.
            Self::ReportOverdue | Self::ConfigurationBehind => Some(RecordKind::Reports),
            Self::ReconcilePartial => Some(RecordKind::Walks),
            // What the service refused of late is known to the reconcile alone.
            Self::DevicesBeforePolicy
            | Self::CaRemovedEarly
            // What a link needs is read by runs of the report alone.
            | Self::LinkUnready
            | Self::SectionStale
            | Self::DeclaredResource => Some(RecordKind::Sections),
            Self::BringYourOwnRoot
            | Self::CaExpiring
            | Self::CaLeftover
            | Self::CaShorterThanLeaf
            | Self::GroupDangling
            | Self::GroupPreviousGeneration
            | Self::GroupUnassigned
            | Self::HubCertificateLimit
            | Self::HubCertificateWithoutPolicy
            | Self::HubUntrusting
            | Self::NothingToSync
            | Self::NotInFile
            | Self::PermissionMissing
            | Self::PreviewSurprise
            | Self::StateNotSucceeded
            | Self::SuppressionExpired
            | Self::Unreadable => None,
        }
    }
}

impl Finding {
    /// Whether it is about the app itself: whether its runs come, and what its identity may see. A person who looks with a login of
    /// their own cannot refute it.
    #[must_use]
    pub const fn is_about_the_app(&self) -> bool {
        let check = matches!(
            self.check,
            CheckId::PermissionMissing
                | CheckId::Unreadable
                | CheckId::ReportOverdue
                | CheckId::ConfigurationBehind
                | CheckId::SectionStale
                | CheckId::ReconcilePartial
                | CheckId::PreviewSurprise
        );
        // A list shows only what the identity may read.
        check || matches!(self.reason, Reason::HubsUnknown | Reason::NoHubsLinked)
    }
}

impl CheckNotMade {
    /// Those that rest on a kind of records.
    pub fn without(kind: RecordKind, why: &str) -> impl Iterator<Item = Self> {
        let checks = CheckId::ALL.iter().filter(move |check| check.rests_on() == Some(kind));
        checks.map(move |check| Self { check: *check, why: why.to_owned() })
    }

    /// Those that rest on any records.
    #[must_use]
    pub fn without_records(why: &str) -> Vec<Self> {
        let checks = CheckId::ALL.iter().filter(|check| check.rests_on().is_some());
        checks.map(|check| Self { check: *check, why: why.to_owned() }).collect()
    }
}

impl FleetRecords {
    /// The checks that were not made since their records could not be read.
    #[must_use]
    pub fn checks_not_made(&self) -> Vec<CheckNotMade> {
        let is_of = |check: CheckId, kind: &str| check.rests_on().is_some_and(|on| on.name() == kind);
        let mut found: Vec<CheckNotMade> = Vec::new();
        for check in CheckId::ALL {
            let failure = self.unread.iter().find(|(kind, _)| is_of(*check, kind));
            found.extend(failure.map(|(kind, failure)| CheckNotMade {
                check: *check,
                why: format!("the records of {kind} could not be read: {failure}"),
            }));
        }
        found
    }

    /// Leaves out what the caller alone could not read, which is no finding about the app: a record that is broken is broken for
    /// every reader.
    pub fn forget_what_the_caller_may_not_read(&mut self) {
        let is_of_the_record = |failure: &ReadFailure| failure.kind == ReadFailureKind::Other;
        self.unread.retain(|(_, failure)| is_of_the_record(failure));
    }
}

impl Report {
    /// The same, made without records.
    #[must_use]
    pub fn without_records(self, why: &str) -> Self {
        self.with_checks_not_made(CheckNotMade::without_records(why))
    }

    /// The same without these checks: what their records tell is not known, and nothing takes its place.
    #[must_use]
    pub fn with_checks_not_made(mut self, checks: Vec<CheckNotMade>) -> Self {
        let lacks = |kind| checks.iter().any(|one| one.check.rests_on() == Some(kind));
        if lacks(RecordKind::Requests) {
            self.requests = None;
            self.summary.requests_in_flight = None;
        }
        if lacks(RecordKind::Sections) {
            for policy in self.namespaces.iter_mut().flat_map(|namespace| &mut namespace.policies) {
                policy.previous_cas = None;
            }
        }
        self.checks_not_made = checks;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::World;

    #[test]
    fn without_records_what_they_tell_is_null_and_each_check_that_rests_on_them_is_named() {
        let report = World::healthy().report().without_records("it was not asked for");
        let json = serde_json::to_value(&report).unwrap();
        assert!(json["requests"].is_null() && json["summary"]["requestsInFlight"].is_null(), "{json}");
        assert!(json["namespaces"][0]["policies"][0]["previousCas"].is_null(), "{json}");
        let named: Vec<CheckId> = report.checks_not_made.iter().map(|not_made| not_made.check).collect();
        for check in CheckId::ALL {
            assert_eq!(named.contains(check), check.rests_on().is_some(), "{check}");
        }
        assert_eq!(json["checksNotMade"][0]["why"], "it was not asked for");
    }

    #[test]
    fn a_kind_of_records_that_cannot_be_read_takes_its_checks_with_it_and_no_others() {
        let denied = ReadFailure { kind: ReadFailureKind::Forbidden, ..ReadFailure::other("403") };
        let mut records = FleetRecords {
            unread: vec![("requests".into(), denied), ("walks".into(), ReadFailure::other("not JSON"))],
            ..FleetRecords::default()
        };
        let not_made: Vec<CheckId> = records.checks_not_made().iter().map(|one| one.check).collect();
        assert_eq!(not_made, [CheckId::SyncUnverified, CheckId::ReconcilePartial]);
        records.forget_what_the_caller_may_not_read();
        assert_eq!(records.unread.len(), 1, "a broken record is a finding for every reader");
    }
}
