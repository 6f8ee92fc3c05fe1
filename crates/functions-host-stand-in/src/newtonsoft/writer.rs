//! Writing values as Json.NET does.
//!
//! It is not serde's writer, since Json.NET escapes U+0085, U+2028 and U+2029 too and spells floats its own way, and
//! the tests compare a handler's requests byte for byte with captures.

use std::fmt::Write;

use super::number::{format_float, write_float};
use super::token::Token;

/// The value on one line, without any space.
#[must_use]
pub fn compact(token: &Token) -> String {
    let mut out = String::new();
    write(&mut out, token, None);
    out
}

/// The value over several lines, two spaces a level: what `JToken.ToString()` gives.
#[must_use]
pub fn indented(token: &Token) -> String {
    let mut out = String::new();
    write(&mut out, token, Some(0));
    out
}

/// A JSON string literal.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text);
    out
}

impl Token {
    /// The value as .NET's `ToString()` writes it in the invariant culture: `True`, `11/23/2026 05:21:41`, objects and
    /// arrays as indented JSON, null as nothing.
    #[must_use]
    pub fn to_net_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(true) => "True".to_owned(),
            Self::Boolean(false) => "False".to_owned(),
            Self::Integer(digits) => digits.clone(),
            Self::Float(value) => format_float(*value),
            Self::Text(value) => value.clone(),
            Self::Date(value) => value.to_invariant_text(),
            Self::Array(_) | Self::Object(_) => indented(self),
        }
    }
}

fn write(out: &mut String, token: &Token, level: Option<usize>) {
    match token {
        Token::Null => out.push_str("null"),
        Token::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Token::Integer(digits) => out.push_str(digits),
        Token::Float(value) => out.push_str(&write_float(*value)),
        Token::Text(value) => write_quoted(out, value),
        Token::Date(value) => write_quoted(out, &value.to_iso()),
        Token::Array(values) => {
            let items = values.iter().map(|value| (None, value));
            write_container(out, ('[', ']'), items, level);
        }
        Token::Object(members) => {
            let items = members.iter().map(|(name, value)| (Some(name.as_str()), value));
            write_container(out, ('{', '}'), items, level);
        }
    }
}

fn write_container<'a>(
    out: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = (Option<&'a str>, &'a Token)>,
    level: Option<usize>,
) {
    out.push(open);
    let inner = level.map(|level| level + 1);
    let mut empty = true;
    for (name, value) in items {
        if !empty {
            out.push(',');
        }
        empty = false;
        new_line(out, inner);
        if let Some(name) = name {
            write_quoted(out, name);
            out.push_str(if inner.is_some() { ": " } else { ":" });
        }
        write(out, value, inner);
    }
    if !empty {
        new_line(out, level);
    }
    out.push(close);
}

fn new_line(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", level));
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
