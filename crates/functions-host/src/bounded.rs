//! JSON trees of bounded size.
//!
//! A tree takes far more memory than its text: `0,` is two bytes as text and a whole [`Value`] in a tree. So the parser
//! bounds the number of values, and charges those that it keeps ([`COST`]) to the bodies in flight.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most values in one tree. A tree that the host itself makes (an HTTP request, an event, the lists of a batch) has
/// some dozens to some thousands.
pub(crate) const MOST_VALUES: usize = 20_000;
/// What a value takes beside its text, in bytes: rounded up from its size in memory.
pub(crate) const COST: usize = 80;

/// How many values may still be made.
pub(crate) struct Allowance {
    left: Cell<usize>,
    exceeded: Cell<bool>,
}

impl Allowance {
    pub(crate) fn new() -> Self {
        Self { left: Cell::new(MOST_VALUES), exceeded: Cell::new(false) }
    }

    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    pub(crate) fn used(&self) -> usize {
        MOST_VALUES - self.left.get()
    }

    pub(crate) fn spend<E: Error>(&self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.exceeded.set(true);
                Err(E::custom(format_args!("more than {MOST_VALUES} values")))
            }
        }
    }
}

/// Reads a text as a tree; `None` when it is not JSON or has too many values.
pub(crate) fn from_str(text: &str) -> Option<Value> {
    let allowance = Allowance::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Tree(&allowance).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// Reads any value, spending the allowance.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a>(pub(crate) &'a Allowance);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            members.insert(name, access.next_value_seed(self)?);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tree_has_no_more_values_than_are_allowed() {
        let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert!(from_str(&list(MOST_VALUES - 1)).is_some());
        assert!(from_str(&list(MOST_VALUES)).is_none());
        assert!(from_str("[1] 2").is_none());
        assert!(std::mem::size_of::<Value>() <= COST);
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(text in r#"[\[\]{}:,"a-c0-9\.\-e \\u]{0,40}"#) {
            prop_assert_eq!(from_str(&text), serde_json::from_str::<Value>(&text).ok());
        }
    }
}
