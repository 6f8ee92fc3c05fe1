//! Counts the calls of a run to ARM, from the log of the simulated Azure.

use std::collections::BTreeMap;

use azure_simulator::log::Entry;
use azure_simulator::throttle::{Limits, Rate};
use time::{Duration, OffsetDateTime};

/// The calls to ARM of one run, counted. Names are in lower case.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// Reads that were let in.
    pub reads: usize,
    /// Writes that were let in.
    pub writes: usize,
    /// Calls that were answered 429.
    pub throttled: usize,
    /// `POST .../synchronize` per namespace, with any result but 429: those never came in.
    pub synchronize: BTreeMap<String, usize>,
    /// Reads of one hub's certificates.
    pub certificates: BTreeMap<String, usize>,
    /// Lists of one namespace's policies.
    pub policies: BTreeMap<String, usize>,
    /// Reads of a namespace.
    pub namespaces: usize,
    /// Lists of a subscription's hubs, by their first page.
    pub hub_lists: usize,
    /// Further pages of these lists.
    pub hub_list_pages: usize,
    /// Questions about a running operation.
    pub operations: usize,
    /// Questions which versions the cloud offers.
    pub versions: usize,
    /// Anything else that was read or written, by method and the last two segments.
    pub other: BTreeMap<String, usize>,
    /// When the first call came in, by the simulated clock.
    pub first_call: Option<OffsetDateTime>,
    /// When the last call came in, by the simulated clock.
    pub last_call: Option<OffsetDateTime>,
    /// The least that was left in the bucket of reads.
    pub fewest_reads_left: f64,
    /// The least that was left in the bucket of writes.
    pub fewest_writes_left: f64,
    /// Reads that flowed past a full bucket since the first call, because no process asked then.
    pub reads_past: f64,
    /// What was left in the bucket of reads after the last call.
    pub reads_left: f64,
    /// The most reads that were let in within any minute.
    pub busiest_minute: usize,
}

/// A bucket, replayed.
struct Replayed {
    rate: Rate,
    level: f64,
    at: Option<OffsetDateTime>,
    fewest: f64,
    past: f64,
}

impl Replayed {
    fn new(rate: Rate) -> Self {
        Self { rate, level: rate.burst, at: None, fewest: rate.burst, past: 0.0 }
    }

    fn take(&mut self, now: OffsetDateTime) {
        let elapsed = self.at.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
        let flowed = self.rate.per_second.mul_add(elapsed, self.level);
        self.past += (flowed - self.rate.burst).max(0.0);
        self.level = flowed.min(self.rate.burst) - 1.0;
        self.at = Some(now);
        self.fewest = self.fewest.min(self.level);
    }
}

/// The most of these instants, given in their order, within any 60 seconds.
pub fn busiest_minute(instants: &[OffsetDateTime]) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, at) in instants.iter().enumerate() {
        while *at - instants[first] >= Duration::MINUTE {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// What a full bucket gives within a minute.
pub fn given_in_a_minute(rate: Rate) -> f64 {
    rate.per_second.mul_add(60.0, rate.burst)
}

impl Accounts {
    /// Counts the calls to ARM among `entries`. `limits` are those that the simulated Azure had.
    pub fn of(entries: &[Entry], limits: Limits) -> Self {
        let mut accounts = Self::default();
        let (mut reads, mut writes) = (Replayed::new(limits.reads), Replayed::new(limits.writes));
        let mut read_at = Vec::new();
        for entry in entries.iter().filter(|entry| entry.path.starts_with("/subscriptions/")) {
            accounts.first_call.get_or_insert(entry.at);
            accounts.last_call = Some(entry.at);
            if entry.status == Some(429) {
                accounts.throttled += 1;
                continue;
            }
            if entry.method == "GET" {
                accounts.reads += 1;
                reads.take(entry.at);
                read_at.push(entry.at);
            } else {
                accounts.writes += 1;
                writes.take(entry.at);
            }
            accounts.classify(entry);
        }
        (accounts.fewest_reads_left, accounts.fewest_writes_left) = (reads.fewest, writes.fewest);
        (accounts.reads_past, accounts.reads_left) = (reads.past, reads.level);
        accounts.busiest_minute = busiest_minute(&read_at);
        accounts
    }

    fn classify(&mut self, entry: &Entry) {
        let path = entry.path.to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let name_after = |kind: &str| {
            let place = segments.iter().position(|segment| *segment == kind)?;
            segments.get(place + 1).map(|name| (*name).to_owned())
        };
        let last = segments.last().copied().unwrap_or_default();
        let count = |counts: &mut BTreeMap<String, usize>, name: Option<String>| {
            *counts.entry(name.unwrap_or_default()).or_default() += 1;
        };
        match (entry.method.as_str(), last) {
            ("POST", "synchronize") => count(&mut self.synchronize, name_after("namespaces")),
            ("GET", "certificates") => count(&mut self.certificates, name_after("iothubs")),
            ("GET", "policies") => count(&mut self.policies, name_after("namespaces")),
            ("GET", "iothubs") if entry.query.to_ascii_lowercase().contains("skiptoken") => {
                self.hub_list_pages += 1;
            }
            ("GET", "iothubs") => self.hub_lists += 1,
            ("GET", "microsoft.deviceregistry") => self.versions += 1,
            ("GET", _)
                if segments
                    .iter()
                    .any(|segment| *segment == "operationstatuses" || *segment == "operationresults") =>
            {
                self.operations += 1;
            }
            ("GET", _) if segments.len() >= 2 && segments[segments.len() - 2] == "namespaces" => {
                self.namespaces += 1;
            }
            (method, _) => {
                let kind = segments.iter().rev().take(2).rev().copied().collect::<Vec<_>>().join("/");
                *self.other.entry(format!("{method} .../{kind}")).or_default() += 1;
            }
        }
    }

    /// Sum of one of the maps.
    pub fn total(counts: &BTreeMap<String, usize>) -> usize {
        counts.values().sum()
    }

    /// For how many seconds of the run no process asked, as far as reads decide it: at the beginning, at the end, and
    /// whenever the bucket was full in between.
    pub fn unused_seconds(&self, limits: Limits) -> f64 {
        let beyond_reserve = (self.reads_left - 0.2 * limits.reads.burst).max(0.0);
        (self.reads_past + beyond_reserve) / limits.reads.per_second
    }

    /// Seconds that the calls of this run need at the least: a bucket gives 80 % of its burst at once, since the budget
    /// leaves 20 % to people, and then as many a second as flow in. Reads and writes flow side by side.
    pub fn floor_seconds(&self, limits: Limits) -> f64 {
        let seconds = |calls: usize, rate: Rate| (calls as f64 - 0.8 * rate.burst) / rate.per_second;
        seconds(self.reads, limits.reads).max(seconds(self.writes, limits.writes)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &str, path: &str, query: &str, status: u16, second: i64) -> Entry {
        Entry {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: Some(status),
            at: OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second),
            lost: false,
        }
    }

    #[test]
    fn each_call_is_counted_under_its_kind() {
        let namespace =
            "/subscriptions/s/resourceGroups/r/providers/Microsoft.DeviceRegistry/namespaces/Contoso";
        let hubs = "/subscriptions/s/providers/Microsoft.Devices/IotHubs";
        let hub = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Devices/IotHubs/hub-1/certificates";
        let entries = [
            entry("GET", "/identity", "", 200, 0),
            entry("GET", "/subscriptions/s/providers/Microsoft.DeviceRegistry", "", 200, 0),
            entry("GET", namespace, "", 200, 0),
            entry("GET", &format!("{namespace}/credentials/default/policies"), "", 200, 0),
            entry("GET", hubs, "api-version=1", 200, 0),
            entry("GET", hubs, "api-version=1&%24skiptoken=x", 200, 0),
            entry("GET", hub, "", 200, 1),
            entry("GET", hub, "", 429, 1),
            entry("POST", &format!("{namespace}/credentials/default/synchronize"), "", 202, 2),
        ];
        let accounts = Accounts::of(&entries, Limits::default());
        assert_eq!((accounts.reads, accounts.writes, accounts.throttled), (6, 1, 1));
        assert_eq!(accounts.versions, 1);
        assert_eq!((accounts.hub_lists, accounts.hub_list_pages, accounts.namespaces), (1, 1, 1));
        assert_eq!(accounts.synchronize["contoso"], 1);
        assert_eq!(accounts.certificates["hub-1"], 1);
        assert_eq!(accounts.policies["contoso"], 1);
        assert!(accounts.other.is_empty(), "{:?}", accounts.other);
        assert!((accounts.fewest_reads_left - 245.0).abs() < 1e-9, "{}", accounts.fewest_reads_left);
        // The 25 tokens of the second between them filled the bucket again, except those that found it full.
        assert!((accounts.reads_left - 249.0).abs() < 1e-9, "{}", accounts.reads_left);
        assert!((accounts.reads_past - 20.0).abs() < 1e-9, "{}", accounts.reads_past);
    }

    #[test]
    fn the_busiest_minute_is_that_with_the_most_reads_that_were_let_in() {
        let read = |second, status| entry("GET", "/subscriptions/s/x", "", status, second);
        let entries =
            [read(0, 200), read(1, 429), read(59, 200), read(60, 200), read(61, 200), read(200, 200)];
        assert_eq!(Accounts::of(&entries, Limits::default()).busiest_minute, 3);
        assert_eq!(Accounts::of(&[], Limits::default()).busiest_minute, 0);
        assert!((given_in_a_minute(Limits::default().reads) - 1_750.0).abs() < 1e-9);
    }

    #[test]
    fn the_floor_is_that_of_the_slower_bucket_and_never_negative() {
        let limits = Limits::default();
        let floor = |reads, writes| Accounts { reads, writes, ..Accounts::default() }.floor_seconds(limits);
        assert!((floor(2_700, 100) - 100.0).abs() < 1e-9);
        assert!((floor(2_700, 1_660) - 150.0).abs() < 1e-9);
        assert!(floor(10, 1).abs() < 1e-9);
    }
}
