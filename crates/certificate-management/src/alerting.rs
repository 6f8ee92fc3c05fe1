//! Announces each finding once at each step of its ladder, and once when it clears. Pure: the ledger of what was
//! announced, the findings of now and the time go in; the events and the new ledger come out.
//!
//! The app records the ledger before it hands an event over, and confirms the event afterwards. A process that dies in
//! between leaves the event *pending*. Once no run can be delivering it any more, the next run sends it again,
//! unchanged and with the same id, so that a subscriber can drop the repeat. No other event is sent twice.
//!
//! An alert clears only when the report has seen that its cause is gone. While the report cannot read or see what the
//! alert is about, the alert is *held* as it is.

mod event;
mod hold;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub use self::event::{BRIEFS, Brief, EVENT_TYPE, FindingEvent, FindingState};
use crate::causes;
use crate::finding::{Finding, Step};
use crate::report::Report;

/// Version of the ledger.
pub const LEDGER_SCHEMA: &str = "alerts/v1";
/// How long the run that recorded an event has to deliver it. It does so right after it has recorded the event, at the end of its
/// invocation.
pub const LEASE: Duration = Duration::minutes(10);
/// How many events one run sends at the most, the worst first; the next run goes on.
pub const EVENTS_AT_ONCE: usize = 100;
/// How many alerts are open at the most, so that the ledger stays a record of a few megabytes.
pub const OPEN_AT_MOST: usize = 5_000;

/// The alerts that were announced and are open, and the events that are being delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Always [`LEDGER_SCHEMA`].
    pub schema: String,
    /// The alerts that were raised and have not cleared, by the id of the finding.
    pub open: BTreeMap<String, Alert>,
    /// Events that no run has confirmed yet, the oldest first.
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
    /// The highest step that was announced.
    pub step: Step,
    /// The finding as it was announced last, without its evidence.
    pub finding: Finding,
}

/// An event that was recorded and may not have left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The event.
    pub event: FindingEvent,
    /// Until when the run that recorded it may be delivering it.
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
        // Every cause comes before what follows from one: two hundred groups that wait for one hub must not put another hub off.
        let causes = causes::group(&report.findings);
        let heads =
            causes.iter().flat_map(|cause| cause.iter().take(1).map(move |finding| (*finding, cause)));
        let follows =
            causes.iter().flat_map(|cause| cause.iter().skip(1).map(move |finding| (*finding, cause)));
        for (finding, cause) in heads.chain(follows) {
            if raised.len() == room {
                break;
            }
            raised.extend(self.raise(finding, now).map(|event| event.within(cause)));
        }
        // Clearings go before raisings: when a new CA replaces one that was announced, subscribers read both in the
        // order in which they happened.
        events.extend(self.clear(report, now, room - raised.len()));
        events.extend(raised);
        let leased_until = now + LEASE;
        self.pending
            .extend(events[fresh..].iter().map(|event| Pending { event: event.clone(), leased_until }));
        events
    }

    /// Removes the events that have left from those that are pending.
    pub fn confirm(&mut self, event_ids: &[String]) {
        self.pending.retain(|pending| !event_ids.contains(&pending.event.id));
    }

    /// The events whose lease is over without a confirmation, each with a new lease.
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
        let raised_at = whole_milliseconds(now).max(self.newest.saturating_add(Duration::MILLISECOND));
        self.newest = raised_at;
        let alert = Alert { raised_at, step, finding: bare() };
        let event = FindingEvent::new(FindingState::Raised, &alert, finding, now);
        self.open.insert(finding.id.clone(), alert);
        Some(event)
    }

    /// The events of alerts whose finding is not found any more.
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

/// Cuts a time to milliseconds, which event ids and the record keep.
fn whole_milliseconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_millisecond(at.millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests;
