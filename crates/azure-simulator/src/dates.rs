//! The date formats of the simulated services, which differ on purpose.
//!
//! Policies carry ISO 8601 dates with milliseconds, `systemData` ISO dates with seven digits, hub certificates RFC 1123
//! dates (`azure-wire-facts.md` §1.3, §2.2). A client that mixes them up must fail here as it would against Azure.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const TICKS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const RFC_1123: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// `2031-06-12T20:17:41.741Z`
#[must_use]
pub fn milliseconds(at: OffsetDateTime) -> String {
    write(at, MILLISECONDS)
}

/// `2031-06-12T20:17:41.7411234Z`, as .NET writes its ticks.
#[must_use]
pub fn ticks(at: OffsetDateTime) -> String {
    write(at, TICKS)
}

/// `2031-06-12T20:17:41Z`
#[must_use]
pub fn seconds(at: OffsetDateTime) -> String {
    write(at, SECONDS)
}

/// `Thu, 12 Jun 2031 20:17:41 GMT`
#[must_use]
pub fn rfc_1123(at: OffsetDateTime) -> String {
    write(at, RFC_1123)
}

fn write(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    // Formatting a complete date and time fails only for years beyond four digits; those read as an empty date.
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn each_format_is_written_as_its_service_writes_it() {
        let at = datetime!(2031-06-02 22:17:41.741_123_4 +2);
        assert_eq!(milliseconds(at), "2031-06-02T20:17:41.741Z");
        assert_eq!(ticks(at), "2031-06-02T20:17:41.7411234Z");
        assert_eq!(seconds(at), "2031-06-02T20:17:41Z");
        assert_eq!(rfc_1123(at), "Mon, 02 Jun 2031 20:17:41 GMT");
    }
}
