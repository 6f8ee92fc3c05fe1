//! Schedules of timers: NCRONTAB expressions and constant intervals.

use std::time::Duration;

use chrono::{DateTime, TimeZone};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use time::OffsetDateTime;

use super::time_span::parse_time_span;
use super::zone::{Search, Zone};

/// When a timer fires.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// At the times of a cron expression, on the host's clock.
    Cron(Box<Expression>),
    /// Every so often, counted from the last run.
    Every(Duration),
}

/// A parsed cron expression.
#[derive(Debug, Clone)]
pub struct Expression(Cron);

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Five or six fields, or an interval, are wanted.
    #[error("has {0} fields")]
    Fields(usize),
    /// One field is wrong.
    #[error("the field {0:?} is not understood")]
    Field(String),
    /// The expression as a whole is wrong.
    #[error("{0}")]
    Expression(String),
    /// An interval of nothing.
    #[error("an interval must be longer than nothing")]
    Nothing,
}

impl Schedule {
    /// Parses `{second} {minute} {hour} {day} {month} {day of week}` (the second may be left out) or `hh:mm:ss`.
    ///
    /// # Errors Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        if !text.contains(' ')
            && let Some(interval) = parse_time_span(text).filter(|_| text.contains(':'))
        {
            return if interval.is_zero() { Err(ScheduleError::Nothing) } else { Ok(Self::Every(interval)) };
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if !(5..=6).contains(&fields.len()) {
            return Err(ScheduleError::Fields(fields.len()));
        }
        let most: &[u32] = &[59, 59, 23, 31, 12, 6];
        let most = &most[6 - fields.len()..];
        let fields = fields
            .iter()
            .zip(most)
            .map(|(field, most)| {
                to_croner(field, *most).ok_or_else(|| ScheduleError::Field((*field).to_owned()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // NCRONTAB wants both the day of the month and the day of the week to fit, other crons either.
        let parser =
            CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).dom_and_dow(true).build();
        let cron =
            parser.parse(&fields.join(" ")).map_err(|error| ScheduleError::Expression(error.to_string()))?;
        Ok(Self::Cron(Box::new(Expression(cron))))
    }

    /// The first time strictly after `after`; `None` when there is none.
    #[must_use]
    pub fn next(&self, after: OffsetDateTime, zone: &Zone) -> Option<OffsetDateTime> {
        match self {
            Self::Cron(expression) => zone.search(expression.as_ref(), after),
            Self::Every(interval) => after.checked_add((*interval).try_into().ok()?),
        }
    }

    /// Whether it fires more often than once a minute, judged by its next five times as the real host does.
    #[must_use]
    pub fn is_below_a_minute(&self, now: OffsetDateTime, zone: &Zone) -> bool {
        let mut earlier = match self.next(now, zone) {
            Some(first) => first,
            None => return false,
        };
        for _ in 0..4 {
            let Some(later) = self.next(earlier, zone) else { return false };
            if later - earlier < time::Duration::MINUTE {
                return true;
            }
            earlier = later;
        }
        false
    }

    /// Whether times follow the clock through a change of summer time: true for cron expressions.
    #[must_use]
    pub fn adjusts_for_summer_time(&self) -> bool {
        matches!(self, Self::Cron(_))
    }
}

impl Search for Expression {
    fn next<Z: TimeZone>(&self, after: DateTime<Z>) -> Option<DateTime<Z>> {
        self.0.find_next_occurrence(&after, false).ok()
    }
}

/// Checks one NCRONTAB field, which knows no `L`, `W`, `#` or `?`, and spells out `a/n` ("from a, every n").
fn to_croner(field: &str, most: u32) -> Option<String> {
    let item = |item: &str| -> Option<String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let known = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits || (text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()))
        };
        let shape = match range.split_once('-') {
            Some((first, last)) => known(first) && known(last),
            None => range == "*" || known(range),
        };
        if !shape || !step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0)) {
            return None;
        }
        Some(match step {
            Some(step) if range != "*" && !range.contains('-') => format!("{range}-{most}/{step}"),
            _ => item.to_owned(),
        })
    };
    field.split(',').map(item).collect::<Option<Vec<_>>>().map(|items| items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn next(schedule: &str, after: OffsetDateTime) -> String {
        let zone = Zone::Utc;
        Schedule::parse(schedule)
            .unwrap()
            .next(after, &zone)
            .map_or_else(String::new, |time| time.to_string())
    }

    #[test]
    fn six_fields_start_with_the_second() {
        let after = datetime!(2026-11-23 09:51:00.5 UTC);
        for (schedule, expected) in [
            ("0 * * * * *", "2026-11-23 9:52:00.0 +00:00:00"),
            ("*/5 * * * * *", "2026-11-23 9:51:05.0 +00:00:00"),
            ("10/20 * * * * *", "2026-11-23 9:51:10.0 +00:00:00"),
            ("0 */15 * * * *", "2026-11-23 10:00:00.0 +00:00:00"),
            ("*/15 * * * *", "2026-11-23 10:00:00.0 +00:00:00"),
            ("0 0 3 * * MON-FRI", "2026-11-24 3:00:00.0 +00:00:00"),
            ("0 0 3 1 JAN *", "2027-01-01 3:00:00.0 +00:00:00"),
            ("0 0 0 13 * 5", "2027-08-13 0:00:00.0 +00:00:00"),
            ("00:01:00", "2026-11-23 9:52:00.5 +00:00:00"),
        ] {
            assert_eq!(next(schedule, after), expected, "{schedule}");
        }
    }

    #[test]
    fn a_zone_moves_the_clock_and_summer_time_with_it() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let schedule = Schedule::parse("0 0 3 * * *").unwrap();
        let winter = schedule.next(datetime!(2026-11-23 09:50 UTC), &berlin);
        assert_eq!(winter, Some(datetime!(2026-11-24 02:00 UTC)));
        let summer = schedule.next(datetime!(2026-07-01 09:50 UTC), &berlin);
        assert_eq!(summer, Some(datetime!(2026-07-02 01:00 UTC)));
    }

    #[test]
    fn schedules_below_a_minute_are_told() {
        let now = datetime!(2026-11-23 09:51:30 UTC);
        for (schedule, expected) in [
            ("*/5 * * * * *", true),
            ("0,30 0 3 * * *", true),
            ("00:00:59", true),
            ("0 * * * * *", false),
            ("00:01:00", false),
            ("0 0 3 1 1 *", false),
        ] {
            assert_eq!(
                Schedule::parse(schedule).unwrap().is_below_a_minute(now, &Zone::Utc),
                expected,
                "{schedule}"
            );
        }
    }

    #[test]
    fn what_ncrontab_does_not_know_is_refused() {
        for schedule in [
            "",
            "* * *",
            "@daily",
            "0 0 0 L * *",
            "0 0 0 1W * *",
            "0 0 0 ? * *",
            "0 0 0 * * 5#2",
            "60 * * * * *",
            "0 0 0 * * * 2027",
            "*/0 * * * * *",
            "00:00:00",
        ] {
            assert!(Schedule::parse(schedule).is_err(), "{schedule}");
        }
    }
}
