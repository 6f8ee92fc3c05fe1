//! The JSON object that carries every invocation: `{"Data":{..},"Metadata":{..}}`.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::bounded::{Allowance, MOST_VALUES, Tree};
use crate::encoding::kind;
use crate::properties::{Members, Properties};

/// Why a request body is not an invocation. Its text is safe to answer and to log: it never quotes the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The body is not JSON, or nests deeper than 127 levels.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// The body is JSON but has no object `Data`.
    #[error("the body is not an invocation: expected {{\"Data\":{{..}},\"Metadata\":{{..}}}}, found {0}")]
    NotAnEnvelope(&'static str),
    /// The body has more values than any invocation of the host: as a tree it would take many times its size.
    #[error("the body has more than {MOST_VALUES} JSON values")]
    TooManyValues,
}

/// Data by binding name and metadata by property name, still encoded. Data is always asked for, and so it is a tree.
#[derive(Default)]
pub(crate) struct Envelope {
    pub(crate) data: Map<String, Value>,
    /// Empty where the trigger does not use it.
    pub(crate) metadata: Properties,
    /// How many values the data has, and the metadata members.
    pub(crate) values: usize,
}

impl Envelope {
    /// Reads an envelope. It skips metadata that the trigger does not use, since a sender may make it as large as the
    /// body.
    pub(crate) fn parse(body: &[u8], wants_metadata: bool) -> Result<Self, EnvelopeError> {
        let allowance = Allowance::new();
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let parts = Parts { allowance: &allowance, wants_metadata };
        let read = deserializer.deserialize_any(parts).and_then(|found| deserializer.end().map(|()| found));
        let found = match read {
            Ok(found) => found,
            Err(_) if allowance.exceeded() => return Err(EnvelopeError::TooManyValues),
            Err(error) => return Err(EnvelopeError::NotJson(error.to_string())),
        };
        let (data, metadata) = match found {
            Found::Object { data: Some(Value::Object(data)), metadata } => (data, metadata),
            Found::Object { data: Some(_), .. } => {
                return Err(EnvelopeError::NotAnEnvelope("an object whose Data is not an object"));
            }
            Found::Object { data: None, .. } => {
                return Err(EnvelopeError::NotAnEnvelope("an object without Data"));
            }
            Found::Other(kind) => return Err(EnvelopeError::NotAnEnvelope(kind)),
        };
        Ok(Self { data, metadata, values: allowance.used() })
    }
}

/// The outermost value.
enum Found {
    Object { data: Option<Value>, metadata: Properties },
    Other(&'static str),
}

/// Reads it, and keeps only the wanted parts.
struct Parts<'a> {
    allowance: &'a Allowance,
    wants_metadata: bool,
}

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an envelope")
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Other(kind(&Value::Null)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Found, E> {
        Ok(Found::Other(kind(&value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Found, E> {
        Ok(Found::Other(kind(&value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Found, E> {
        Ok(Found::Other(kind(&value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Found, E> {
        Ok(Found::Other(kind(&value.into())))
    }

    fn visit_str<E>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Other(kind(&Value::String(String::new()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Found, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other(kind(&Value::Array(Vec::new()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Found, A::Error> {
        let (mut data, mut metadata) = (None, Properties::default());
        while let Some(name) = access.next_key::<String>()? {
            match name.as_str() {
                "Data" => data = Some(access.next_value_seed(Tree(self.allowance))?),
                "Metadata" if self.wants_metadata => {
                    metadata = access.next_value_seed(Members(self.allowance))?;
                }
                _ => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Found::Object { data, metadata })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_optional_and_data_is_not() {
        for body in
            [r#"{"Data":{"a":1}}"#, r#"{"Data":{"a":1},"Metadata":null}"#, r#"{"Data":{"a":1},"Metadata":7}"#]
        {
            let envelope = Envelope::parse(body.as_bytes(), true).unwrap();
            assert_eq!((envelope.data.len(), envelope.metadata.len()), (1, 0), "{body}");
        }
        for body in ["", "null", "[]", "{}", r#"{"Data":[]}"#, r#"{"data":{}}"#, "{\"Data\":{}", "\u{feff}{}"]
        {
            assert!(Envelope::parse(body.as_bytes(), true).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_not_wanted_or_too_much_is_not_kept() {
        let body = r#"{"Data":{"a":[1,2]},"Metadata":{"b":[3]}}"#;
        let parsed = Envelope::parse(body.as_bytes(), false).unwrap();
        assert_eq!((parsed.metadata.len(), parsed.values), (0, 4));
        let many = format!(r#"{{"Data":{{"a":[{}]}}}}"#, vec!["0"; MOST_VALUES].join(","));
        assert_eq!(Envelope::parse(many.as_bytes(), true).err(), Some(EnvelopeError::TooManyValues));
        let many = format!(r#"{{"Data":{{}},"Metadata":{{{}}}}}"#, vec!["\"a\":0"; MOST_VALUES].join(","));
        assert_eq!(Envelope::parse(many.as_bytes(), true).err(), Some(EnvelopeError::TooManyValues));
    }
}
