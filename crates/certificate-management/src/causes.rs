//! Groups findings by their cause: what a person does once, with everything that follows from it. Twelve groups that wait
//! for one hub are one cause, and so are the findings about one issuing CA.
//!
//! Each finding stands under exactly one cause, which depends on the set of the findings alone and not on their order.
//! [`origin`] says which findings share a cause; here each cause is put in order.

mod origin;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::origin::Origins;
use crate::checks::CheckId;
use crate::finding::Finding;

/// A cause, as the ids of its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The finding that stands for the cause: the worst of it, and of equally bad ones that which the others follow from.
    pub finding: String,
    /// The findings that follow from it, or are the same in other places; the worst first.
    pub follows: Vec<String>,
}

/// The findings by cause. The worst cause comes first, and so does, within a cause, the finding that stands for it.
#[must_use]
pub fn group(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let origins = Origins::of(findings);
    let mut by_origin = BTreeMap::new();
    for finding in findings {
        by_origin.entry(origins.origin(finding)).or_insert_with(Vec::new).push(finding);
    }
    let mut causes: Vec<Vec<&Finding>> = by_origin.into_values().collect();
    for cause in &mut causes {
        cause.sort_by(|a, b| rank_in_cause(a).cmp(&rank_in_cause(b)));
    }
    causes.sort_by(|a, b| a.first().map(|head| rank(head)).cmp(&b.first().map(|head| rank(head))));
    causes
}

/// The causes of the findings, in the order of [`group`].
#[must_use]
pub fn of(findings: &[Finding]) -> Vec<Cause> {
    let ids = |finding: &&Finding| finding.id.clone();
    let groups = group(findings).into_iter();
    groups
        .filter_map(|cause| {
            let (head, follows) = cause.split_first()?;
            Some(Cause { finding: head.id.clone(), follows: follows.iter().map(ids).collect() })
        })
        .collect()
}

/// The causes of several findings each, which is all that has to be told: a finding that none of them names is a cause by itself.
#[must_use]
pub fn shared(findings: &[Finding]) -> Vec<Cause> {
    let mut causes = of(findings);
    causes.retain(|cause| !cause.follows.is_empty());
    causes
}

/// Puts findings in the order of [`group`]: what follows from a cause stands right behind it.
#[must_use]
pub fn in_order(findings: &[Finding]) -> Vec<Finding> {
    group(findings).into_iter().flatten().cloned().collect()
}

/// The most urgent first; the rest makes the order the same each time.
fn rank(finding: &Finding) -> impl Ord + '_ {
    (finding.urgency(), finding.check, &finding.subject.text, &finding.id)
}

fn rank_in_cause(finding: &Finding) -> impl Ord + '_ {
    (Reverse(finding.severity), distance(finding.check), finding.check, &finding.subject.text, &finding.id)
}

/// How far a check is from what causes trouble: a role that is missing comes before the hub that cannot be read without it, and
/// that before the groups that wait for the hub.
fn distance(check: CheckId) -> u8 {
    match check {
        CheckId::PermissionMissing | CheckId::ReportOverdue => 0,
        CheckId::Unreadable | CheckId::LinkUnready | CheckId::NothingToSync => 1,
        CheckId::DeclaredResource | CheckId::StateNotSucceeded | CheckId::BringYourOwnRoot => 2,
        CheckId::CaExpiring | CheckId::CaShorterThanLeaf => 3,
        CheckId::HubUntrusting => 4,
        CheckId::SyncUnverified => 5,
        CheckId::GroupDangling | CheckId::GroupPreviousGeneration => 7,
        CheckId::GroupUnassigned | CheckId::GroupPolicyChanged => 8,
        CheckId::DevicesBeforePolicy => 9,
        _ => 6,
    }
}

#[cfg(test)]
mod tests;
