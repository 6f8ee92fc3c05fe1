//! The characters of a JSON text: position, white space, comments, string literals.

/// A text that Json.NET does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, position {position})")]
pub struct ReadError {
    /// What is wrong there.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Characters read on that line before the fault.
    pub position: usize,
}

/// A text and how far it has been read.
pub(super) struct Characters<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Characters<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes `expected` if it comes next.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ReadError {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let position = before.rsplit('\n').next().map_or(0, |text| text.chars().count());
        ReadError { message: message.into(), line, position }
    }

    pub(super) fn unexpected(&self, doing: &str) -> ReadError {
        match self.peek() {
            Some(character) => {
                self.error(format!("unexpected character {character:?} while reading {doing}"))
            }
            None => self.error(format!("the text ends while reading {doing}")),
        }
    }

    /// Skips white space (and NUL, which Json.NET's buffer handling swallows).
    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        let skipped =
            rest.trim_start_matches(|character: char| character.is_whitespace() || character == '\0');
        self.at += rest.len() - skipped.len();
    }

    /// Skips white space and comments of both kinds.
    pub(super) fn skip_space_and_comments(&mut self) -> Result<(), ReadError> {
        loop {
            self.skip_space();
            let rest = self.rest();
            if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| self.error("the text ends within a comment"))?;
                self.at += end + 4;
            } else if rest.starts_with("//") {
                self.at += rest.find(['\r', '\n']).unwrap_or(rest.len());
            } else {
                return Ok(());
            }
        }
    }

    /// A string literal in double or single quotes; the quote comes next.
    pub(super) fn string(&mut self) -> Result<String, ReadError> {
        let Some(quote @ ('"' | '\'')) = self.peek() else { return Err(self.unexpected("a string")) };
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain =
                rest.find([quote, '\\']).ok_or_else(|| self.error("the text ends within a string"))?;
            value.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest[plain..].starts_with(quote) {
                return Ok(value);
            }
            let escaped = self.escape()?;
            value.push(escaped);
        }
    }

    /// Reads the escape after a backslash. A surrogate without its partner becomes U+FFFD, as in Json.NET's output.
    fn escape(&mut self) -> Result<char, ReadError> {
        let escaped = self.peek().ok_or_else(|| self.error("the text ends within a string"))?;
        let value = match escaped {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            '\\' | '"' | '\'' | '/' => escaped,
            'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error(format!("\\{escaped} is no escape sequence"))),
        };
        self.at += 1;
        Ok(value)
    }

    fn unicode_escape(&mut self) -> Result<char, ReadError> {
        let first = self.hex4()?;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, ReadError> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| self.error("\\u needs four hexadecimal digits"))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.error("\\u needs four hexadecimal digits"))
    }
}
