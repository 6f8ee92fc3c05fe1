//! The elements of a queue or stream trigger: one message, or many.
//!
//! Cardinality and data type decide what the host writes, and nothing in the value itself tells them apart with
//! certainty (a message may well be the text `[1]`, and `job12345` is valid base64). So they come from the function's
//! [`Definition`](crate::Definition), never from a guess.
//!
//! | | no dataType | `string` | `binary` |
//! |---|---|---|---|
//! | one | text, quoted twice | text, quoted twice | base64 |
//! | many | list of parsed JSON | list of texts | list of base64 |

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::definition::DataType;
use crate::encoding::{kind, structure, unquote};
use crate::error::{DecodeError, ElementError};

/// How the `text` of an element stands for its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// The text is the body.
    Utf8,
    /// The body is not UTF-8 (only possible with `dataType: binary`); the text is its base64.
    Base64,
}

impl TextEncoding {
    /// The exact bytes of a body whose text is encoded this way.
    pub(crate) fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            // The text was made by a successful decode, so the fallback is never taken.
            Self::Base64 => BASE64_STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()),
        }
    }
}

/// One element, whose body is decoded when it is asked for.
pub(crate) struct Element {
    pub(crate) text: String,
    pub(crate) encoding: TextEncoding,
    form: Form,
}

/// What an element's body is read from.
enum Form {
    /// Its bytes.
    Bytes,
    /// JSON that the host has parsed already; the text is our own rendering, since the sender's is lost.
    Json(Value),
    /// Nothing: it is no base64 where the data type asks for it.
    NotBase64,
}

impl Element {
    fn of_text(text: String) -> Self {
        Self { text, encoding: TextEncoding::Utf8, form: Form::Bytes }
    }

    fn of_json(value: Value) -> Self {
        Self { text: value.to_string(), encoding: TextEncoding::Utf8, form: Form::Json(value) }
    }

    fn of_base64(text: String) -> Self {
        let Ok(bytes) = BASE64_STANDARD.decode(&text) else {
            return Self { text, encoding: TextEncoding::Utf8, form: Form::NotBase64 };
        };
        match String::from_utf8(bytes) {
            Ok(text) => Self::of_text(text),
            Err(_) => Self { text, encoding: TextEncoding::Base64, form: Form::Bytes },
        }
    }

    /// An element of another JSON type than its data type allows; never seen from the host.
    fn of_wrong_type(value: &Value) -> Self {
        Self { text: value.to_string(), encoding: TextEncoding::Utf8, form: Form::NotBase64 }
    }

    /// The body, and what else there is of it.
    pub(crate) fn decoded<T: DeserializeOwned>(self) -> (Result<T, ElementError>, String, TextEncoding) {
        let Self { text, encoding, form } = self;
        let body = match (form, encoding) {
            (Form::Bytes, TextEncoding::Utf8) => serde_json::from_str(&text).map_err(ElementError::from),
            (Form::Bytes, encoding) => {
                serde_json::from_slice(&encoding.bytes(&text)).map_err(ElementError::from)
            }
            (Form::Json(value), _) => serde_json::from_value(value).map_err(ElementError::from),
            (Form::NotBase64, _) => Err(ElementError::NotBase64),
        };
        (body, text, encoding)
    }
}

/// Reads the elements of a binding, in the order in which the host sent them.
pub(crate) fn elements(
    binding: &str,
    value: &Value,
    many: bool,
    data_type: Option<DataType>,
) -> Result<Vec<Element>, DecodeError> {
    if !many {
        return Ok(vec![match (value, data_type) {
            (Value::String(text), Some(DataType::Binary)) => Element::of_base64(unquote(text).into_owned()),
            (Value::String(text), _) => Element::of_text(unquote(text).into_owned()),
            (other, Some(DataType::Binary)) => Element::of_wrong_type(other),
            (other, _) => Element::of_json(other.clone()),
        }]);
    }
    let Some(Value::Array(values)) = structure(value).map(std::borrow::Cow::into_owned) else {
        return Err(DecodeError::Shape {
            binding: binding.to_owned(),
            expected: "a list (is cardinality `many` in function.json too?)",
            found: kind(value),
        });
    };
    let decode = |value| match (value, data_type) {
        (Value::String(text), Some(DataType::String)) => Element::of_text(text),
        (Value::String(text), Some(DataType::Binary)) => Element::of_base64(text),
        (other, Some(DataType::Binary)) => Element::of_wrong_type(&other),
        (other, _) => Element::of_json(other),
    };
    Ok(values.into_iter().map(decode).collect())
}
