//! The form of a record in storage: `{"writeId":"…","value":…}`.
//!
//! The write id names one wish to write. A write that is sent twice because its first answer got lost carries the same
//! id both times. So a writer that gets a conflict reads the record and sees whether its own first send was the faster
//! one (`messaging-and-state.md` §3.2, §3.5).

use ambient::Randomness;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Largest record in storage, in bytes: 8 MiB. A report over the largest fleet (`contracts.md` §5) stays far
/// below it, and a larger one would not be read within a call's deadline.
pub const SIZE_LIMIT: usize = 8 * 1024 * 1024;

/// The state of a record that was read or written. Opaque: only good for [`crate::Store::update`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(pub(crate) String);

/// A value as it was stored, with the version that guards its next update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The caller's value.
    pub value: T,
    /// Names this state of the record.
    pub version: Version,
}

/// Names one wish to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct WriteId(String);

impl WriteId {
    pub(crate) fn draw(randomness: &Randomness) -> Self {
        Self(randomness.uuid().simple().to_string())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<T> {
    write_id: WriteId,
    value: T,
}

/// The bytes of a record.
pub(crate) fn encode<T: Serialize>(doing: &str, write_id: &WriteId, value: &T) -> Result<Vec<u8>, Error> {
    let bytes = serde_json::to_vec(&Record { write_id: write_id.clone(), value })
        .map_err(|error| Error::new(ErrorKind::Invalid, doing, format!("the value is not JSON: {error}")))?;
    check_size(doing, bytes.len() as u64)?;
    Ok(bytes)
}

/// The value inside a record.
pub(crate) fn decode<T: DeserializeOwned>(doing: &str, bytes: &[u8]) -> Result<T, Error> {
    Ok(parse::<Record<T>>(doing, bytes)?.value)
}

/// The write id inside a record, whatever its value is.
pub(crate) fn write_id(doing: &str, bytes: &[u8]) -> Result<WriteId, Error> {
    Ok(parse::<Record<IgnoredAny>>(doing, bytes)?.write_id)
}

/// Refuses a record over [`SIZE_LIMIT`].
pub(crate) fn check_size(doing: &str, bytes: u64) -> Result<(), Error> {
    if bytes > SIZE_LIMIT as u64 {
        let detail = format!("the record has {bytes} bytes, more than the limit of {SIZE_LIMIT}");
        return Err(Error::new(ErrorKind::TooLarge, doing, detail));
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(doing: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's message can quote the record, which belongs in no log; its place is enough to find it.
        let what = match error.classify() {
            serde_json::error::Category::Data => "what is stored is a record of another type",
            _ => "what is stored is not JSON",
        };
        let place = format!("{what} (line {}, column {})", error.line(), error.column());
        Error::new(ErrorKind::Corrupt, doing, place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_stored_form_is_a_write_id_beside_the_value() {
        let id = WriteId::draw(&Randomness::of_seed(1));
        let bytes = encode("testing", &id, &json!({"hub": "hub-a"})).expect("encodes");
        let stored: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(stored, json!({"writeId": id.0, "value": {"hub": "hub-a"}}));
    }

    #[test]
    fn a_corrupt_record_is_reported_without_its_contents() {
        let error =
            decode::<u32>("testing", br#"{"writeId":"w","value":"swordfish"}"#).expect_err("wrong type");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(!error.to_string().contains("swordfish"), "{error}");
    }

    #[test]
    fn the_write_id_is_found_whatever_the_value_is() {
        let id = WriteId::draw(&Randomness::of_seed(1));
        let bytes = encode("testing", &id, &[1, 2, 3]).expect("encodes");
        assert_eq!(write_id("testing", &bytes).expect("has one"), id);
    }
}
