//! Keys: where a record lives.
//!
//! A key is `/`-separated segments, for example `syncs/contoso/hub-a`. Segments are made of characters that a URL,
//! a signature over that URL and a listing all spell the same way, so that no layer encodes them a second time.
//! [`segment`] turns any other text into such a segment.

use data_encoding::HEXUPPER;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};

/// Longest key, in characters. Blob names may have 1,024; the rest is left to prefixes of later versions.
pub const KEY_LIMIT: usize = 900;

/// Longest result of [`segment`], in characters.
pub const SEGMENT_LIMIT: usize = 128;

/// How much of a long text stays readable before its hash.
const READABLE: usize = 60;

/// Turns any text into one safe segment of a key. Different texts give different segments.
///
/// Letters, digits, `-`, `_` and inner dots stay; every other byte of the UTF-8 text becomes `=` and two hexadecimal
/// digits (`=` and not `%`, which a URL would encode again). The empty text becomes `=`. A segment that would be longer
/// than [`SEGMENT_LIMIT`] is cut and gets a SHA-256 of the whole text.
///
/// Case is kept. Where two spellings mean the same, as with ARM ids, lower-case the text first.
pub fn segment(text: &str) -> String {
    if text.is_empty() {
        return "=".to_owned();
    }
    let last = text.len() - 1;
    let mut escaped = String::with_capacity(text.len());
    let mut readable = 0;
    for (at, byte) in text.bytes().enumerate() {
        // A dot at an end could make `.` or `..`, or a name that Azure cuts (a trailing dot).
        let inner_dot = byte == b'.' && at != 0 && at != last;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || inner_dot {
            escaped.push(char::from(byte));
        } else {
            escaped.push('=');
            HEXUPPER.encode_append(&[byte], &mut escaped);
        }
        if escaped.len() <= READABLE {
            readable = escaped.len();
        }
    }
    if escaped.len() > SEGMENT_LIMIT {
        escaped.truncate(readable);
        // `=h` cannot come from the loop above: no hexadecimal digit is an `h`.
        escaped.push_str("=h");
        escaped.push_str(&HEXUPPER.encode(&Sha256::digest(text.as_bytes())));
    }
    escaped
}

/// A key that the store takes, as the library underneath spells it.
pub(crate) fn checked(key: &str) -> Result<object_store::path::Path, Error> {
    let refuse = |why: &str| {
        let shown: String = key.chars().take(80).collect();
        Err(Error::new(ErrorKind::Invalid, format!("checking the key `{}`", shown.escape_debug()), why))
    };
    if key.is_empty() {
        return refuse("a key has at least one segment");
    }
    if key.len() > KEY_LIMIT {
        return refuse("a key has at most 900 characters");
    }
    for part in key.split('/') {
        if part.is_empty() || part.starts_with('.') || part.ends_with('.') {
            return refuse("a segment of a key is not empty and neither starts nor ends with a dot");
        }
        if !part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=')) {
            return refuse("a segment of a key holds letters, digits, `-`, `_`, `.` and `=` only");
        }
    }
    object_store::path::Path::parse(key)
        .or_else(|_| refuse("it is not a path that the storage library understands"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn readable_names_stay_as_they_are() {
        assert_eq!(segment("contoso-hub_1.west"), "contoso-hub_1.west");
    }

    #[test]
    fn separators_dots_at_the_ends_and_foreign_letters_are_escaped() {
        assert_eq!(segment("/subscriptions/s"), "=2Fsubscriptions=2Fs");
        assert_eq!(segment("."), "=2E");
        assert_eq!(segment(".."), "=2E=2E");
        assert_eq!(segment("a=b"), "a=3Db");
        assert_eq!(segment("ü"), "=C3=BC");
        assert_eq!(segment(""), "=");
    }

    #[test]
    fn long_texts_that_differ_only_at_the_end_get_different_segments() {
        let long = "/subscriptions/".repeat(40);
        let (one, other) = (segment(&format!("{long}a")), segment(&format!("{long}b")));
        assert_ne!(one, other);
        assert!(one.len() <= SEGMENT_LIMIT && other.len() <= SEGMENT_LIMIT);
    }

    #[test]
    fn keys_with_empty_segments_dots_or_foreign_characters_are_refused() {
        for key in ["", "/", "a//b", "/a", "a/", "a/../b", "a/.", "a b", "a%2Fb", "ä", "a\\b"] {
            assert!(checked(key).is_err(), "`{key}` was accepted");
        }
        assert!(checked(&"k".repeat(KEY_LIMIT + 1)).is_err());
    }

    /// Reads a segment back, so that a lost distinction would show.
    fn original(segment: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = segment.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'=' {
                bytes.push(byte);
            } else if let (Some(high), Some(low)) = (rest.next(), rest.next()) {
                let pair = [high, low];
                let digits = std::str::from_utf8(&pair).expect("two ASCII digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_valid_bounded_key(text in any::<String>()) {
            let segment = segment(&text);
            prop_assert!(segment.len() <= SEGMENT_LIMIT);
            let path = checked(&segment).expect("a valid key");
            prop_assert_eq!(path.as_ref(), segment.as_str());
        }

        #[test]
        fn a_segment_that_was_not_hashed_can_be_read_back(text in "\\PC{0,30}") {
            let segment = segment(&text);
            prop_assume!(!segment.contains("=h"));
            prop_assert_eq!(original(&segment), text.into_bytes());
        }
    }
}
