//! The checks: what is looked for in what was observed. One file per check, each a pure function over [`Facts`].
//!
//! A check that cannot know says nothing: what could not be read is the finding of [`CheckId::Unreadable`] or
//! [`CheckId::PermissionMissing`], so that one missing role does not look like a hundred broken policies.

mod bring_your_own_root;
mod ca_expiring;
mod ca_leftover;
mod ca_shorter_than_leaf;
mod devices_before_policy;
mod group_dangling;
mod group_policy_changed;
mod group_previous_generation;
mod group_unassigned;
mod hub_certificate_limit;
mod hub_certificate_without_policy;
mod hub_untrusting;
mod nothing_to_sync;
mod permission_missing;
mod preview_surprise;
mod report_overdue;
mod state_not_succeeded;
mod suppression_expired;
mod sync_unverified;
#[cfg(test)]
pub(crate) mod testing;
mod unreadable;

use serde::{Deserialize, Serialize};

use crate::configuration::Thresholds;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Severity;

macro_rules! checks {
    ($($variant:ident $code:literal $severity:ident $module:ident $description:literal)*) => {
        /// A check, by its stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum CheckId {
            $(#[doc = $description] #[serde(rename = $code)] $variant,)*
        }

        impl CheckId {
            /// Every check there is, in the order of the runbook.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code, e.g. `ca-expiring`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much a person is needed, unless the check knows better for one finding.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it looks for, as one sentence.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)* }
            }

            fn run(self, facts: &Facts<'_>) -> Vec<Finding> {
                match self { $(Self::$variant => $module::check(facts),)* }
            }
        }
    };
}

checks! {
    CaExpiring "ca-expiring" Warning ca_expiring
        "The issuing CA of a policy ends soon or has ended; told again at each step of a ladder of days."
    CaShorterThanLeaf "ca-shorter-than-leaf" Warning ca_shorter_than_leaf
        "The issuing CA of a policy ends before a device certificate that is issued today."
    HubUntrusting "hub-untrusting" Critical hub_untrusting
        "A linked hub does not trust the current issuing CA of a policy: it has none, or an older one."
    CaLeftover "ca-leftover" Warning ca_leftover
        "A linked hub still has an older CA of a policy beside the current one."
    HubCertificateWithoutPolicy "hub-certificate-without-policy" Warning hub_certificate_without_policy
        "A linked hub has a CA certificate of a policy that the namespace does not have."
    HubCertificateLimit "hub-certificate-limit" Warning hub_certificate_limit
        "A linked hub has almost as many CA certificates as a hub can have, and a sync needs one more for each new CA."
    GroupUnassigned "group-unassigned" Warning group_unassigned
        "An enrollment group has no policy, so its devices get no operational certificate."
    GroupDangling "group-dangling" Critical group_dangling
        "An enrollment group names a policy that the namespace does not have."
    GroupPolicyChanged "group-policy-changed" Warning group_policy_changed
        "Somebody else changed the policy of an enrollment group that Policysync had assigned."
    DevicesBeforePolicy "devices-before-policy" Warning devices_before_policy
        "Devices registered with an enrollment group before it had its policy."
    GroupPreviousGeneration "group-previous-generation" Warning group_previous_generation
        "An enrollment group names a policy of the previous generation of the service, in a namespace that has the next one."
    BringYourOwnRoot "bring-your-own-root" Warning bring_your_own_root
        "A policy under the customer's own root waits for its activation or renewal."
    StateNotSucceeded "state-not-succeeded" Warning state_not_succeeded
        "The provisioning state of a namespace or policy is not Succeeded."
    NothingToSync "nothing-to-sync" Warning nothing_to_sync
        "A namespace has no linked hub within the configured scopes."
    SyncUnverified "sync-unverified" Critical sync_unverified
        "A sync ended or failed without the evidence that a hub trusts the policy."
    ReportOverdue "report-overdue" Warning report_overdue
        "The report before this one is older than it should be: the timer did not fire, or its runs failed."
    PermissionMissing "permission-missing" Critical permission_missing
        "The identity may not read something that it must read."
    Unreadable "unreadable" Critical unreadable
        "A namespace, hub, provisioning service or record could not be read."
    PreviewSurprise "preview-surprise" Information preview_surprise
        "The service sends members or values that this version does not know; they are kept out of every decision."
    SuppressionExpired "suppression-expired" Warning suppression_expired
        "A [[suppress]] of policysync.toml has passed its end date and suppresses nothing any more."
}

impl CheckId {
    /// Its row in the runbook.
    #[must_use]
    pub fn runbook(self) -> String {
        format!("RUNBOOK.md#check-{}", self.code())
    }

    /// Its thresholds with their values, as a person reads them; empty for a check without any.
    #[must_use]
    pub fn thresholds(self, thresholds: &Thresholds) -> String {
        match self {
            Self::CaExpiring => thresholds.ca_expiring.to_string(),
            Self::HubCertificateLimit => thresholds.hub_certificate_limit.to_string(),
            Self::SyncUnverified => thresholds.sync_unverified.to_string(),
            Self::ReportOverdue => thresholds.report_overdue.to_string(),
            _ => String::new(),
        }
    }
}

impl std::fmt::Display for CheckId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

/// Every finding of every check, the worst first; the order depends on nothing but the findings.
#[must_use]
pub fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = CheckId::ALL.iter().flat_map(|check| check.run(facts)).collect();
    findings.sort_by(|a, b| {
        let by_severity = b.severity.cmp(&a.severity);
        by_severity.then_with(|| (a.check, &a.subject.text, &a.id).cmp(&(b.check, &b.subject.text, &b.id)))
    });
    findings.dedup_by(|a, b| a.id == b.id);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_row_in_the_runbook_under_its_anchor() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../RUNBOOK.md");
        let runbook = std::fs::read_to_string(path).unwrap();
        for check in CheckId::ALL {
            let code = check.code();
            let start = format!("| <a id=\"check-{code}\"></a>`{code}` | {} | ", check.severity());
            let row = runbook.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("RUNBOOK.md has no row that begins with {start}"));
            assert!(row.contains(check.description()), "{row}\nshould say: {}", check.description());
            let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
            assert!(cells.len() == 4 && cells[3].trim().len() > 20, "{row}\nhas no next step");
        }
    }
}
