//! The symmetric keys within an attestation.

use serde_json::Value;

use crate::members::at;

/// The members that hold them.
pub const KEYS: [&str; 2] = ["primaryKey", "secondaryKey"];

/// The keys that an attestation shows, which must not be in a text for people.
pub fn texts_of_keys(attestation: &Value) -> Vec<String> {
    let keys = KEYS.iter().filter_map(|key| at(attestation, &["symmetricKey", key]));
    keys.filter_map(Value::as_str).map(str::to_owned).collect()
}
