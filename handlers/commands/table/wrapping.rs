//! Breaks texts into lines.

use unicode_width::UnicodeWidthStr;

/// How many columns a text on one line takes, without our colours.
pub fn measured(text: &str) -> usize {
    match text.contains('\u{1b}') {
        true => anstream::adapter::strip_str(text).to_string().width(),
        false => text.width(),
    }
}

/// A text on lines of about this many columns; a longer word, such as an id, stays whole so that it can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    hanging("", text, width)
}

/// The same after a mark, with its further lines below the first word.
pub fn marked(mark: &str, text: &str, width: usize) -> String {
    hanging(&format!("{mark} "), text, width)
}

fn hanging(before: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(measured(before));
    let room = width.saturating_sub(indent.len());
    let lines: Vec<String> = text.lines().flat_map(|line| broken(line, room)).collect();
    let lines = lines
        .iter()
        .enumerate()
        .map(|(place, line)| indented(if place == 0 { before } else { &indent }, line, width));
    lines.collect::<Vec<_>>().join("\n")
}

/// A line after its indentation. A word that does not fit after that, but does without, has none.
pub fn indented(indent: &str, line: &str, width: usize) -> String {
    let whole = format!("{indent}{line}");
    let is_one_word = !line.contains(' ');
    match is_one_word && indent.trim().is_empty() && measured(&whole) > width {
        true => format!("{}{line}", " ".repeat(width.saturating_sub(measured(line)).min(indent.len()))),
        false => whole,
    }
}

/// A line that is indented already stays as it is, such as the parser's pointer at a wrong key, or a command to copy.
fn is_kept(line: &str) -> bool {
    line.starts_with(' ') || line.contains('|')
}

/// The widest part of a text that is never broken: a word, or a line that stays as it is.
pub fn widest_part(text: &str) -> usize {
    let of_line = |line: &str| match is_kept(line) {
        true => measured(line),
        false => line.split_whitespace().map(measured).max().unwrap_or_default(),
    };
    text.lines().map(of_line).max().unwrap_or_default()
}

fn broken(line: &str, width: usize) -> Vec<String> {
    if measured(line) <= width || is_kept(line) {
        return vec![line.to_owned()];
    }
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split_whitespace() {
        if !current.is_empty() && measured(&current) + 1 + measured(word) > width {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_wrapped_between_words_and_a_long_word_stays_whole() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree");
        assert_eq!(wrapped("a /subscriptions/long b", 4), "a\n/subscriptions/long\nb");
        assert_eq!(wrapped("3 | mod = 1\n  |  ^^^ é", 3), "3 | mod = 1\n  |  ^^^ é");
        assert_eq!(wrapped("", 4), "");
        assert_eq!(wrapped("工厂 工厂", 5), "工厂\n工厂");
    }

    #[test]
    fn what_follows_a_mark_stands_below_its_first_word() {
        assert_eq!(marked("1.", "one two three", 10), "1. one two\n   three");
        assert_eq!(marked("-", "one /subscriptions/x", 16), "- one\n/subscriptions/x");
    }
}
