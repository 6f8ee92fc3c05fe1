//! The rule by which values become JSON in the body of an invocation (`functions-host-protocol.md` §1.3).
//!
//! Objects stay objects, date-times lose their fraction, bytes become base64, and everything else is written as JSON
//! *inside a JSON string*: a text message arrives encoded twice. Every trigger goes through this one place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::newtonsoft::{Members, NetDate, Token, compact};

/// A .NET value on its way to the handler.
#[derive(Debug, Clone, PartialEq)]
pub enum NetValue {
    /// `byte[]`.
    Bytes(Vec<u8>),
    /// `DateTime` or `DateTimeOffset`.
    Date(NetDate),
    /// An object or dictionary.
    Object(Members),
    /// A string, a number, a boolean, a GUID, and every array or list.
    Other(Token),
    /// No value.
    Null,
}

impl NetValue {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Other(Token::Text(text.into()))
    }

    /// A string, or no value.
    #[must_use]
    pub fn optional_text(text: Option<&String>) -> Self {
        text.map_or(Self::Null, |text| Self::text(text.clone()))
    }

    /// Turns a parsed value into one of these: an object stays an object, everything else is [`NetValue::Other`].
    #[must_use]
    pub fn from_token(token: Token) -> Self {
        match token {
            Token::Object(members) => Self::Object(members),
            other => Self::Other(other),
        }
    }

    /// As a member of `Metadata`; no value leaves no member.
    #[must_use]
    pub fn into_metadata(self) -> Option<Token> {
        match self {
            Self::Null => None,
            Self::Bytes(bytes) => Some(Token::Text(STANDARD.encode(bytes))),
            Self::Date(date) => Some(Token::Text(date.to_seconds_text())),
            Self::Object(members) => Some(Token::Object(members)),
            Self::Other(token) => Some(Token::Text(compact(&token))),
        }
    }

    /// As a member of `Data`; no value is the string `null`.
    #[must_use]
    pub fn into_data(self) -> Token {
        self.into_metadata().unwrap_or_else(|| Token::from("null"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::newtonsoft::Kind;
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn encoded(value: NetValue) -> String {
        compact(&value.into_data())
    }

    #[test]
    fn each_kind_of_value_has_its_own_form() {
        let instant = datetime!(2023-10-12 20:13:49.25 UTC);
        let cases = [
            (NetValue::Bytes(vec![0, 255, 254, 1]), r#""AP/+AQ==""#),
            (NetValue::Bytes(Vec::new()), r#""""#),
            (NetValue::Date(NetDate::new(instant, Kind::Utc)), r#""2023-10-12T20:13:49""#),
            (NetValue::Date(NetDate::new(instant, Kind::Offset(0))), r#""2023-10-12T20:13:49+00:00""#),
            (NetValue::Object(Members::from([("a".to_owned(), Token::from(1))])), r#"{"a":1}"#),
            (NetValue::text("abc"), r#""\"abc\"""#),
            (NetValue::Other(Token::from(1)), r#""1""#),
            (NetValue::Other(Token::from(true)), r#""true""#),
            (NetValue::Other(Token::Array(vec![Token::Null, Token::from("a")])), r#""[null,\"a\"]""#),
            (
                NetValue::Other(Token::Array(vec![Token::Date(NetDate::new(instant, Kind::Utc))])),
                r#""[\"2023-10-12T20:13:49.25Z\"]""#,
            ),
            (NetValue::Null, r#""null""#),
        ];
        for (value, expected) in cases {
            assert_eq!(encoded(value), expected);
        }
        assert_eq!(NetValue::Null.into_metadata(), None);
    }

    proptest! {
        #[test]
        fn text_is_encoded_twice_and_decodes_twice(text in ".*") {
            let once: String = serde_json::from_str(&encoded(NetValue::text(text.clone()))).unwrap();
            let twice: String = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(twice, text);
        }
    }
}
