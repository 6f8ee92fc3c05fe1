//! Moments as Azure writes them: ISO 8601 with any number of fraction digits from most services, RFC 1123 from IoT Hub
//! certificates and HTTP headers (`azure-wire-facts.md` §1.3, §2.2).

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Reads either form. A time without an offset is UTC.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Rfc2822))
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        for text in [
            "2039-12-31T23:59:59Z",
            "2039-12-31T23:59:59.000Z",
            "2039-12-31T23:59:59.0000000Z",
            "2040-01-01T01:59:59+02:00",
            "2039-12-31T23:59:59",
            "Sat, 31 Dec 2039 23:59:59 GMT",
            " Sat, 31 Dec 2039 23:59:59 +0000 ",
        ] {
            assert_eq!(parse(text), Some(datetime!(2039-12-31 23:59:59 UTC)), "{text}");
        }
        for text in ["", "never", "2039-13-01T00:00:00Z", "31/12/2039"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_number_of_fraction_digits_is_read(digits in "[0-9]{1,30}") {
            let read = parse(&format!("2026-11-23T10:00:00.{digits}Z"));
            prop_assert_eq!(read.map(|date| date.unix_timestamp()), Some(1_795_428_000));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
