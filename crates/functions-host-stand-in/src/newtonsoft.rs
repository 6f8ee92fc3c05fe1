//! JSON as Json.NET (Newtonsoft) reads and writes it, because the real host sends every value through it.
//!
//! It is lenient where serde is strict (comments, single quotes, trailing commas, text after the value) and it
//! rewrites what passes through: date-time strings become dates, numbers lose their spelling. Handlers meet both
//! (`functions-host-protocol.md` §1.3, §1.5, §2.2 and §2.4), so both are modelled here and nowhere else.

mod date;
mod number;
mod reader;
mod text;
mod token;
mod writer;

pub use date::{Kind, NetDate};
pub use number::format_float;
pub use reader::{Options, Reader};
pub use text::ReadError;
pub use token::{Members, Token};
pub use writer::{compact, indented, quote};

use super::zone::Zone;

/// How deep values may nest in text that has no setting of its own (Json.NET 13).
pub const DEFAULT_DEPTH: usize = 64;

/// Parses a whole text as `JsonConvert.DeserializeObject` does: nothing but space and comments may follow.
///
/// # Errors
/// Where and why the text is not JSON for Json.NET. A text without any value is [`Token::Null`].
pub fn parse(text: &str, zone: &Zone) -> Result<Token, ReadError> {
    let mut reader = Reader::new(text, Options { zone: Some(zone), depth: DEFAULT_DEPTH });
    let value = reader.read_value()?.unwrap_or(Token::Null);
    reader.expect_end()?;
    Ok(value)
}

/// Parses a settings file (`host.json`, `function.json`): as lenient, but date-time strings stay strings.
///
/// # Errors
/// Where and why the text is not JSON for Json.NET.
pub fn parse_settings(text: &str) -> Result<serde_json::Value, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::new(text, Options { zone: None, depth: DEFAULT_DEPTH });
    let value = reader.read_value()?.unwrap_or(Token::Null);
    reader.expect_end()?;
    Ok(value.into_json())
}

/// The host's test for "looks like JSON": trimmed, in braces or in brackets.
#[must_use]
pub fn looks_like_json(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}
