//! Encodes .NET values into the envelope as the host does, written from the confirmed rules and the recorded requests,
//! independently of the decoder.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime, UtcOffset};

/// A .NET value, by the rule that encodes it.
#[derive(Debug, Clone)]
pub enum Net {
    Null,
    /// `byte[]`.
    Bytes(Vec<u8>),
    /// `DateTime`: whole seconds, no zone.
    DateTime(OffsetDateTime),
    /// `DateTimeOffset`: whole seconds, with its offset.
    DateTimeOffset(OffsetDateTime),
    /// Anything that becomes a JSON object.
    Object(Value),
    /// Texts, numbers, booleans and every list: JSON inside a string.
    Other(Value),
}

impl Net {
    pub fn text(text: &str) -> Self {
        Self::Other(json!(text))
    }

    pub fn optional_text(text: Option<&String>) -> Self {
        text.map_or(Self::Null, |text| Self::text(text))
    }

    fn encode(&self) -> Value {
        match self {
            Self::Null => json!("null"),
            Self::Bytes(bytes) => json!(base64(bytes)),
            Self::DateTime(time) => json!(seconds(*time)),
            Self::DateTimeOffset(time) => json!(format!("{}{}", seconds(*time), zone(time.offset()))),
            Self::Object(object) => object.clone(),
            Self::Other(value) => json!(value.to_string()),
        }
    }
}

/// Metadata in the making.
#[derive(Debug, Clone, Default)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    pub fn with(mut self, name: &str, value: Net) -> Self {
        let dropped = name.to_lowercase().ends_with("trigger") || matches!(value, Net::Null);
        if !dropped {
            self.0.insert(name.to_owned(), value.encode());
        }
        self
    }

    /// One list for all elements: `name` gets its `Array`.
    pub fn with_list(self, name: &str, values: impl Iterator<Item = Value>) -> Self {
        self.with(&format!("{name}Array"), Net::Other(Value::Array(values.collect())))
    }

    /// The system's own values, present in every invocation.
    pub fn with_sys(self) -> Self {
        let sys =
            json!({"MethodName": "f", "UtcNow": "2026-11-23T09:51:00.0044404Z", "RandGuid": "359235ca-af62"});
        self.with("sys", Net::Object(sys))
    }

    /// Does what the host does with a single text value: copies the members of a JSON object over metadata of the same
    /// name in any case, which keeps its spelling.
    pub fn shadowed_by(mut self, text: &str) -> Self {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else { return self };
        for (name, value) in members {
            let copied = match &value {
                Value::Null | Value::Array(_) => continue,
                Value::Object(_) => Net::Object(value),
                Value::Bool(true) => Net::text("True"),
                Value::Bool(false) => Net::text("False"),
                Value::Number(number) => Net::text(&number.to_string()),
                Value::String(text) => Net::text(text),
            };
            let known = self.0.keys().find(|known| known.to_lowercase() == name.to_lowercase()).cloned();
            self = self.with(&known.unwrap_or(name), copied);
        }
        self
    }
}

/// The request body.
pub fn envelope(binding: &str, value: &Net, metadata: Metadata) -> Value {
    json!({"Data": {binding: value.encode()}, "Metadata": metadata.0})
}

/// A time inside a list, where it keeps its fraction without trailing zeros.
pub fn list_time(time: OffsetDateTime, with_zone: bool) -> Value {
    let fraction = format!("{:07}", time.nanosecond() / 100);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = if with_zone { zone(time.offset()) } else { String::new() };
    json!(format!("{}{point}{fraction}{zone}", seconds(time)))
}

fn seconds(time: OffsetDateTime) -> String {
    let (date, month) = (time.date(), u8::from(time.month()));
    let (hour, minute, second) = time.to_hms();
    format!("{:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", date.year(), date.day())
}

fn zone(offset: UtcOffset) -> String {
    let minutes = offset.whole_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.encode(bytes)
}

/// Any instant of this century, to the tick of .NET (100 ns).
pub fn instant() -> impl Strategy<Value = OffsetDateTime> {
    (946_684_800_i64..4_102_444_800, 0_i64..10_000_000).prop_map(|(seconds, ticks)| {
        let time = OffsetDateTime::from_unix_timestamp(seconds).expect("in range");
        time + Duration::nanoseconds(ticks * 100)
    })
}

/// The same in any zone that .NET can express.
pub fn zoned_instant() -> impl Strategy<Value = OffsetDateTime> {
    (instant(), -14 * 60..=14 * 60).prop_map(|(time, minutes)| {
        time.to_offset(UtcOffset::from_whole_seconds(minutes * 60).expect("in range"))
    })
}

/// Any JSON without fractions (whose spelling Newtonsoft changes).
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            any_object_of(inner).prop_map(Value::Object),
        ]
    })
}

pub fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    any_object_of(any_json())
}

fn any_object_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((any::<String>(), values), 0..6).prop_map(|members| members.into_iter().collect())
}
