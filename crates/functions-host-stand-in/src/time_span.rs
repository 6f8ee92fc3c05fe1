//! Time spans as .NET parses them.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// Parses `hh:mm:ss`, `hh:mm`, `d.hh:mm:ss` and a bare number of days, with an optional fraction of seconds.
///
/// A first field of 24 or more means days, so `24:00:00` is 24 days, as on the real host.
#[must_use]
pub fn parse_time_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (clock, fraction) = match text.rsplit_once('.') {
        Some((clock, fraction)) if clock.contains(':') && !fraction.contains(':') => {
            (clock, parse_fraction(fraction)?)
        }
        _ => (text, 0),
    };
    let (days, clock) = match clock.split_once('.') {
        Some((days, clock)) => (Some(number(days)?), clock),
        None => (None, clock),
    };
    let fields = clock.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let seconds = match (days, fields.as_slice()) {
        (None, [days]) => days.checked_mul(DAY)?,
        (days, [hours, minutes]) if *hours < 24 => {
            days.unwrap_or(0) * DAY + clock_seconds(*hours, *minutes, 0)?
        }
        (days, [hours, minutes, seconds]) if *hours < 24 => {
            days.unwrap_or(0) * DAY + clock_seconds(*hours, *minutes, *seconds)?
        }
        (None, [days, hours, minutes]) => days * DAY + clock_seconds(*hours, *minutes, 0)?,
        (None, [days, hours, minutes, seconds]) => days * DAY + clock_seconds(*hours, *minutes, *seconds)?,
        _ => return None,
    };
    Some(Duration::from_secs(seconds) + Duration::from_nanos(fraction))
}

fn clock_seconds(hours: u64, minutes: u64, seconds: u64) -> Option<u64> {
    (hours < 24 && minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// At most 8 digits, so that no sum overflows.
fn number(text: &str) -> Option<u64> {
    let fits = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn parse_fraction(digits: &str) -> Option<u64> {
    if !(1..=7).contains(&digits.len()) {
        return None;
    }
    number(&format!("{digits:0<7}")).map(|ticks| ticks * 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read_as_dotnet_reads_them() {
        for (text, seconds) in [
            ("00:00:05", 5),
            ("00:10:00", 600),
            ("01:30", 5400),
            ("1.02:00:00", 26 * 3600),
            ("2", 2 * DAY),
            ("24:00:00", 24 * DAY),
        ] {
            assert_eq!(parse_time_span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_time_span("00:00:00.25"), Some(Duration::from_millis(250)));
        for text in ["", "x", "00:60:00", "-00:00:01", "1:2:3:4:5", "5s", "00:00:00.", "999999999"] {
            assert_eq!(parse_time_span(text), None, "{text}");
        }
    }
}
