//! The ladder of a certificate that ends: a finding climbs it, and is announced again at each step.

use time::Duration;

use crate::configuration::CaExpiring;
use crate::finding::Finding;
use crate::reason::Severity;

/// Steps count the days that are left, downwards; this one comes after them all.
const EXPIRED: i64 = 0;

/// A step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rung {
    name: String,
    rank: i64,
    severity: Severity,
}

/// The step that a certificate with so much time left is on; `None`: it ends later than the first of them.
pub(super) fn rung(ladder: &CaExpiring, left: Duration) -> Option<Rung> {
    if left <= Duration::ZERO {
        return Some(Rung { name: "expired".to_owned(), rank: EXPIRED, severity: Severity::Critical });
    }
    let days = ladder.step(left)?;
    let name = if days == 1 { "1-day".to_owned() } else { format!("{days}-days") };
    Some(Rung { name, rank: -i64::from(days), severity: ladder.severity(days) })
}

impl Rung {
    /// Puts a finding on this step.
    pub(super) fn take(self, finding: Finding) -> Finding {
        finding.with_severity(self.severity).at_step(self.name, self.rank)
    }
}

/// How much is left, for people.
pub(super) fn days_left(left: Duration) -> String {
    match left.whole_days() {
        0 => "less than a day is left".to_owned(),
        1 => "1 day is left".to_owned(),
        days => format!("{days} days are left"),
    }
}
