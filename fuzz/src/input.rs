//! How an input is divided: as text, so that a person can read and write one.

use std::borrow::Cow;

/// Stands between two parts of an input.
const SEPARATOR: &[u8] = b"\n---\n";

/// The parts of an input, between lines of three hyphens; at least one.
#[must_use]
pub fn parts(input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    parts.push(rest);
    parts
}

/// The first line of an input without its end, and what follows it.
#[must_use]
pub fn first_line(input: &[u8]) -> (Cow<'_, str>, &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (text(&input[..at]), &input[at + 1..]),
        None => (text(input), &[]),
    }
}

/// An input as text; what is not UTF-8 becomes U+FFFD.
#[must_use]
pub fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_divided_at_lines_of_three_hyphens_alone() {
        assert_eq!(parts(b"a\n---\nb ---\n----\n\n---\n"), [&b"a"[..], b"b ---\n----\n", b""]);
        assert_eq!(parts(b""), [b""]);
        assert_eq!(parts(b"\n---\n---\n"), [&b""[..], b"---\n"]);
    }

    #[test]
    fn the_first_line_ends_at_its_end_or_that_of_the_input() {
        assert_eq!(first_line(b"a\nb\nc"), ("a".into(), &b"b\nc"[..]));
        assert_eq!(first_line(b"a"), ("a".into(), &b""[..]));
        assert_eq!(first_line(b"\xff\n"), ("\u{fffd}".into(), &b""[..]));
    }
}
