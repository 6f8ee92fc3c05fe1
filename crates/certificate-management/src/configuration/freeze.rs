//! `freeze` of a namespace: windows of time in which everything is planned and reported, and nothing is written.
//!
//! The file says at which offset from UTC its times are. Names of time zones are not understood: their rules change by law, and a
//! table of them would be a third of what the program weighs. So each end of a window has the offset that holds then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::rules;

/// The offsets that clocks on Earth have, in minutes from UTC.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 60..=14 * 60;

/// A window in which nothing is written, from its first instant on until before its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Freeze {
    /// The first instant that is frozen.
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    /// The first instant that is not frozen any more.
    #[serde(with = "time::serde::rfc3339")]
    to: OffsetDateTime,
    /// Why, for those who are kept from writing.
    pub reason: String,
    /// The groups that it is about; empty: the whole namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A window of time in which everything is planned and reported, and no function and no command writes: no assignment, no sync, and
/// nothing that the file declares. A person writes all the same with `--break-freeze` and a `--reason`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The first moment that is frozen: `2026-12-20T00:00:00+01:00`, or without an offset where `time_zone` says it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    from: Moment,
    /// The first moment that is not frozen any more, written like `from`. Where clocks change in between, the two offsets differ.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    to: Moment,
    /// The offset of moments without one: `UTC`, or as `+01:00`. Names of places are refused, since they have no one offset.
    #[serde(default)]
    time_zone: Option<String>,
    /// Why, for those who are kept from writing.
    reason: String,
    /// The enrollment groups that are frozen, by tags of the initial twin, as in a rule; then syncs and what the file declares are
    /// not frozen. Without it, the whole namespace is.
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// A moment as the file has it: a date-time of TOML, with or without quotes.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Moment {
    Plain(toml::value::Datetime),
    Quoted(String),
}

impl Freeze {
    /// When it ends: the first instant that is not frozen.
    #[must_use]
    pub fn to(&self) -> OffsetDateTime {
        self.to
    }

    /// Whether the window is open at this instant: from its first one on, until before its last.
    #[must_use]
    pub fn is_open(&self, now: OffsetDateTime) -> bool {
        self.from <= now && now < self.to
    }

    /// Whether it is about the whole namespace.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether it is about a group with these tags.
    #[must_use]
    pub fn is_about(&self, tags: &Map<String, Value>) -> bool {
        rules::has_tags(&self.tags, tags)
    }

    /// Until when it lasts and why, as a phrase that stays the same as long as it lasts.
    #[must_use]
    pub fn why(&self) -> String {
        let to = self.to.to_offset(UtcOffset::UTC);
        let (date, hour, minute) = (to.date(), to.hour(), to.minute());
        format!("frozen until {date} {hour:02}:{minute:02} UTC: {}", self.reason)
    }
}

impl TryFrom<Written> for Freeze {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let zone = written.time_zone.as_deref().map(offset).transpose()?;
        let from = written.from.instant("from", zone)?;
        let to = written.to.instant("to", zone)?;
        if from >= to {
            return Err("freeze: `from` is not before `to`, so it would never be frozen".to_owned());
        }
        if written.reason.trim().is_empty() {
            return Err("freeze: `reason` is empty; say why, for those who are kept from writing".to_owned());
        }
        Ok(Self { from, to, reason: written.reason, tags: written.tags })
    }
}

impl Moment {
    fn instant(&self, key: &str, zone: Option<UtcOffset>) -> Result<OffsetDateTime, String> {
        let said = || {
            format!(
                "freeze: `{key}` must be a moment with its offset, e.g. 2026-12-20T00:00:00+01:00, or without one beside time_zone"
            )
        };
        let written = match self {
            Self::Plain(written) => *written,
            Self::Quoted(text) => text.parse().map_err(|_| said())?,
        };
        let date = written.date.ok_or_else(said)?;
        let month = Month::try_from(date.month).map_err(|_| said())?;
        let date = Date::from_calendar_date(i32::from(date.year), month, date.day).map_err(|_| said())?;
        let time = match written.time {
            None => Time::MIDNIGHT,
            // A leap second is read as the second after it.
            Some(time) => Time::from_hms(time.hour, time.minute, time.second.unwrap_or(0).min(59))
                .map_err(|_| said())?,
        };
        let own = match written.offset {
            None => None,
            Some(toml::value::Offset::Z) => Some(UtcOffset::UTC),
            Some(toml::value::Offset::Custom { minutes }) => {
                Some(of_minutes(i32::from(minutes)).ok_or_else(|| {
                    format!("freeze: no clock has the offset of `{key}`: it is between -12:00 and +14:00")
                })?)
            }
        };
        let offset = match (own, zone) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "freeze: `{key}` has an offset, and time_zone says one too: keep one of them"
                ));
            }
            (Some(offset), None) | (None, Some(offset)) => offset,
            (None, None) => {
                return Err(format!(
                    "freeze: `{key}` has no offset and there is no time_zone: write 2026-12-20T00:00:00+01:00, or add time_zone = \"+01:00\""
                ));
            }
        };
        let local = date.with_time(time).assume_offset(offset);
        local.checked_to_offset(UtcOffset::UTC).ok_or_else(said)
    }
}

/// The offset that `time_zone` says.
fn offset(text: &str) -> Result<UtcOffset, String> {
    let said = || {
        format!(
            "freeze: time_zone `{text}` is not understood: write UTC, or an offset such as +01:00; where clocks change in the window, write \
             each end with its own offset and no time_zone"
        )
    };
    if text == "UTC" || text == "Z" {
        return Ok(UtcOffset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(said()),
    };
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = digits.split_once(':').ok_or_else(said)?;
    let (hours, minutes) = (number(hours).ok_or_else(said)?, number(minutes).ok_or_else(said)?);
    if minutes > 59 {
        return Err(said());
    }
    of_minutes(sign * (hours * 60 + minutes)).ok_or_else(said)
}

fn of_minutes(minutes: i32) -> Option<UtcOffset> {
    OFFSETS.contains(&minutes).then(|| UtcOffset::from_whole_seconds(minutes * 60).ok()).flatten()
}

#[cfg(test)]
mod tests;
