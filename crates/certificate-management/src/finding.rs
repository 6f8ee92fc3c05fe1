//! A finding: something that a person should know, with its evidence and what the person does next.
//!
//! Its [`Finding::id`] is a fingerprint of the check, the subject and the occasion, and of nothing that changes from
//! day to day. So two instances that find the same thing, or a report that finds it again next month, make the same
//! finding.

use std::cmp::Reverse;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::checks::CheckId;
pub use crate::finding_subject::Subject;
use crate::reason::{Reason, Severity};

/// The fact that tells when the CA ends that a finding is about.
pub const ENDS: &str = "notAfter";
/// The fact that names the policy which a group names or waits for.
pub const POLICY: &str = "policy";
/// The fact that names a hub which a group waits for, one for each of the first.
pub const WAITS_FOR: &str = "waitsFor";

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Fingerprint: 32 hexadecimal digits of a SHA-256 over the check, the subject and the occasion.
    pub id: String,
    /// The check that found it.
    pub check: CheckId,
    /// How much a person is needed.
    pub severity: Severity,
    /// The reason code: what is wrong.
    pub reason: Reason,
    /// What it is about.
    pub subject: Subject,
    /// The particulars, as a sentence.
    pub message: String,
    /// The facts that it rests on.
    pub evidence: Vec<Fact>,
    /// What to do.
    pub next_step: String,
    /// The check's row in the runbook, e.g. `RUNBOOK.md#check-ca-expiring`.
    pub runbook: String,
    /// Where it stands on the check's ladder; `None`: the check has none.
    pub step: Option<Step>,
}

/// One thing that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// What it is, e.g. `thumbprint`.
    pub name: String,
    /// Its value as text; times as RFC 3339.
    pub value: String,
}

/// A step of a ladder that a finding climbs until a person acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its name, e.g. `30-days`.
    pub name: String,
    /// Its height: each step is higher than the one before it. Not a count.
    pub rank: i64,
}

impl Finding {
    /// A finding of the check's own severity, with the next step of its reason.
    #[must_use]
    pub fn new(check: CheckId, reason: Reason, subject: Subject, message: impl Into<String>) -> Self {
        Self {
            id: fingerprint(check, &subject, ""),
            check,
            severity: check.severity(),
            reason,
            subject,
            message: message.into(),
            evidence: Vec::new(),
            next_step: reason.next_step().to_owned(),
            runbook: check.runbook(),
            step: None,
        }
    }

    /// Tells two findings of one check about one subject apart by their occasion, e.g. the CA that ends.
    #[must_use]
    pub fn on_occasion(mut self, occasion: &str) -> Self {
        self.id = fingerprint(self.check, &self.subject, occasion);
        self
    }

    /// With another severity than the check's own.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With another next step than the reason's own.
    #[must_use]
    pub fn with_next_step(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = next_step.into();
        self
    }

    /// With a place on a ladder.
    #[must_use]
    pub fn at_step(mut self, name: impl Into<String>, rank: i64) -> Self {
        self.step = Some(Step { name: name.into(), rank });
        self
    }

    /// With one more thing that it rests on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.evidence.push(Fact { name: name.to_owned(), value: value.to_string() });
        self
    }

    /// With a time that it rests on, as RFC 3339.
    #[must_use]
    pub fn with_time(self, name: &str, at: OffsetDateTime) -> Self {
        let text = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
        self.with(name, text)
    }

    /// When that ends which it is about, and is well until then; `None`: it is wrong now.
    #[must_use]
    pub fn ends(&self) -> Option<OffsetDateTime> {
        let ends = self.fact(ENDS).filter(|_| self.reason != Reason::CaExpired)?;
        OffsetDateTime::parse(ends, &Rfc3339).ok()
    }

    /// In which order a person acts, the first first: the worst, and of what is equally bad first what is wrong now and then what ends
    /// next. Eleven days come before fifty-nine.
    #[must_use]
    pub fn urgency(&self) -> impl Ord + use<> {
        (Reverse(self.severity), self.ends())
    }

    /// The first fact of a name, e.g. `action`.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.evidence.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    }

    /// Every fact of a name, in the order in which they were found.
    pub fn facts<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.evidence.iter().filter(move |fact| fact.name == name).map(|fact| fact.value.as_str())
    }

    /// The step that is announced once: the step of the ladder, or the severity where the check has no ladder.
    #[must_use]
    pub fn announced_step(&self) -> Step {
        self.step
            .clone()
            .unwrap_or_else(|| Step { name: self.severity.to_string(), rank: self.severity as i64 })
    }
}

/// Names are compared in any case, as Azure does.
fn fingerprint(check: CheckId, subject: &Subject, occasion: &str) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(check.code()).chain(subject.parts()).chain([occasion]) {
        // The length keeps `a` + `bc` and `ab` + `c` apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.to_ascii_lowercase().as_bytes());
    }
    HEXLOWER.encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(hub: &str) -> Finding {
        let subject = Subject::default().in_policy("short").on_hub(hub);
        Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, "older beside it")
    }

    #[test]
    fn the_id_depends_on_check_subject_and_occasion_only() {
        let one = finding("h1");
        let other = Finding { message: "said otherwise".into(), ..finding("H1").with("expiry", 1) };
        assert_eq!(one.id, other.id.as_str());
        assert_eq!(one.id.len(), 32);
        assert_ne!(one.id, finding("h2").id);
        assert_ne!(one.id, finding("h1").on_occasion("2027").id);
        let moved = Subject::default().in_policy("shorth1");
        assert_ne!(one.id, Finding::new(CheckId::CaLeftover, Reason::CaLeftover, moved, "").id);
    }

    #[test]
    fn what_is_worse_comes_first_then_what_is_wrong_now_then_what_ends_next() {
        use time::macros::datetime;
        const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 +01:00);
        let wrong_now = |severity| finding("h").with_severity(severity);
        let ends_in = |severity, days| wrong_now(severity).with_time(ENDS, NOW + time::Duration::days(days));
        let expired = Finding { reason: Reason::CaExpired, ..ends_in(Severity::Warning, -3) };
        let mut order = [
            ends_in(Severity::Warning, 59),
            ends_in(Severity::Critical, 13),
            wrong_now(Severity::Information),
            ends_in(Severity::Warning, 11),
            expired,
            wrong_now(Severity::Critical),
        ];
        order.sort_by_key(|finding| finding.urgency());
        let told =
            order.map(|finding| (finding.severity, finding.ends().map(|end| (end - NOW).whole_days())));
        let expected = [
            (Severity::Critical, None),
            (Severity::Critical, Some(13)),
            (Severity::Warning, None),
            (Severity::Warning, Some(11)),
            (Severity::Warning, Some(59)),
            (Severity::Information, None),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_a_ladder_the_severity_is_the_step() {
        assert_eq!(finding("h").announced_step().name, "warning");
        assert_eq!(finding("h").at_step("7-days", 3).announced_step().name, "7-days");
        assert!(
            finding("h").with_severity(Severity::Critical).announced_step().rank
                > finding("h").announced_step().rank
        );
    }
}
