//! Keeps every request that the simulated Azure received, in order of arrival.
//!
//! Tests read it to prove what a client did *not* do (a second run makes no write), so a request takes its place when
//! it arrives and gets its status with its answer. The log keeps neither headers nor bodies, since these carry secrets.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;

/// How many requests are remembered unless told otherwise.
pub const CAPACITY: usize = 1_000_000;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// HTTP method.
    pub method: String,
    /// Path as it came, still percent-encoded.
    pub path: String,
    /// Query as it came, without the question mark; empty when there was none.
    pub query: String,
    /// Status that the client was answered; `null` while it waits, and for ever when its connection was closed instead.
    pub status: Option<u16>,
    /// Simulated time of arrival, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// A fault threw the answer of the service away: the service did the work, with any `status` here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// A bounded log; the oldest requests go first.
#[derive(Debug)]
pub struct Log {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    dropped: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Log {
    /// A log that remembers the last `capacity` requests.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), kept: Mutex::default() }
    }

    /// Notes a request that has just arrived. The number names it in [`Log::answered`].
    pub fn arrived(&self, method: &str, path: &str, query: &str, at: OffsetDateTime) -> u64 {
        let entry = Entry {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            status: None,
            at,
            lost: false,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.entries.len() == self.capacity {
            kept.entries.pop_front();
            kept.dropped += 1;
        }
        kept.entries.push_back(entry);
        kept.dropped + kept.entries.len() as u64 - 1
    }

    /// Notes how a request ended. One that was dropped from the log meanwhile is ignored.
    pub fn answered(&self, number: u64, status: Option<u16>, lost: bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_sub(kept.dropped).and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = place.and_then(|place| kept.entries.get_mut(place)) {
            entry.status = status;
            entry.lost = lost;
        }
    }

    /// The requests that are still remembered, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.iter().cloned().collect()
    }

    /// How many requests were forgotten because the log was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(log: &Log) -> Vec<(String, Option<u16>)> {
        log.entries().into_iter().map(|entry| (entry.path, entry.status)).collect()
    }

    #[test]
    fn requests_stand_in_order_of_arrival_however_late_they_are_answered() {
        let log = Log::default();
        let now = OffsetDateTime::UNIX_EPOCH;
        let first = log.arrived("GET", "/a", "", now);
        let second = log.arrived("GET", "/b", "x=1", now);
        log.answered(second, Some(204), false);
        assert_eq!(paths(&log), [("/a".to_owned(), None), ("/b".to_owned(), Some(204))]);
        log.answered(first, Some(500), false);
        assert_eq!(paths(&log)[0].1, Some(500));
    }

    #[test]
    fn a_full_log_forgets_the_oldest_and_says_how_many() {
        let log = Log::with_capacity(2);
        let now = OffsetDateTime::UNIX_EPOCH;
        let numbers: Vec<u64> =
            ["/a", "/b", "/c"].iter().map(|path| log.arrived("GET", path, "", now)).collect();
        log.answered(numbers[0], Some(200), false);
        log.answered(numbers[2], Some(201), false);
        assert_eq!(log.dropped(), 1);
        assert_eq!(paths(&log), [("/b".to_owned(), None), ("/c".to_owned(), Some(201))]);
    }
}
