//! Telling findings once: each at each step of its ladder, and once when it clears. Pure: the ledger of what was told, the
//! findings of now and the time go in; the events and the new ledger come out.
//!
//! The ledger is recorded before an event leaves, and told that it has left afterwards. A process that dies in between
//! leaves the event *pending*; once nobody can be delivering it any more, it is sent again, unchanged and with the same
//! id, so that a subscriber can drop the repeat. Nothing else is ever sent twice.
//!
//! An alert clears only by seeing: what could not be read, or was not seen, is *held* as it is until the next look.

mod event;
mod hold;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub use self::event::{EVENT_TYPE, FindingEvent, FindingState};
use crate::finding::{Finding, Step};
use crate::report::Report;

/// Version of the ledger.
pub const LEDGER_SCHEMA: &str = "alerts/v1";
/// How long whoever recorded an event has to deliver it: that is done right after it was recorded, at the end of the invocation.
pub const LEASE: Duration = Duration::minutes(10);
/// How many events one run sends at the most, the worst first; the next run goes on.
pub const EVENTS_AT_ONCE: usize = 100;
/// How many alerts are open at the most, so that the ledger stays a record of a few megabytes.
pub const OPEN_AT_MOST: usize = 5_000;

/// What was told, and what is being told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Always [`LEDGER_SCHEMA`].
    pub schema: String,
    /// What was raised and has not cleared, by the id of the finding.
    pub open: BTreeMap<String, Alert>,
    /// Events of which nobody knows yet that they have left, the oldest first.
    pub pending: Vec<Pending>,
    /// When the newest alert was raised. Each is raised later than the one before it, so that no two share an event id.
    #[serde(with = "time::serde::rfc3339")]
    pub newest: OffsetDateTime,
}

/// A finding that was raised and has not cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// When it was raised, to the millisecond: tells this time from an earlier one of the same finding.
    #[serde(with = "time::serde::rfc3339")]
    pub raised_at: OffsetDateTime,
    /// The highest step that was told.
    pub step: Step,
    /// The finding as it was told last, without its evidence.
    pub finding: Finding,
}

/// An event that was recorded and may not have left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The event.
    pub event: FindingEvent,
    /// Until when somebody may be delivering it.
    #[serde(with = "time::serde::rfc3339")]
    pub leased_until: OffsetDateTime,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            schema: LEDGER_SCHEMA.to_owned(),
            open: BTreeMap::new(),
            pending: Vec::new(),
            newest: OffsetDateTime::UNIX_EPOCH,
        }
    }
}

impl Ledger {
    /// Takes a report in; answers the events to deliver now. They stand in the ledger as pending, so record it first.
    pub fn advance(&mut self, report: &Report, now: OffsetDateTime) -> Vec<FindingEvent> {
        let mut room = EVENTS_AT_ONCE;
        let mut events = self.repeat(now, &mut room);
        let fresh = events.len();
        let mut raised = Vec::new();
        for finding in &report.findings {
            if raised.len() == room {
                break;
            }
            raised.extend(self.raise(finding, now));
        }
        // What is gone comes first: where a new CA replaces one that was told, the story reads in its order.
        events.extend(self.clear(report, now, room - raised.len()));
        events.extend(raised);
        let leased_until = now + LEASE;
        self.pending
            .extend(events[fresh..].iter().map(|event| Pending { event: event.clone(), leased_until }));
        events
    }

    /// Takes in that events have left.
    pub fn confirm(&mut self, event_ids: &[String]) {
        self.pending.retain(|pending| !event_ids.contains(&pending.event.id));
    }

    /// Events whose delivery nobody has confirmed and nobody can be busy with.
    fn repeat(&mut self, now: OffsetDateTime, room: &mut usize) -> Vec<FindingEvent> {
        let overdue = self.pending.iter_mut().filter(|pending| pending.leased_until <= now);
        let repeated: Vec<FindingEvent> = overdue
            .take(*room)
            .map(|pending| {
                pending.leased_until = now + LEASE;
                pending.event.clone()
            })
            .collect();
        *room -= repeated.len();
        repeated
    }

    /// The event of a finding that is new, or has climbed.
    fn raise(&mut self, finding: &Finding, now: OffsetDateTime) -> Option<FindingEvent> {
        let step = finding.announced_step();
        let bare = || Finding { evidence: Vec::new(), ..finding.clone() };
        if let Some(alert) = self.open.get_mut(&finding.id) {
            if step.rank <= alert.step.rank {
                return None;
            }
            (alert.step, alert.finding) = (step, bare());
            return Some(FindingEvent::new(FindingState::Escalated, alert, finding, now));
        }
        if self.open.len() >= OPEN_AT_MOST {
            return None;
        }
        let raised_at = whole_milliseconds(now).max(self.newest + Duration::MILLISECOND);
        self.newest = raised_at;
        let alert = Alert { raised_at, step, finding: bare() };
        let event = FindingEvent::new(FindingState::Raised, &alert, finding, now);
        self.open.insert(finding.id.clone(), alert);
        Some(event)
    }

    /// The events of what was raised and is not found any more.
    fn clear(&mut self, report: &Report, now: OffsetDateTime, room: usize) -> Vec<FindingEvent> {
        let found: BTreeSet<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
        let gone = self
            .open
            .iter()
            .filter(|(id, alert)| !found.contains(id.as_str()) && !hold::is_held(&alert.finding, report));
        let gone: Vec<String> = gone.take(room).map(|(id, _)| id.clone()).collect();
        let cleared = gone.iter().filter_map(|id| self.open.remove(id));
        cleared.map(|alert| FindingEvent::new(FindingState::Cleared, &alert, &alert.finding, now)).collect()
    }
}

/// What RFC 3339 in the record and the event ids keep.
fn whole_milliseconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_millisecond(at.millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests;
