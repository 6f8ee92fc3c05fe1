//! The number and the size of the records are bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Event, Oracle, StoredRecord};

/// Largest record of a play for each of its namespaces, in bytes: a report has a part for each, which are small in a play.
const LARGEST: usize = 64 * 1024;

/// Most groups that people delete in a play: what was recorded of one stays for its time.
const DELETED: usize = 8;

/// What the world and the work of a play give reason to keep.
#[derive(Default)]
pub(super) struct Bounded {
    namespaces: usize,
    groups: usize,
    /// Calls that changed something.
    writes: usize,
    requests: usize,
    /// How often trust was lost.
    lost: usize,
    /// The number of records of each kind when the play was over.
    before: BTreeMap<String, usize>,
}

impl Bounded {
    /// Most records of a kind after so many hours.
    fn most(&self, kind: &str, hours: usize) -> usize {
        match kind {
            "syncs" | "sections" => self.namespaces,
            // One that the app makes by itself for each need, and one more for each report that finds the need still there.
            "requests" => self.requests + self.namespaces * (1 + self.lost + hours),
            // The mark of a request that has its outcome is taken away.
            "taken" => 0,
            "alerts" => 1,
            // One for each hour, and the newest.
            "reports" | "history" => hours + 1,
            "refusals" | "holds" => self.groups + DELETED,
            // A write is recorded before it is sent, and not every one arrives.
            "assignments" => 4 * (self.writes + self.groups),
            "walk-runs" | "turns" => 4,
            "changes" => self.namespaces * 2,
            "findings" => 0,
            _ => 8,
        }
    }

    fn judge(&self, records: &[StoredRecord], at: Duration) -> Vec<String> {
        let hours = usize::try_from(at.as_secs() / 3_600).unwrap_or_default() + 2;
        let large = records.iter().filter(|record| record.bytes > LARGEST * self.namespaces.max(1));
        let large = large.map(|record| format!("{} has {} bytes", record.key, record.bytes));
        let counts = counts(records).into_iter();
        let many = counts.filter(|(kind, count)| *count > self.most(kind, hours));
        large.chain(many.map(|(kind, count)| format!("{count} records of {kind}"))).collect()
    }
}

impl Oracle for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn promise(&self) -> &'static str {
        "records are as many as the world and the hours give reason for, and none grows while nothing happens"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::Began { truth } => self.namespaces = truth.len(),
            Event::TrustLost { .. } => self.lost += 1,
            Event::Served { before, after, .. } => self.writes += usize::from(before != after),
            Event::Recovered { truth, requests } => {
                self.requests = requests.len();
                self.groups = truth.iter().map(|namespace| namespace.groups.len()).sum();
            }
            Event::Ended { records, .. } => {
                self.before = counts(records);
                return self.judge(records, at);
            }
            Event::Later { records } => {
                let hourly = ["reports", "history"];
                let grown = counts(records).into_iter().filter(|(kind, count)| {
                    !hourly.contains(&kind.as_str()) && Some(count) > self.before.get(kind)
                });
                let grown =
                    grown.map(|(kind, count)| format!("{count} records of {kind}, and nothing has happened"));
                return self.judge(records, at).into_iter().chain(grown).collect();
            }
            _ => {}
        }
        Vec::new()
    }
}

/// How many records there are of each kind, which the first part of a key names.
fn counts(records: &[StoredRecord]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let kind = record.key.split('/').next().unwrap_or_default();
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    counts
}
