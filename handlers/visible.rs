//! Makes characters visible that a terminal would obey or hide. Names, messages and errors come from others; a terminal
//! obeys control characters in them, and both terminal and page show the text in another order after a mark that turns
//! its direction.

/// Whether a terminal would obey a character, or the character, itself unseen, changes how the text around it is shown:
/// control characters (C0, DEL, C1), line and paragraph separators, marks that turn the direction of text, characters
/// without width, tags. The joiners U+200C and U+200D count, though scripts and emoji use them: people read names here
/// to compare them.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text on one line, with every such character as an escape: `\n`, `\u{202e}`.
#[must_use]
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// A text that may have several lines: line ends stay, a tab becomes a space, and every other such character an escape.
#[must_use]
pub fn lines(text: &str) -> String {
    escaped(&text.replace("\r\n", "\n").replace('\t', " "), |character| character == '\n')
}

/// JSON text with every such character within its strings as an escape of JSON, so that it is the same document. What
/// stands between strings are line ends and spaces only.
#[must_use]
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || !is_deceptive(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    // Nearly every log line is plain, and bytes are compared faster than characters.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if stays(character) || !is_deceptive(character) {
            shown.push(character);
        } else if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_be_obeyed_is_seen() {
        assert_eq!(line("a\u{1b}[2J\u{9b}1mb"), "a\\u{1b}[2J\\u{9b}1mb");
        assert_eq!(line("line\u{202e}7\u{200b}"), "line\\u{202e}7\\u{200b}");
        assert_eq!(line("two\r\nlines"), "two\\r\\nlines");
        assert_eq!(lines("two\r\nlines\tand\rmore"), "two\nlines and\\rmore");
        assert_eq!(lines("مصنع 🏭 工厂 é"), "مصنع 🏭 工厂 é");
    }

    #[test]
    fn every_range_of_the_promise_is_covered() {
        let ranges = [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{2029}',
            '\u{202a}'..='\u{202e}',
            '\u{2066}'..='\u{2069}',
            '\u{feff}'..='\u{feff}',
        ];
        for character in ranges.into_iter().flatten() {
            assert!(is_deceptive(character), "U+{:04X}", u32::from(character));
        }
        assert!((' '..='~').all(|character| !is_deceptive(character)));
    }

    proptest! {
        #[test]
        fn nothing_deceptive_is_left(text in any::<String>(), more in proptest::collection::vec(0_u32..0x3000, 0..20)) {
            let text: String = text.chars().chain(more.into_iter().filter_map(char::from_u32)).collect();
            prop_assert!(!line(&text).chars().any(is_deceptive));
            prop_assert!(lines(&text).chars().all(|character| character == '\n' || !is_deceptive(character)));
            prop_assert_eq!(line(&line(&text)), line(&text));
        }

        #[test]
        fn json_stays_the_same_document(text in any::<String>(), more in proptest::collection::vec(0_u32..0xe0100, 0..20)) {
            let text: String = text.chars().chain(more.into_iter().filter_map(char::from_u32)).collect();
            let document = serde_json::json!({"name": text, text.as_str(): [1]});
            let shown = json(&serde_json::to_string_pretty(&document).unwrap());
            prop_assert!(shown.chars().all(|character| character == '\n' || !is_deceptive(character)));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), document);
        }
    }
}
