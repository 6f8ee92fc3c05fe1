//! The issuing CAs that end next, of all namespaces.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Finding, NamespaceReport};
use crate::checks::CheckId;
use crate::reason::Severity;

/// How many are listed; all are in the reports of their namespaces.
pub const LISTED: usize = 40;

/// An issuing CA that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaEnd {
    /// Name of the namespace.
    pub namespace: String,
    /// Name of the policy.
    pub policy: String,
    /// Start of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_before: Option<OffsetDateTime>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// How bad its end is, by the findings about it; `None`: there are none.
    pub severity: Option<Severity>,
}

/// Adds those of a namespace, with the findings about it, and keeps the first to end.
pub(super) fn add(ends: &mut Vec<CaEnd>, namespace: &NamespaceReport, findings: &[Finding]) {
    for policy in &namespace.policies {
        let Some(not_after) = policy.issuing_ca_not_after else { continue };
        let about = findings.iter().find(|finding| {
            matches!(finding.check, CheckId::CaExpiring | CheckId::CaShorterThanLeaf)
                && finding.subject.policy.as_deref() == Some(&*policy.name)
        });
        ends.push(CaEnd {
            namespace: namespace.name.clone(),
            policy: policy.name.clone(),
            not_before: policy.issuing_ca_not_before.filter(|start| *start <= not_after),
            not_after,
            severity: about.map(|finding| finding.severity),
        });
    }
    ends.sort_by(|a, b| {
        a.not_after.cmp(&b.not_after).then_with(|| (&a.namespace, &a.policy).cmp(&(&b.namespace, &b.policy)))
    });
    ends.truncate(LISTED);
}
