//! Date-times as .NET holds and writes them: 100 ns ticks and a kind.

use std::fmt::Write;

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::zone::Zone;

/// How a .NET date-time relates to UTC; decides how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Written with `Z`.
    Utc,
    /// Written without a zone.
    Unspecified,
    /// Written with an offset, in minutes east of UTC: a `DateTimeOffset`, or a `DateTime` of local kind.
    Offset(i16),
}

/// A .NET date-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetDate {
    wall: PrimitiveDateTime,
    kind: Kind,
}

impl NetDate {
    /// The wall clock time of `instant` at the offset of `kind`, cut to 100 ns.
    #[must_use]
    pub fn new(instant: OffsetDateTime, kind: Kind) -> Self {
        let minutes = if let Kind::Offset(minutes) = kind { minutes } else { 0 };
        let utc = instant.to_offset(UtcOffset::UTC);
        let utc = PrimitiveDateTime::new(utc.date(), utc.time());
        let wall = utc.checked_add(Duration::minutes(minutes.into())).unwrap_or(utc);
        let ticks = wall.nanosecond() / 100 * 100;
        Self { wall: wall.replace_nanosecond(ticks).unwrap_or(wall), kind }
    }

    /// ISO 8601 as Json.NET writes it: up to 7 fraction digits, trailing zeros cut.
    #[must_use]
    pub fn to_iso(&self) -> String {
        let mut text = self.to_iso_seconds();
        let ticks = self.wall.nanosecond() / 100;
        if ticks > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, ".{ticks:07}");
            text.truncate(text.trim_end_matches('0').len());
        }
        text.push_str(&self.suffix());
        text
    }

    /// The text after `DateTime.Parse(value.ToString())`: whole seconds, and a zone only for an offset.
    #[must_use]
    pub fn to_seconds_text(&self) -> String {
        let suffix = if matches!(self.kind, Kind::Offset(_)) { self.suffix() } else { String::new() };
        self.to_iso_seconds() + &suffix
    }

    /// `11/23/2026 05:21:41`: `ToString()` in the invariant culture.
    #[must_use]
    pub fn to_invariant_text(&self) -> String {
        let wall = self.wall;
        format!(
            "{:02}/{:02}/{:04} {:02}:{:02}:{:02}",
            u8::from(wall.month()),
            wall.day(),
            wall.year(),
            wall.hour(),
            wall.minute(),
            wall.second()
        )
    }

    fn to_iso_seconds(self) -> String {
        let wall = self.wall;
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            wall.year(),
            u8::from(wall.month()),
            wall.day(),
            wall.hour(),
            wall.minute(),
            wall.second()
        )
    }

    fn suffix(&self) -> String {
        match self.kind {
            Kind::Utc => "Z".to_owned(),
            Kind::Unspecified => String::new(),
            Kind::Offset(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }

    /// Takes a string for a date as Json.NET does: `yyyy-MM-ddTHH:mm:ss`, at most 7 fraction digits, then nothing,
    /// `Z` or an offset. A time with an offset becomes local time of `zone`. Anything else stays a string.
    #[must_use]
    pub fn parse(text: &str, zone: &Zone) -> Option<Self> {
        let bytes = text.as_bytes();
        if !(19..=40).contains(&bytes.len()) || bytes[10] != b'T' {
            return None;
        }
        let punctuation = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if punctuation.iter().any(|&(at, expected)| bytes[at] != expected) {
            return None;
        }
        let year = digits(bytes, 0, 4)?;
        let month = Month::try_from(u8::try_from(digits(bytes, 5, 2)?).ok()?).ok()?;
        let day = u8::try_from(digits(bytes, 8, 2)?).ok()?;
        let (hour, minute, second) = (digits(bytes, 11, 2)?, digits(bytes, 14, 2)?, digits(bytes, 17, 2)?);
        if year == 0 || hour > 24 || minute > 59 || second > 59 || (hour == 24 && (minute, second) != (0, 0))
        {
            return None;
        }
        let (ticks, rest) = fraction(&bytes[19..])?;
        if hour == 24 && ticks != 0 {
            return None;
        }
        let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, day).ok()?;
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let wall = PrimitiveDateTime::new(date, Time::MIDNIGHT)
            .checked_add(Duration::seconds(seconds) + Duration::nanoseconds(i64::from(ticks) * 100))?;
        match rest {
            [] => Some(Self { wall, kind: Kind::Unspecified }),
            [b'Z' | b'z'] => Some(Self { wall, kind: Kind::Utc }),
            offset => {
                let instant = wall.assume_utc().checked_sub(Duration::minutes(offset_minutes(offset)?))?;
                Some(Self::new(instant, Kind::Offset(zone.offset_minutes(instant))))
            }
        }
    }
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(from..from + count)?;
    digits
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// The ticks of a `.fraction`, and what follows. `None` for a point without a digit.
fn fraction(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let Some(rest) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let count = rest.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    let value = if count == 0 { None } else { digits(rest, 0, count) };
    let scale = 10_u32.pow(7 - u32::try_from(count).ok()?);
    Some((value? * scale, &rest[count..]))
}

/// `+02:00`, `+0200` or `+02`, in minutes.
fn offset_minutes(bytes: &[u8]) -> Option<i64> {
    let sign = match bytes.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(bytes, 1, 2)?;
    let minutes = match &bytes[3..] {
        [] => 0,
        rest => {
            let rest = rest.strip_prefix(b":").unwrap_or(rest);
            if rest.len() != 2 {
                return None;
            }
            digits(rest, 0, 2)?
        }
    };
    Some(sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        NetDate::parse(text, &Zone::Utc).map(|date| date.to_iso())
    }

    #[test]
    fn dates_lose_trailing_zeros_and_take_the_hosts_offset() {
        assert_eq!(again("2026-11-23T05:21:40.1230000Z").as_deref(), Some("2026-11-23T05:21:40.123Z"));
        assert_eq!(again("2026-11-23T05:21:40+02:00").as_deref(), Some("2026-11-23T03:21:40+00:00"));
        assert_eq!(again("2026-11-23T05:21:40").as_deref(), Some("2026-11-23T05:21:40"));
        assert_eq!(again("2026-11-23T24:00:00Z").as_deref(), Some("2026-11-24T00:00:00Z"));
    }

    #[test]
    fn what_json_net_takes_for_no_date_stays_text() {
        for text in [
            "2026-11-23",
            "2026-11-23T05:21:40.123456789Z",
            "2026-11-23 05:21:40",
            "2026-11-23T05:21",
            "2026-13-23T05:21:40Z",
            "2026-02-30T05:21:40Z",
            "2026-11-23T05:21:40.Z",
            "2026-11-23T05:21:40Zz",
            "0000-11-23T05:21:40Z",
            "2026-11-23T05:21:40é",
        ] {
            assert_eq!(again(text), None, "{text}");
        }
    }

    #[test]
    fn the_invariant_culture_puts_the_month_first() {
        let date = NetDate::parse("2026-11-23T05:21:41.250940Z", &Zone::Utc).unwrap();
        assert_eq!(date.to_invariant_text(), "11/23/2026 05:21:41");
        assert_eq!(date.to_seconds_text(), "2026-11-23T05:21:41");
    }
}
