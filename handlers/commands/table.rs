//! Prints data as a table for a person, or as JSON for a program.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::visible;

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person.
    #[default]
    Table,
    /// For a program: one JSON document, whose members stay what they are.
    Json,
}

/// The width of a line where there is no terminal, in characters.
const WITHOUT_TERMINAL: usize = 120;
/// The narrowest that texts are wrapped to, in characters.
const NARROWEST: usize = 40;

/// One line, under the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table as text, as wide as its contents. A cell may have several lines; other control characters in it are escaped,
/// so that its width is what a person sees.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| visible::lines(cell)));
    }
    table.trim_fmt()
}

/// How many characters a line of stdout has: what `COLUMNS` says, else what the terminal has; without a terminal, as in the log of a
/// pipeline, [`WITHOUT_TERMINAL`].
pub fn screen_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|width| *width > 0);
    said.unwrap_or_else(|| Table::new().width().map_or(WITHOUT_TERMINAL, usize::from)).max(NARROWEST)
}

/// A text on lines of about this many characters; a longer word, such as an id, stays whole so that it can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        // A line that is indented already stays as it is, such as the parser's pointer at a wrong key.
        if line.starts_with(' ') || line.contains('|') {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in line.split_whitespace() {
            if !current.is_empty() && current.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// A document as JSON text, in which characters that a terminal would obey are escapes of JSON.
pub fn json(document: &impl Serialize) -> String {
    // serde refuses only a map whose keys are not texts, or a `Serialize` of our own that fails; there is neither.
    visible::json(&serde_json::to_string_pretty(document).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{json, wrapped};

    #[test]
    fn json_holds_nothing_that_a_terminal_obeys_and_says_the_same() {
        let document = serde_json::json!({"a\u{9b}": ["\u{1b}[2J\r\n\t\u{7f}\u{9b}31m\u{202e}\u{2028}\u{feff}", "größe 😀"]});
        let text = json(&document);
        assert!(!text.chars().any(|c| c != '\n' && crate::visible::is_deceptive(c)), "{text:?}");
        assert!(text.contains("größe 😀"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), document);
    }

    #[test]
    fn a_long_text_is_wrapped_between_words_and_a_long_word_stays_whole() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree");
        assert_eq!(wrapped("a /subscriptions/long b", 4), "a\n/subscriptions/long\nb");
        assert_eq!(wrapped("3 | mod = 1\n  |  ^^^ é", 3), "3 | mod = 1\n  |  ^^^ é");
        assert_eq!(wrapped("", 4), "");
    }
}
