//! One entry of `bindings` in a `function.json`.

use serde_json::{Map, Value};

use super::known_bindings;
use super::section::{Located, SettingError};
use super::settings::AppSettings;

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the handler.
    In,
    /// From the handler.
    Out,
    /// Both.
    InOut,
}

/// The .NET type of the data on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// Text.
    String,
    /// Bytes.
    Binary,
    /// Bytes too, for a handler.
    Stream,
    /// Not said.
    Undefined,
}

/// One item or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One item per invocation.
    One,
    /// A batch per invocation.
    Many,
}

/// A binding whose `%NAME%`s are replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Key of its value in `Data` or `Outputs`.
    pub name: String,
    /// Its type in the spelling of the documentation.
    pub kind: &'static str,
    /// Which way its data goes.
    pub direction: Direction,
    /// How its data is typed.
    pub data_type: DataType,
    /// One item or a batch.
    pub cardinality: Cardinality,
    properties: Map<String, Value>,
}

impl Binding {
    pub(super) fn read(section: &Located<'_>, settings: &AppSettings) -> Result<Self, SettingError> {
        let kind = section.required("type", "the type of a binding, such as \"timerTrigger\"")?;
        let kind = known_bindings::find(&kind).ok_or_else(|| {
            let allowed = known_bindings::ALL.join(", ");
            section.error("type", format!("{kind:?} is no known binding type; allowed: {allowed}"))
        })?;
        let name = section.required("name", "letters and digits, first a letter, or \"$return\"")?;
        if !is_binding_name(&name) {
            let problem = format!(
                "{name:?} is not allowed; allowed: 1 to 128 letters and digits, first a letter, or \"$return\""
            );
            return Err(section.error("name", problem));
        }
        let directions = [("in", Direction::In), ("out", Direction::Out), ("inout", Direction::InOut)];
        let types = [
            ("string", DataType::String),
            ("binary", DataType::Binary),
            ("stream", DataType::Stream),
            ("undefined", DataType::Undefined),
        ];
        let cardinalities = [("one", Cardinality::One), ("many", Cardinality::Many)];
        let default = if name == "$return" { Direction::Out } else { Direction::In };
        let mut binding = Self {
            name,
            kind,
            direction: section.one_of("direction", &directions)?.unwrap_or(default),
            data_type: section.one_of("dataType", &types)?.unwrap_or(DataType::Undefined),
            cardinality: section.one_of("cardinality", &cardinalities)?.unwrap_or(Cardinality::One),
            properties: Map::new(),
        };
        if binding.is_trigger() && binding.direction != Direction::In {
            return Err(section.error("direction", "a trigger goes in; allowed: \"in\""));
        }
        for (key, value) in section.members() {
            let value = resolve(settings, value).map_err(|missing| {
                section
                    .error(key, format!("the app setting {missing:?} is not set (%{missing}% stands for it)"))
            })?;
            binding.properties.insert(key.clone(), value);
        }
        Ok(binding)
    }

    /// Whether it starts invocations.
    #[must_use]
    pub fn is_trigger(&self) -> bool {
        self.kind.ends_with("Trigger")
    }

    /// Whether a handler may put a value into it.
    #[must_use]
    pub fn is_output(&self) -> bool {
        self.direction != Direction::In
    }

    /// All properties, to be read with typed errors.
    pub(super) fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }
}

fn resolve(settings: &AppSettings, value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) => settings.resolve(text).map(Value::String),
        other => Ok(other.clone()),
    }
}

fn is_binding_name(name: &str) -> bool {
    let plain = name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric());
    plain || name == "$return"
}
