//! The time zone of the host.
//!
//! The real host reads cron expressions and writes timer times in its machine's zone: UTC in Azure unless
//! `WEBSITE_TIME_ZONE` or `TZ` says otherwise, a laptop's own zone under `func`.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use time::OffsetDateTime;

/// A time zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// A zone of the IANA database.
    Named(Tz),
    /// The zone of this machine.
    Local,
}

/// A zone name that the IANA database does not hold.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an IANA time zone name, such as Europe/Berlin")]
pub struct UnknownZone(String);

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        match name.trim_start_matches(':') {
            "UTC" | "Etc/UTC" | "GMT" => Ok(Self::Utc),
            name => name.parse().map(Self::Named).map_err(|_| UnknownZone(name.to_owned())),
        }
    }
}

impl Zone {
    /// Minutes east of UTC at `instant`.
    ///
    /// .NET knows whole minutes only: an offset with seconds (local mean time before zones existed) is the zone's
    /// standard offset plus the difference cut to minutes. So Berlin in year 1 is +00:54, though 53 min 28 s is nearer
    /// (`functions-host-protocol.md` §1.7).
    #[must_use]
    pub fn offset_minutes(&self, instant: OffsetDateTime) -> i16 {
        let utc = to_chrono(instant).naive_utc();
        let seconds = self.offset_seconds(utc);
        let whole = if seconds % 60 == 0 {
            seconds / 60
        } else {
            let base = self.standard_seconds();
            base / 60 + (seconds - base) / 60
        };
        i16::try_from(whole).unwrap_or_default()
    }

    fn offset_seconds(&self, utc: NaiveDateTime) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Self::Local => Local.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
        }
    }

    /// The offset without summer time: the smaller one of a winter and a summer day.
    fn standard_seconds(&self) -> i32 {
        let day =
            |month| chrono::NaiveDate::from_ymd_opt(2024, month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        let offsets = [1, 7].into_iter().filter_map(day).map(|day| self.offset_seconds(day));
        offsets.min().unwrap_or_default()
    }

    /// The next time after `after` that `search` finds on this zone's clock.
    pub(super) fn search<F: Search>(&self, search: &F, after: OffsetDateTime) -> Option<OffsetDateTime> {
        let after = to_chrono(after);
        let found = match self {
            Self::Utc => search.next(after)?.fixed_offset(),
            Self::Named(zone) => search.next(after.with_timezone(zone))?.fixed_offset(),
            Self::Local => search.next(after.with_timezone(&Local))?.fixed_offset(),
        };
        from_chrono(found)
    }
}

/// Something that finds a next time on the clock of any zone.
pub(super) trait Search {
    /// The first time strictly after `after`.
    fn next<Z: TimeZone>(&self, after: DateTime<Z>) -> Option<DateTime<Z>>;
}

fn to_chrono(instant: OffsetDateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(instant.unix_timestamp(), instant.nanosecond())
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn from_chrono(instant: DateTime<FixedOffset>) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(instant.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn year_one_has_the_zones_local_mean_time_in_minutes() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.offset_minutes(datetime!(0001-01-01 00:00 UTC)), 54);
        assert_eq!(berlin.offset_minutes(datetime!(2026-11-24 02:00 UTC)), 60);
        assert_eq!(Zone::Utc.offset_minutes(datetime!(0001-01-01 00:00 UTC)), 0);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = "Europe/Atlantis".parse::<Zone>().unwrap_err();
        assert!(error.to_string().contains("Europe/Atlantis"));
    }
}
