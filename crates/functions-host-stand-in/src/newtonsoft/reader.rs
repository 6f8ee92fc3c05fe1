//! Json.NET's reader with its lenient corners.
//!
//! It accepts some things that JSON forbids: comments, single quotes, names without quotes, a comma before a closing
//! bracket, missing elements, `NaN`, `Infinity`, `undefined`, hexadecimal and octal numbers, and any text after the
//! first value (unless the caller asks for the end).

use super::date::NetDate;
use super::text::{Characters, ReadError};
use super::token::{Members, Token};
use crate::zone::Zone;

/// How a reader reads.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Strings that look like dates become dates of this zone; `None`: strings stay strings.
    pub zone: Option<&'a Zone>,
    /// How deep objects and arrays may nest.
    pub depth: usize,
}

/// A reader over one text.
pub struct Reader<'a> {
    characters: Characters<'a>,
    options: Options<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`, which must not begin with a byte order mark.
    #[must_use]
    pub fn new(text: &'a str, options: Options<'a>) -> Self {
        Self { characters: Characters::new(text), options, depth: 0 }
    }

    /// The next character that is neither space nor comment.
    ///
    /// # Errors
    /// A comment without an end.
    pub fn peek(&mut self) -> Result<Option<char>, ReadError> {
        self.characters.skip_space_and_comments()?;
        Ok(self.characters.peek())
    }

    /// Reads one value; `None` when the text holds none.
    ///
    /// # Errors The first fault in the value. It does not look at text after the value.
    pub fn read_value(&mut self) -> Result<Option<Token>, ReadError> {
        let Some(first) = self.peek()? else { return Ok(None) };
        let value = match first {
            '{' => self.object()?,
            '[' => self.array()?,
            '"' | '\'' => self.text()?,
            't' => self.word("true", Token::Boolean(true))?,
            'f' => self.word("false", Token::Boolean(false))?,
            'n' => self.word("null", Token::Null)?,
            'u' => self.word("undefined", Token::Null)?,
            'N' => self.word("NaN", Token::Float(f64::NAN))?,
            'I' => self.word("Infinity", Token::Float(f64::INFINITY))?,
            '-' if self.characters.rest().starts_with("-I") => {
                self.word("-Infinity", Token::Float(f64::NEG_INFINITY))?
            }
            '-' | '.' | '0'..='9' => {
                let text = self.number_text()?;
                self.number(text)?
            }
            // A missing value: Json.NET hands out `undefined` and reads the comma next.
            ',' => Token::Null,
            _ => return Err(self.characters.unexpected("a value")),
        };
        Ok(Some(value))
    }

    /// Fails when anything but space and comments follows.
    ///
    /// # Errors
    /// Text after the value.
    pub fn expect_end(&mut self) -> Result<(), ReadError> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.characters.unexpected("the end of the text")),
        }
    }

    /// Enters an object or array whose opening bracket comes next.
    ///
    /// # Errors
    /// Too many levels.
    pub fn enter(&mut self) -> Result<(), ReadError> {
        self.characters.advance(1);
        self.depth += 1;
        if self.depth > self.options.depth {
            let limit = self.options.depth;
            return Err(self.characters.error(format!("the values nest deeper than {limit} levels")));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.characters.advance(1);
        self.depth -= 1;
    }

    /// The name of the next member of the object that was entered, or `None` after its end.
    ///
    /// # Errors
    /// No name, or no colon after it.
    pub fn next_member(&mut self, first: bool) -> Result<Option<String>, ReadError> {
        if !self.has_next(first, '}')? {
            return Ok(None);
        }
        let name = match self.characters.peek() {
            Some('"' | '\'') => self.characters.string()?,
            Some(start) if is_identifier(start) => {
                let rest = self.characters.rest();
                let end = rest.find(|character| !is_identifier(character)).unwrap_or(rest.len());
                self.characters.advance(end);
                rest[..end].to_owned()
            }
            _ => return Err(self.characters.unexpected("the name of a member")),
        };
        self.characters.skip_space();
        if !self.characters.take(":") {
            return Err(self.characters.unexpected("the colon after a name"));
        }
        Ok(Some(name))
    }

    /// Whether the array that was entered has another element; steps over the comma or the closing bracket.
    ///
    /// # Errors
    /// Something else than either.
    pub fn next_element(&mut self, first: bool) -> Result<bool, ReadError> {
        self.has_next(first, ']')
    }

    fn has_next(&mut self, first: bool, close: char) -> Result<bool, ReadError> {
        let mut next = self.peek()?;
        if !first && next == Some(',') {
            self.characters.advance(1);
            next = self.peek()?;
        } else if !first && next != Some(close) {
            return Err(self.characters.unexpected("what follows a value"));
        }
        if next == Some(close) {
            self.leave();
            return Ok(false);
        }
        Ok(true)
    }

    fn object(&mut self) -> Result<Token, ReadError> {
        self.enter()?;
        let mut members = Members::new();
        let mut first = true;
        while let Some(name) = self.next_member(first)? {
            first = false;
            let value = self.require_value()?;
            members.insert(name, value);
        }
        Ok(Token::Object(members))
    }

    fn array(&mut self) -> Result<Token, ReadError> {
        self.enter()?;
        let mut values = Vec::new();
        while self.next_element(values.is_empty())? {
            values.push(self.require_value()?);
        }
        Ok(Token::Array(values))
    }

    /// Reads a value that must be there.
    ///
    /// # Errors
    /// None is, or it is faulty.
    pub fn require_value(&mut self) -> Result<Token, ReadError> {
        self.read_value()?.ok_or_else(|| self.characters.unexpected("a value"))
    }

    /// Reads an element where Json.NET wants a string: numbers and booleans give their own spelling, dates stay
    /// text, null is `None`; objects and arrays are errors.
    ///
    /// # Errors An object or an array, and faults in the value.
    pub fn read_as_string(&mut self) -> Result<Option<String>, ReadError> {
        match self.peek()? {
            Some('"' | '\'') => self.characters.string().map(Some),
            Some('-' | '.' | '0'..='9') if !self.characters.rest().starts_with("-I") => {
                let text = self.number_text()?;
                self.number(text)?;
                Ok(Some(text.to_owned()))
            }
            Some('t' | 'f' | 'n' | 'N' | 'I' | '-') => Ok(match self.require_value()? {
                Token::Boolean(value) => Some(value.to_string()),
                Token::Float(value) => Some(super::format_float(value)),
                _ => None,
            }),
            Some(',') => Ok(None),
            _ => Err(self.characters.unexpected("a string")),
        }
    }

    fn text(&mut self) -> Result<Token, ReadError> {
        let text = self.characters.string()?;
        let date = self.options.zone.and_then(|zone| NetDate::parse(&text, zone));
        Ok(date.map_or(Token::Text(text), Token::Date))
    }

    fn word(&mut self, word: &str, value: Token) -> Result<Token, ReadError> {
        if !self.characters.take(word) {
            return Err(self.characters.unexpected("a value"));
        }
        match self.characters.peek() {
            None | Some('}' | ']' | ',' | '/' | '\0') => Ok(value),
            Some(next) if next.is_whitespace() => Ok(value),
            Some(_) => Err(self.characters.unexpected(word)),
        }
    }

    fn number_text(&mut self) -> Result<&'a str, ReadError> {
        let rest = self.characters.rest();
        let numeric = |character: char| character.is_ascii_hexdigit() || "+-.xX".contains(character);
        let end = rest.find(|character| !numeric(character)).unwrap_or(rest.len());
        self.characters.advance(end);
        match rest[end..].chars().next() {
            None | Some(',' | '}' | ']' | ')' | '/' | '\0') => Ok(&rest[..end]),
            Some(next) if next.is_whitespace() => Ok(&rest[..end]),
            Some(_) => Err(self.characters.unexpected("a number")),
        }
    }

    fn number(&self, text: &str) -> Result<Token, ReadError> {
        let bad = || self.characters.error(format!("{text:?} is not a number"));
        let bytes = text.as_bytes();
        if bytes.len() > 1 && bytes[0] == b'0' && !matches!(bytes[1], b'.' | b'e' | b'E') {
            let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(digits) => (digits, 16),
                None => (text, 8),
            };
            return i64::from_str_radix(digits, radix).map(Token::from).map_err(|_| bad());
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(value) = text.parse::<i64>() {
                return Ok(Token::from(value));
            }
            // Json.NET refuses longer ones: parsing them takes quadratic time.
            return if text.len() > 380 { Err(bad()) } else { Ok(Token::Integer(text.to_owned())) };
        }
        text.parse().map(Token::Float).map_err(|_| bad())
    }
}

fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::super::{compact, parse};
    use super::*;
    use proptest::prelude::*;

    fn again(text: &str) -> String {
        parse(text, &Zone::Utc).map_or_else(|error| format!("error: {error}"), |value| compact(&value))
    }

    #[test]
    fn lenient_corners_are_read() {
        for (text, expected) in [
            ("{/*c*/\"a\":1}", "{\"a\":1}"),
            ("// c\n[1,]", "[1]"),
            ("[,]", "[null]"),
            ("{'a':'b\\u00e9\\'',}", "{\"a\":\"bé'\"}"),
            ("{a_1$:NaN}", "{\"a_1$\":\"NaN\"}"),
            ("[0x1F,010,-Infinity,undefined]", "[31,8,\"-Infinity\",null]"),
            ("{\"dup\":1,\"x\":0,\"dup\":2}", "{\"dup\":2,\"x\":0}"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("\"\\ud83d\\ude00\\ud83d!\"", "\"😀\u{fffd}!\""),
            ("\"a\nb\u{2028}\"", "\"a\\nb\\u2028\""),
            ("", "null"),
        ] {
            assert_eq!(again(text), expected, "{text}");
        }
    }

    #[test]
    fn what_even_json_net_refuses_is_an_error() {
        for text in [
            "{", "{\"a\"", "{\"a\":}", "{,}", "[1 2]", "truex", "[}", "1.2.3", "\"\\x\"", "{} x", "/*", "OK",
            "-",
        ] {
            assert!(again(text).starts_with("error: "), "{text}");
        }
        let error = parse("{\n  \"a\": ?", &Zone::Utc).unwrap_err();
        assert_eq!((error.line, error.position), (2, 7));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(64), &Zone::Utc).is_ok());
        assert!(parse(&nested(65), &Zone::Utc).is_err());
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(serde_json::Value::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
                prop::collection::vec((".*", inner), 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn strict_json_reads_back_as_serde_reads_it(value in any_json()) {
            let read = super::super::parse_settings(&value.to_string()).unwrap();
            prop_assert_eq!(&read, &value);
            let written = compact(&Token::from_json(&value));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = again(&text);
        }

        #[test]
        fn no_text_of_json_characters_panics(text in "[\\[\\]{}:,'\"0-9a-fxu/*. \\\\-]*") {
            let _ = again(&text);
        }
    }
}
