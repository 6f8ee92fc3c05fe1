//! Values for output bindings that reach their target as they were written.
//!
//! The host rewrites a *bare string* output: it decodes valid base64 (`job12345`, `done`, even the empty text) to
//! bytes, which a queue then gets as `System.Byte[]`; it parses a text that looks like JSON and sends it as one or many
//! messages; it parses an ISO date-time and prints it in another format. It spares object members and list elements,
//! except that it still parses a list element that is a date-time on its own. So an output is an object or a list, and
//! a text in a list must not be blank or a date-time.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::encoding::kind;

/// The value of an output binding other than `http`: one message as an object, or a list of messages.
#[derive(Clone, PartialEq)]
pub struct Output(Value);

/// Why a value cannot be an output: the host would rewrite it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// Not an object, where one is needed.
    #[error("an output must be an object, not {0}: the host would rewrite it")]
    NotAnObject(&'static str),
    /// An element that is neither an object nor a text.
    #[error("element {index} of an output must be an object or a text, not {found}")]
    Element {
        /// Its position, from 0.
        index: usize,
        /// The kind of JSON that it is.
        found: &'static str,
    },
    /// An element that is an empty or blank text.
    #[error("element {0} of an output is blank")]
    Blank(usize),
    /// An element that is a date-time and nothing else.
    #[error("element {0} of an output is a bare date-time, which the host would print in another format")]
    BareTime(usize),
    /// The value cannot be written as JSON.
    #[error("not writable as JSON: {0}")]
    NotJson(String),
}

impl Output {
    /// One message: anything that serialises to an object. The host prints it indented, with dates and numbers in its
    /// own spelling.
    ///
    /// # Errors
    /// [`OutputError::NotAnObject`] or [`OutputError::NotJson`].
    pub fn object(value: &impl Serialize) -> Result<Self, OutputError> {
        match serde_json::to_value(value).map_err(|error| OutputError::NotJson(error.to_string()))? {
            value @ Value::Object(_) => Ok(Self(value)),
            other => Err(OutputError::NotAnObject(kind(&other))),
        }
    }

    /// One message for each element: an object, or a text that is sent as it is.
    ///
    /// # Errors
    /// The first element that the host would rewrite, or that is no message at all.
    pub fn list<T: Serialize>(elements: impl IntoIterator<Item = T>) -> Result<Self, OutputError> {
        let check = |(index, element): (usize, T)| {
            let element =
                serde_json::to_value(element).map_err(|error| OutputError::NotJson(error.to_string()))?;
            match &element {
                Value::Object(_) => Ok(element),
                Value::String(text) if text.trim().is_empty() => Err(OutputError::Blank(index)),
                Value::String(text) if looks_like_a_time(text) => Err(OutputError::BareTime(index)),
                Value::String(_) => Ok(element),
                other => Err(OutputError::Element { index, found: kind(other) }),
            }
        };
        elements
            .into_iter()
            .enumerate()
            .map(check)
            .collect::<Result<_, _>>()
            .map(|list| Self(Value::Array(list)))
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Map<String, Value>> for Output {
    fn from(object: Map<String, Value>) -> Self {
        Self(Value::Object(object))
    }
}

impl std::fmt::Debug for Output {
    /// Without the value, which is the caller's data.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Output({})", kind(&self.0))
    }
}

/// Whether Newtonsoft.Json may take a text for a time: nineteen to forty characters with a `T` where ISO 8601 has it,
/// or the older `/Date(..)/`. Wider than what it really parses, which does no harm.
pub(crate) fn looks_like_a_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let iso = (19..=40).contains(&bytes.len()) && bytes[0].is_ascii_digit() && bytes[10] == b'T';
    iso || (text.starts_with("/Date(") && text.ends_with(")/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_objects_and_lists_of_messages_are_outputs() {
        assert!(Output::object(&json!({"a": 1})).is_ok());
        assert_eq!(Output::object(&"job12345"), Err(OutputError::NotAnObject("a string")));
        assert!(Output::list(["job12345", "[1,2]", "{bad"]).is_ok());
        assert_eq!(
            Output::list([json!("a"), json!(5)]),
            Err(OutputError::Element { index: 1, found: "a number" })
        );
        assert_eq!(Output::list(["a", " \n"]), Err(OutputError::Blank(1)));
        for time in
            ["2026-11-23T05:21:41", "2026-11-23T05:21:41.250940Z", "2026-11-23T05:21:41+02:00", "/Date(1)/"]
        {
            assert_eq!(Output::list([time]), Err(OutputError::BareTime(0)), "{time}");
        }
        assert!(Output::list(["at 2026-11-23T05:21:41Z", "2026-11-23"]).is_ok());
    }
}
