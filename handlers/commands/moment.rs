//! A moment as people read it.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// To the minute, UTC.
pub fn minute(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// The same of a moment as records have it; what is none stays as it is.
pub fn minute_of(text: &str) -> String {
    OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.to_owned(), minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(minute_of("2026-11-30T21:18:30.151115532Z"), "2026-11-30 21:18 UTC");
        assert_eq!(minute_of("2026-12-01T00:18:30+03:00"), "2026-11-30 21:18 UTC");
        assert_eq!(minute_of("yesterday"), "yesterday");
    }
}
