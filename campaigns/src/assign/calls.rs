//! Reads the calls to one DPS from the log of the simulated Azure.

use std::collections::BTreeMap;

use azure_simulator::log::Entry;
use time::OffsetDateTime;

use crate::accounts::busiest_minute;

/// The limit of the real service (`azure-wire-facts.md` §7).
pub const OPERATIONS_PER_MINUTE: usize = 1_000;

/// The calls to a DPS in a stretch of the log.
pub struct Calls<'a> {
    entries: Vec<&'a Entry>,
}

impl<'a> Calls<'a> {
    /// The calls to `service`.
    pub fn to(entries: &'a [Entry], service: &str) -> Self {
        let prefix = format!("/dps/{service}/").to_ascii_lowercase();
        let own = |entry: &&Entry| entry.path.to_ascii_lowercase().starts_with(&prefix);
        Self { entries: entries.iter().filter(own).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// How many go to a path that fits. `fits` gets the path below the DPS, in lower case.
    pub fn count_of(&self, fits: impl Fn(&str) -> bool) -> usize {
        let path = |entry: &&&Entry| {
            let path = entry.path.to_ascii_lowercase();
            path.split_once("/dps/")
                .and_then(|(_, rest)| rest.split_once('/'))
                .is_some_and(|(_, path)| fits(path))
        };
        self.entries.iter().filter(path).count()
    }

    /// How many the service refused because there were too many.
    pub fn throttled(&self) -> usize {
        self.entries.iter().filter(|entry| entry.status == Some(429)).count()
    }

    /// How many change something.
    pub fn writes(&self) -> usize {
        self.entries.iter().filter(|entry| is_write(entry)).count()
    }

    /// The most within any 60 seconds.
    pub fn busiest_minute(&self) -> usize {
        busiest_minute(&self.entries.iter().map(|entry| entry.at).collect::<Vec<_>>())
    }

    /// When each group was written, in order, by its id: writes that succeeded.
    pub fn written(&self) -> BTreeMap<&'a str, Vec<OffsetDateTime>> {
        let mut written: BTreeMap<&str, Vec<OffsetDateTime>> = BTreeMap::new();
        for entry in &self.entries {
            if is_write(entry) && entry.status == Some(200) {
                let id = entry.path.rsplit('/').next().unwrap_or_default();
                written.entry(id).or_default().push(entry.at);
            }
        }
        written
    }
}

/// Whether a call changes something, in ARM or in a DPS. A query and the reading of keys are POSTs that do not.
pub fn is_write(entry: &Entry) -> bool {
    let reads = entry.method == "GET"
        || entry.path.ends_with("/query")
        || entry.path.ends_with("/attestationmechanism");
    !reads && (entry.path.starts_with("/subscriptions/") || entry.path.starts_with("/dps/"))
}

/// The value below which this share of the values lies (nearest rank), in seconds. 0 when there are none.
pub fn percentile(seconds: &[f64], share: f64) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn entry(method: &str, path: &str, status: u16, second: i64) -> Entry {
        Entry {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            status: Some(status),
            at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(second),
            lost: false,
        }
    }

    #[test]
    fn calls_of_one_service_are_told_apart_and_counted() {
        let entries = [
            entry("PUT", "/dps/a/enrollmentGroups/g", 200, 0),
            entry("POST", "/dps/a/enrollmentGroups/query", 200, 1),
            entry("PUT", "/dps/a/enrollmentGroups/g", 429, 59),
            entry("PUT", "/dps/A/enrollmentGroups/g", 200, 60),
            entry("PUT", "/dps/ab/enrollmentGroups/g", 200, 60),
        ];
        let calls = Calls::to(&entries, "a");
        assert_eq!((calls.count(), calls.throttled(), calls.writes(), calls.busiest_minute()), (4, 1, 3, 3));
        assert_eq!(calls.written()["g"].len(), 2);
        assert_eq!(calls.count_of(|path| path == "enrollmentgroups/query"), 1);
        assert_eq!(calls.count_of(|path| path.starts_with("registrations/")), 0);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 0.5), percentile(&values, 0.99)), (100.0, 198.0));
        assert_eq!((percentile(&[7.0], 0.99), percentile(&[], 0.5)), (7.0, 0.0));
    }
}
