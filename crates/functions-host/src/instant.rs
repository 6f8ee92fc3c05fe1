//! Times as .NET writes them.
//!
//! A `DateTime` arrives without a zone (and, in single-value metadata, cut to whole seconds), a `DateTimeOffset` with
//! one, a timer's times with the offset of the host's zone, which may be odd: year 1 in Berlin is written with the
//! local mean time of that city, `0001-01-01T00:54:00+00:54`. Fractions have up to seven digits with trailing zeros
//! trimmed. RFC 3339 parsers refuse several of these, so this crate has its own.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Reads an ISO 8601 date-time with `T`, whole seconds, any number of fraction digits (those past the ninth are
/// dropped) and `Z`, an offset in hours and minutes, or no zone at all, which is read as UTC.
///
/// Anything else, including a date alone and a culture's own format, is `None`.
///
/// ```
/// use functions_host::parse_time;
///
/// let first_run = parse_time("0001-01-01T00:54:00+00:54").unwrap();
/// assert_eq!(first_run.year(), 1);
/// assert_eq!(parse_time("2026-11-23T05:21:41").unwrap(), parse_time("2026-11-23T06:21:41+01:00").unwrap());
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = Month::try_from(rest.byte(2)?).ok()?;
    rest.one_of(b"-")?;
    let date = Date::from_calendar_date(i32::from(year), month, rest.byte(2)?).ok()?;
    rest.one_of(b"Tt")?;
    let hour = rest.byte(2)?;
    rest.one_of(b":")?;
    let minute = rest.byte(2)?;
    rest.one_of(b":")?;
    let second = rest.byte(2)?;
    let nanosecond = if rest.one_of(b".").is_some() { rest.fraction()? } else { 0 };
    let time = Time::from_hms_nano(hour, minute, second, nanosecond).ok()?;
    let offset = rest.offset()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset))
}

/// The text that is left to read. Each method takes its part from the front, or leaves the rest as it was and returns
/// `None`.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        wanted.contains(&first).then(|| self.0 = rest)?;
        Some(first)
    }

    /// A number of exactly that many digits; at most four, so that it fits.
    fn number(&mut self, digits: usize) -> Option<u16> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let mut value: u16 = 0;
        for digit in number {
            value = value * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        Some(value)
    }

    fn byte(&mut self, digits: usize) -> Option<u8> {
        u8::try_from(self.number(digits)?).ok()
    }

    /// One digit or more after the point, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits).filter(|_| digits > 0)?;
        self.0 = rest;
        let significant = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        Some(significant.fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    /// The zone, which must be the last part.
    fn offset(&mut self) -> Option<UtcOffset> {
        let offset = match self.one_of(b"Zz+-") {
            None | Some(b'Z' | b'z') => UtcOffset::UTC,
            Some(sign) => {
                let hours = i8::try_from(self.byte(2)?).ok()?;
                self.one_of(b":")?;
                let minutes = i8::try_from(self.byte(2)?).ok()?;
                let direction = if sign == b'-' { -1 } else { 1 };
                UtcOffset::from_hms(direction * hours, direction * minutes, 0).ok()?
            }
        };
        self.0.is_empty().then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn each_form_of_dot_net_is_read() {
        for (text, expected) in [
            ("2023-10-12T20:13:49", datetime!(2023-10-12 20:13:49 UTC)),
            ("2023-10-12T20:13:49+00:00", datetime!(2023-10-12 20:13:49 UTC)),
            ("2026-11-23T09:50:47.656942Z", datetime!(2026-11-23 09:50:47.656_942 UTC)),
            ("2026-11-23T05:21:41.2065", datetime!(2026-11-23 05:21:41.206_5 UTC)),
            ("2026-11-24T03:00:00+01:00", datetime!(2026-11-24 03:00:00 +1)),
            ("0001-01-01T00:54:00+00:54", datetime!(0001-01-01 00:54:00 +00:54)),
            ("0001-01-01T00:00:00-04:56", datetime!(0001-01-01 00:00:00 -04:56)),
            ("2026-11-23T05:21:40.123456789Z", datetime!(2026-11-23 05:21:40.123_456_789 UTC)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23 05:21:41",
            "11/23/2026 05:21:41",
            "2026-11-23T05:21",
            "2026-13-23T05:21:41",
            "2026-02-30T05:21:41",
            "2026-11-23T25:21:41",
            "2026-11-23T05:21:41.",
            "2026-11-23T05:21:41+1",
            "2026-11-23T05:21:41+99:00",
            "2026-11-23T05:21:41Z and more",
            "２０２６-11-23T05:21:41Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn a_time_with_seven_digits_survives(seconds in -62_135_596_800_i64..253_402_300_800, ticks in 0_i32..10_000_000) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::nanoseconds(i64::from(ticks) * 100);
            let text = format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
                time.year(), u8::from(time.month()), time.day(), time.hour(), time.minute(), time.second(), ticks,
            );
            prop_assert_eq!(parse(&text), Some(time));
        }
    }
}
