//! A JSON value as .NET holds it after Json.NET has read it.

use indexmap::IndexMap;
use serde_json::Value;

use super::date::NetDate;
use super::number;

/// Members of an object in their order. A name that comes twice keeps its first place and its last value.
pub type Members = IndexMap<String, Token>;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// `null`; `undefined` reads as it too.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of any size, as decimal digits.
    Integer(String),
    /// A number with a point or an exponent, `NaN` or an infinity.
    Float(f64),
    /// A string that is no date.
    Text(String),
    /// A string that Json.NET took for a date-time.
    Date(NetDate),
    /// An array.
    Array(Vec<Token>),
    /// An object.
    Object(Members),
}

impl Token {
    /// A value that was never JSON text: its strings stay strings, whatever they look like.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(value) => match value.as_f64() {
                Some(float) if value.is_f64() => Self::Float(float),
                _ => Self::Integer(value.to_string()),
            },
            Value::String(value) => Self::Text(value.clone()),
            Value::Array(values) => Self::Array(values.iter().map(Self::from_json).collect()),
            Value::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (name.clone(), Self::from_json(value))).collect(),
            ),
        }
    }

    /// The same value for serde. Dates become their text; a number that serde cannot hold becomes its text.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Bool(value),
            Self::Integer(digits) => digits
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| digits.parse::<u64>().map(Value::from))
                .unwrap_or(Value::String(digits)),
            Self::Float(value) => serde_json::Number::from_f64(value)
                .map_or_else(|| number::format_float(value).into(), Value::Number),
            Self::Text(value) => Value::String(value),
            Self::Date(value) => Value::String(value.to_iso()),
            Self::Array(values) => Value::Array(values.into_iter().map(Self::into_json).collect()),
            Self::Object(members) => {
                Value::Object(members.into_iter().map(|(name, value)| (name, value.into_json())).collect())
            }
        }
    }

    /// The kind of this value, in words for an error.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Date(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<&str> for Token {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Token {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Token {
    fn from(value: i64) -> Self {
        Self::Integer(value.to_string())
    }
}

impl From<bool> for Token {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<T: Into<Token>> From<Option<T>> for Token {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
