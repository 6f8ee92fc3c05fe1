//! How the page writes things down: times, counts, and names that others chose.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::visible;

/// The longest name that is shown; Azure's own limits are shorter.
pub const LONGEST_NAME: usize = 160;
/// The longest message that is shown; services answer with whole documents at times.
pub const LONGEST_TEXT: usize = 600;

/// An instant, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// As HTML's `datetime` wants it.
    pub machine: String,
    /// As people read it.
    pub human: String,
}

/// An instant to the minute, UTC.
pub fn moment(time: OffsetDateTime) -> Moment {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let write =
        |format: &[time::format_description::BorrowedFormatItem<'_>]| utc.format(format).unwrap_or_default();
    Moment {
        machine: write(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")),
        human: write(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")),
    }
}

/// An instant to the minute, UTC, where it is said beside it that it is.
pub fn minute(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    utc.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).unwrap_or_default()
}

/// A day, UTC, which is both what people read and what HTML's `time` takes.
pub fn date(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    utc.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// Days from now: what is left, or how long ago it was.
pub fn days(left: i64) -> String {
    match left {
        0 => "today".to_owned(),
        1.. => format!("in {}", count(left.unsigned_abs(), "day")),
        _ => format!("{} ago", count(left.unsigned_abs(), "day")),
    }
}

/// A number with its noun: `1 hub`, `1,200 hubs`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = match noun.strip_suffix("cy") {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}cies"),
        None => format!("{noun}s"),
    };
    format!("{} {plural}", thousands(number))
}

/// A number with a comma between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A name that a customer chose.
pub fn name(text: &str) -> String {
    visible(text, LONGEST_NAME)
}

/// A sentence that may hold text that a service or a customer wrote.
pub fn text(text: &str) -> String {
    visible(text, LONGEST_TEXT)
}

/// A sentence in pieces: what stands between backticks is code.
pub fn prose(sentence: &str) -> Vec<Piece> {
    let pieces = sentence.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    pieces.map(|(place, piece)| Piece { text: piece.to_owned(), is_code: place % 2 == 1 }).collect()
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub is_code: bool,
}

/// The first part of a thumbprint, enough to compare by eye.
pub fn thumbprint(text: &str) -> String {
    const ENOUGH: usize = 12;
    if text.chars().count() <= ENOUGH { visible(text, ENOUGH) } else { visible(text, ENOUGH + 1) }
}

/// Shows what would be invisible, turn the text around or break the line, and cuts what is too long. Markup is not a
/// matter of this: the templates escape it.
fn visible(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (place, character) in text.chars().enumerate() {
        if place + 1 == most && text.chars().nth(most).is_some() {
            shown.push('…');
            break;
        }
        if is_deceptive(character) {
            shown.push_str(&format!("[U+{:04X}]", u32::from(character)));
        } else {
            shown.push(if character.is_whitespace() { ' ' } else { character });
        }
    }
    shown
}

/// As everywhere, but white space, which HTML shows as a space, and the joiners U+200C and U+200D, which scripts and emoji
/// need.
fn is_deceptive(character: char) -> bool {
    visible::is_deceptive(character)
        && !character.is_whitespace()
        && !matches!(character, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_told_with_their_direction() {
        assert_eq!([days(0), days(1), days(-2)], ["today", "in 1 day", "2 days ago"]);
    }

    #[test]
    fn numbers_have_their_noun() {
        assert_eq!(count(1_u64, "policy"), "1 policy");
        assert_eq!(count(1_234_567_u64, "policy"), "1,234,567 policies");
        assert_eq!(count(2_u64, "day"), "2 days");
        assert_eq!(count(0_u64, "hub"), "0 hubs");
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        let pieces = prose("Set `mode`; then wait.");
        let pieces: Vec<_> = pieces.iter().map(|piece| (piece.text.as_str(), piece.is_code)).collect();
        assert_eq!(pieces, [("Set ", false), ("mode", true), ("; then wait.", false)]);
    }

    #[test]
    fn a_name_cannot_hide_or_turn_what_is_beside_it() {
        assert_eq!(name("line\u{202e}7\u{200b}"), "line[U+202E]7[U+200B]");
        assert_eq!(name("two\nlines\tand\u{0}"), "two lines and[U+0000]");
        assert_eq!(name("مصنع 🏭 工厂"), "مصنع 🏭 工厂");
    }

    #[test]
    fn a_time_is_written_in_utc_whatever_its_offset() {
        let time = time::macros::datetime!(2026-01-01 01:30 +2);
        assert_eq!(moment(time).human, "2025-12-31 23:30 UTC");
        assert_eq!(moment(time).machine, "2025-12-31T23:30:00Z");
        assert_eq!(date(time), "2025-12-31");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_bounded_and_keeps_what_fits(text in "[a-z\u{202e}\u{1f3ed}]{0,300}") {
            let shown = name(&text);
            let is_turned = shown.contains('\u{202e}');
            prop_assert!(!is_turned);
            if text.chars().count() <= LONGEST_NAME {
                prop_assert_eq!(shown, text.replace('\u{202e}', "[U+202E]"));
            } else {
                prop_assert!(shown.ends_with('…'));
                prop_assert!(shown.chars().count() <= LONGEST_NAME * "[U+202E]".len());
            }
        }
    }
}
