//! The metadata of an invocation: its members by name, each kept as the text that it came as.
//!
//! The host writes some twenty properties of every message, and a function asks for a few of them. Reading a member takes several
//! times as long as finding its end, so none is read before it is asked for, and one that is malformed inside matters only then.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::bounded::Allowance;

/// The members. None where there is no metadata, or where it is anything but an object: metadata is a convenience, never a
/// condition.
#[derive(Default)]
pub(crate) struct Properties(Vec<(String, Box<RawValue>)>);

impl Properties {
    /// The text of the member of that name; of the last one, where several have it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Reads them, and spends the allowance of one value on each.
pub(crate) struct Members<'a>(pub(crate) &'a Allowance);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Properties;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Properties, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Properties;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Properties, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            self.0.spend()?;
            members.push((name, access.next_value()?));
        }
        Ok(Properties(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Properties, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Properties::default())
    }

    fn visit_unit<E>(self) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Properties, E> {
        Ok(Properties::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Properties, E> {
        Ok(Properties::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Properties, serde_json::Error> {
        let allowance = Allowance::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Members(&allowance).deserialize(&mut deserializer)?;
        deserializer.end().map(|()| read)
    }

    #[test]
    fn a_member_is_the_text_that_came_and_of_two_the_last() {
        let properties = read(r#"{"a": [1, {"b": "\ud800"}], "c":null, "a" : "\"x\"" }"#).unwrap();
        assert_eq!(properties.get("a"), Some(r#""\"x\"""#));
        assert_eq!((properties.get("c"), properties.get("b")), (Some("null"), None));
    }

    #[test]
    fn what_is_no_object_has_no_members_and_what_is_no_json_is_an_error() {
        for text in ["null", "true", "-1", "1", "1.5", "\"a\"", "[[1],{}]"] {
            assert_eq!(read(text).unwrap().len(), 0, "{text}");
        }
        for text in ["{\"a\":[}", "{\"a\":tru}", "{\"a\":\"\u{1}\"}", "{\"a\":1", "{a:1}", "[1"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
