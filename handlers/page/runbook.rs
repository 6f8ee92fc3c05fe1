//! The rows of the runbook that this page needs, on the page itself: the person who reads it at night may have nothing else.
//!
//! They are made from the code, as the rows of `RUNBOOK.md` are, so that the two cannot say different things.

use std::collections::BTreeSet;

use certificate_management::configuration::Thresholds;
use certificate_management::reason::{Reason, Severity};
use certificate_management::report::Report;

use super::attention::Shown;
use super::words::{self, Piece};

/// One row.
pub struct Entry {
    /// What links lead to, e.g. `check-ca-expiring` or `reason-sync-failed`.
    pub anchor: String,
    pub code: String,
    pub severity: Shown,
    pub meaning: Vec<Piece>,
    pub next_step: Vec<Piece>,
}

/// The row of every check that found something, the worst first, then of every reason that a finding or a request names.
/// With the thresholds of the checks that have one.
pub fn of(report: &Report, thresholds: &Thresholds) -> Vec<Entry> {
    let mut checks = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for finding in report.findings.iter().chain(report.suppressed.iter().map(|quiet| &quiet.finding)) {
        checks.insert(finding.check);
        reasons.insert(finding.reason);
    }
    let requests =
        report.requests.iter().flat_map(|requests| requests.in_flight.iter().chain(&requests.recent));
    reasons.extend(requests.filter_map(|request| request.reason));
    let mut checks: Vec<_> = checks.into_iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.severity()));
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity()));
    let checks = checks.into_iter().map(|check| {
        let told = check.told_when(thresholds).map(|told| format!(" {told}")).unwrap_or_default();
        let meaning = format!("{}{told}", check.description());
        entry("check", check.code(), check.severity(), &meaning, check.next_step())
    });
    let told = |reason: &Reason| !report.findings.iter().any(|finding| finding.check.code() == reason.code());
    let reasons = reasons.into_iter().filter(told).map(|reason| {
        entry("reason", reason.code(), reason.severity(), reason.meaning(), reason.next_step())
    });
    checks.chain(reasons).collect()
}

fn entry(kind: &str, code: &str, severity: Severity, meaning: &str, next_step: &str) -> Entry {
    Entry {
        anchor: format!("{kind}-{code}"),
        code: code.to_owned(),
        severity: severity.into(),
        meaning: words::prose(meaning),
        next_step: words::prose(&unlinked(next_step)),
    }
}

/// Without the targets of links, which are files that the page does not have: `[a](b)` is `a`.
pub(super) fn unlinked(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((label_start, target_end)) = before.rfind('[').zip(after.find(')')) else { break };
        shown.push_str(&before[..label_start]);
        shown.push_str(&before[label_start + 1..]);
        rest = &after[target_end + 1..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_lose_their_target_and_keep_their_words() {
        assert_eq!(unlinked("Read ([a](b.md)) and [c](d)."), "Read (a) and c.");
        assert_eq!(unlinked("[[suppress]] and `f(x)` stay"), "[[suppress]] and `f(x)` stay");
    }
}
