//! From when to when each issuing CA is valid, as bars along one axis of time, the next to end first.

use certificate_management::reason::Severity;
use certificate_management::report::{CaEnd, Report};
use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::words;

/// How many CAs are drawn at the most, as many as the report lists; all are in the tables of their namespaces.
const DRAWN: usize = 40;
/// How many marks the axis has at the most; more would run into each other on a phone.
const MOST_MARKS: usize = 6;
/// Months between two marks, the finest that leaves few enough.
const STEPS: [u8; 6] = [1, 2, 3, 6, 12, 24];

/// The bars and their axis.
pub struct Lifetimes {
    pub bars: Vec<Bar>,
    pub marks: Vec<Mark>,
    /// Where now is, percent of the width.
    pub now: String,
    /// How many CAs are not drawn.
    pub left_out: Option<String>,
}

/// One CA.
pub struct Bar {
    pub namespace: String,
    pub policy: String,
    /// Where it begins and how long it is, percent of the width.
    pub start: String,
    pub length: String,
    pub not_before: Option<String>,
    pub not_after: String,
    /// What is left, in words.
    pub left: String,
    pub class: &'static str,
}

/// A day on the axis.
pub struct Mark {
    pub at: String,
    pub label: String,
}

impl Lifetimes {
    /// Nothing when no CA says when it ends.
    pub fn of(report: &Report) -> Option<Self> {
        // The days that are left are those of the report, so that every part of the page counts the same ones.
        let now = report.generated_at;
        let ends = &report.ends;
        let left_out = report.summary.policies.saturating_sub(ends.len());
        let axis = Axis {
            from: ends.iter().filter_map(|end| end.not_before).chain([now]).min()?,
            to: ends.last()?.not_after.max(now + Duration::days(1)),
        };
        Some(Self {
            bars: ends.iter().map(|end| Bar::of(end, &axis, now)).collect(),
            marks: axis.marks(),
            now: axis.percent(now),
            left_out: (left_out > 0 && ends.len() >= DRAWN).then(|| words::thousands(left_out as u64)),
        })
    }
}

/// The colour of a CA is that of what its check says about it, so that the two agree whatever the thresholds are.
fn class(end: &CaEnd) -> &'static str {
    match end.severity {
        Some(Severity::Critical) => "bad",
        Some(_) => "fair",
        None => "good",
    }
}

impl Bar {
    fn of(span: &CaEnd, axis: &Axis, now: OffsetDateTime) -> Self {
        // One that does not say when it began is drawn from the edge.
        let start = axis.share(span.not_before.unwrap_or(axis.from));
        let left = (span.not_after - now).whole_days();
        Self {
            namespace: words::name(&span.namespace),
            policy: words::name(&span.policy),
            start: percent(start),
            // Always wide enough to be seen.
            length: percent((axis.share(span.not_after) - start).max(0.005)),
            not_before: span.not_before.map(words::date),
            not_after: words::date(span.not_after),
            left: if span.not_after <= now {
                format!("ended {}", words::days(left))
            } else {
                words::days(left)
            },
            class: class(span),
        }
    }
}

struct Axis {
    from: OffsetDateTime,
    to: OffsetDateTime,
}

impl Axis {
    fn share(&self, time: OffsetDateTime) -> f64 {
        let whole = (self.to - self.from).as_seconds_f64().max(1.0);
        ((time - self.from).as_seconds_f64() / whole).clamp(0.0, 1.0)
    }

    fn percent(&self, time: OffsetDateTime) -> String {
        percent(self.share(time))
    }

    /// First days of months, evenly apart.
    fn marks(&self) -> Vec<Mark> {
        let months = |time: OffsetDateTime| time.year() * 12 + i32::from(u8::from(time.month())) - 1;
        let (first, last) = (months(self.from) + 1, months(self.to));
        let fits = |step: &i32| (last - first) / step < i32::try_from(MOST_MARKS).unwrap_or(i32::MAX);
        // Longer than all the steps together: whole decades.
        let step = STEPS.iter().map(|step| i32::from(*step)).find(fits).unwrap_or(120);
        let mut marks: Vec<Mark> = (first..=last)
            .filter(|month| month.rem_euclid(step) == 0)
            .filter_map(|month| {
                let name = Month::try_from(u8::try_from(month.rem_euclid(12) + 1).ok()?).ok()?;
                let day = Date::from_calendar_date(month.div_euclid(12), name, 1).ok()?;
                let label = if step < 12 {
                    format!("{:04}-{:02}", day.year(), u8::from(name))
                } else {
                    day.year().to_string()
                };
                Some(Mark { at: self.percent(day.with_time(Time::MIDNIGHT).assume_utc()), label })
            })
            .collect();
        marks.truncate(MOST_MARKS);
        marks
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn labels(from: OffsetDateTime, to: OffsetDateTime) -> Vec<String> {
        Axis { from, to }.marks().into_iter().map(|mark| mark.label).collect()
    }

    #[test]
    fn the_axis_has_few_marks_whatever_its_length() {
        assert_eq!(
            labels(datetime!(2026-01-10 0:00 UTC), datetime!(2026-04-10 0:00 UTC)),
            ["2026-02", "2026-03", "2026-04"]
        );
        assert_eq!(
            labels(datetime!(2024-05-01 0:00 UTC), datetime!(2029-06-01 0:00 UTC)),
            ["2025", "2026", "2027", "2028", "2029"]
        );
        assert!(labels(datetime!(2026-01-10 0:00 UTC), datetime!(2026-01-20 0:00 UTC)).is_empty());
        assert!(labels(datetime!(0001-01-01 0:00 UTC), datetime!(9999-12-31 0:00 UTC)).len() <= MOST_MARKS);
    }

    #[test]
    fn shares_stay_within_the_axis() {
        let axis = Axis { from: datetime!(2026-01-01 0:00 UTC), to: datetime!(2026-01-11 0:00 UTC) };
        assert_eq!(axis.percent(datetime!(2026-01-06 0:00 UTC)), "50.0%");
        assert_eq!(axis.percent(datetime!(2020-01-01 0:00 UTC)), "0.0%");
        assert_eq!(axis.percent(datetime!(2030-01-01 0:00 UTC)), "100.0%");
    }
}
