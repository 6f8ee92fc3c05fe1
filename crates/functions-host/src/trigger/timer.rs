//! The timer trigger.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::encoding::{boolean, kind, member, object, time};
use crate::error::DecodeError;

/// One firing of a schedule.
///
/// A timer may fire a few milliseconds *before* its `next` time: never compare the two to decide whether a run is due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerTrigger {
    /// What the host remembers of earlier runs. `None` when it keeps no record: `useMonitor` is false, or the schedule
    /// fires more often than once a minute.
    pub schedule_status: Option<ScheduleStatus>,
    /// Whether this run comes later than scheduled, for instance because the app was not running.
    pub is_past_due: bool,
    /// Whether the schedule follows daylight saving time; `None` when the host did not say.
    pub adjusts_for_daylight_saving: Option<bool>,
}

/// The host's record of a schedule. A time that is missing or unreadable is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleStatus {
    /// When the function last ran; year 1 before the first run.
    pub last: Option<OffsetDateTime>,
    /// When it should run next, as computed after the last run.
    pub next: Option<OffsetDateTime>,
    /// When this record was written; year 1 before the first run.
    pub last_updated: Option<OffsetDateTime>,
}

impl TimerTrigger {
    /// Whether the schedule has never run before, as far as the host knows.
    ///
    /// Judged by the year of the parsed time: the text differs from zone to zone (`0001-01-01T00:54:00+00:54` in
    /// Berlin). Always false without a [`schedule_status`](Self::schedule_status).
    #[must_use]
    pub fn is_first_run(&self) -> bool {
        let last = self.schedule_status.as_ref().and_then(|status| status.last);
        last.is_some_and(|last| last.year() <= 1)
    }

    pub(crate) fn decode(binding: &str, value: &Value) -> Result<Self, DecodeError> {
        let timer = object(value).ok_or_else(|| DecodeError::Shape {
            binding: binding.to_owned(),
            expected: "an object",
            found: kind(value),
        })?;
        let schedule = member(&timer, "Schedule").and_then(object);
        Ok(Self {
            schedule_status: member(&timer, "ScheduleStatus")
                .and_then(object)
                .map(|status| ScheduleStatus::of(&status)),
            is_past_due: member(&timer, "IsPastDue").and_then(boolean).unwrap_or(false),
            adjusts_for_daylight_saving: schedule
                .as_ref()
                .and_then(|it| member(it, "AdjustForDST"))
                .and_then(boolean),
        })
    }
}

impl ScheduleStatus {
    fn of(status: &Map<String, Value>) -> Self {
        Self {
            last: member(status, "Last").and_then(time),
            next: member(status, "Next").and_then(time),
            last_updated: member(status, "LastUpdated").and_then(time),
        }
    }
}
