//! The JSON object that carries every invocation: `{"Data":{..},"Metadata":{..}}`.

use serde_json::{Map, Value};

use crate::encoding::kind;

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
}

/// Data by binding name and metadata by property name, still encoded.
#[derive(Default)]
pub(crate) struct Envelope {
    pub(crate) data: Map<String, Value>,
    /// Empty when there is none, or when it is anything but an object: metadata is a convenience, never a condition.
    pub(crate) metadata: Map<String, Value>,
}

impl Envelope {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let mut envelope = match serde_json::from_slice(body) {
            Ok(Value::Object(envelope)) => envelope,
            Ok(other) => return Err(EnvelopeError::NotAnEnvelope(kind(&other))),
            Err(error) => return Err(EnvelopeError::NotJson(error.to_string())),
        };
        let data = match envelope.remove("Data") {
            Some(Value::Object(data)) => data,
            Some(_) => return Err(EnvelopeError::NotAnEnvelope("an object whose Data is not an object")),
            None => return Err(EnvelopeError::NotAnEnvelope("an object without Data")),
        };
        let metadata = match envelope.remove("Metadata") {
            Some(Value::Object(metadata)) => metadata,
            _ => Map::new(),
        };
        Ok(Self { data, metadata })
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
            let envelope = Envelope::parse(body.as_bytes()).unwrap();
            assert_eq!((envelope.data.len(), envelope.metadata.len()), (1, 0), "{body}");
        }
        for body in ["", "null", "[]", "{}", r#"{"Data":[]}"#, r#"{"data":{}}"#, "{\"Data\":{}", "\u{feff}{}"]
        {
            assert!(Envelope::parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
