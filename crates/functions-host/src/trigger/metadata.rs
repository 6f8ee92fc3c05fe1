//! Metadata of messages and events, as far as it can be believed.
//!
//! With cardinality many the host sends parallel lists, one per property (`MessageIdArray`), each beside the list of
//! bodies. **A list of another length than the batch is rejected as a whole**: the property is then unknown for every
//! element, and its name is reported. Zipping the shorter way would give one message another's id. The messages
//! themselves are kept, because refusing a batch over its metadata would send good messages to the dead-letter queue.
//!
//! With cardinality one and a text body, the host copies each member of a JSON object body *over* the metadata of the
//! same name, in any case, with any JSON type: a sender can forge `MessageId` or `DeliveryCount`. So this module
//! **believes no property that the body names**. The host's parser is laxer than ours (comments, single quotes): a body
//! that holds a brace but is not JSON to us makes all metadata unbelievable. Lists and binary bodies cannot forge.

use std::collections::HashSet;

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::bounded;
use crate::encoding::{into_structure, into_text, unquote};
use crate::properties::Properties;

/// The properties that the body of a single text message may have forged.
enum Forged {
    Nothing,
    /// The folded names of the body's members.
    Names(HashSet<String>),
    Everything,
}

impl Forged {
    fn by(text: &str) -> Self {
        match serde_json::from_str::<Object>(text) {
            Ok(Object(names)) => Self::Names(names.iter().flat_map(|name| folds(name)).collect()),
            Err(_) if !text.contains('{') => Self::Nothing,
            // A list or a scalar is copied nowhere. The look at the first letter comes first, because an object may be
            // skipped whose names cannot be read (half a surrogate pair).
            Err(_)
                if !text.trim_start().starts_with('{')
                    && serde_json::from_str::<IgnoredAny>(text).is_ok() =>
            {
                Self::Nothing
            }
            // A text that only a laxer parser accepts could be an object.
            Err(_) => Self::Everything,
        }
    }

    fn covers(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Names(names) => folds(name).iter().any(|folded| names.contains(folded)),
            Self::Everything => true,
        }
    }
}

/// Both foldings: some letters equal an ASCII letter in only one of them (the Kelvin sign is a `k`, the long s an `S`).
fn folds(name: &str) -> [String; 2] {
    [name.to_lowercase(), name.to_uppercase()]
}

/// The names of a JSON object's members, without its values.
struct Object(Vec<String>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Object;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Object(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// The metadata of one invocation, read property by property.
pub(crate) struct Metadata<'a> {
    properties: &'a Properties,
    /// How many elements the batch has; `None` with cardinality one.
    batch: Option<usize>,
    forged: Forged,
    rejected: Vec<String>,
}

impl<'a> Metadata<'a> {
    /// Metadata beside a list of that many bodies.
    pub(crate) fn of_batch(properties: &'a Properties, length: usize) -> Self {
        Self { properties, batch: Some(length), forged: Forged::Nothing, rejected: Vec::new() }
    }

    /// Metadata beside one body; `text` is that body unless it is binary.
    pub(crate) fn of_one(properties: &'a Properties, text: Option<&str>) -> Self {
        Self {
            properties,
            batch: None,
            forged: text.map_or(Forged::Nothing, Forged::by),
            rejected: Vec::new(),
        }
    }

    /// A property of each element.
    pub(crate) fn column(&mut self, name: &str) -> Column {
        let Some(length) = self.batch else {
            return Column(self.whole(name).map_or_else(Vec::new, |value| vec![value]));
        };
        let name = format!("{name}Array");
        match self.properties.get(&name) {
            None | Some("null") => Column(Vec::new()),
            Some(value) => match bounded::from_str(value).and_then(into_structure) {
                Some(Value::Array(values)) if values.len() == length => Column(values),
                _ => {
                    self.rejected.push(name);
                    Column(Vec::new())
                }
            },
        }
    }

    /// A property of the invocation as a whole.
    pub(crate) fn whole(&self, name: &str) -> Option<Value> {
        if self.forged.covers(name) {
            return None;
        }
        Some(match bounded::from_str(self.properties.get(name)?)? {
            Value::String(text) => Value::String(unquote(&text).into_owned()),
            other => other,
        })
    }

    /// The names of the lists that were rejected.
    pub(crate) fn rejected(self) -> Vec<String> {
        if !self.rejected.is_empty() {
            tracing::warn!(lists = ?self.rejected, "metadata lists of another length than the batch are not believed");
        }
        self.rejected
    }
}

/// One property of every element; empty when it is unknown.
pub(crate) struct Column(Vec<Value>);

impl Column {
    /// The value of that element, converted; `None` where it is missing, `null` or of another type.
    pub(crate) fn get<T>(&self, index: usize, convert: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.0.get(index).filter(|value| !value.is_null()).and_then(convert)
    }

    /// The text of that element, which can be taken once.
    pub(crate) fn take_text(&mut self, index: usize) -> Option<String> {
        self.0.get_mut(index).map(Value::take).and_then(into_text)
    }
}
