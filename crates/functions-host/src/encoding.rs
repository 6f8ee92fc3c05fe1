//! Reads .NET values back from the form that they have inside the envelope.
//!
//! The host writes objects as JSON objects, and nearly everything else (texts, numbers, lists) as a JSON *string that
//! holds JSON*: the text `abc` arrives as `"\"abc\""`, the number 1 as `"1"`, a list as `"[..]"`. Other hosts and
//! older captures show texts encoded once. So one rule reads both: take the string; if it is itself a JSON string
//! literal, unquote it once more; otherwise take it as it is.
//!
//! Every function here is total: a value of another type is `None`, never an error and never a panic, because a sender
//! can put any JSON type under most metadata names.

use std::borrow::Cow;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{bounded, instant};

/// The text itself, whether it was quoted a second time or not.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    if text.starts_with('"')
        && let Ok(inner) = serde_json::from_str::<String>(text)
    {
        return Cow::Owned(inner);
    }
    Cow::Borrowed(text)
}

/// An object or a list, given as itself or as a string that holds it (quoted once or twice). One with more values than
/// [`bounded`] allows is none.
pub(crate) fn structure(value: &Value) -> Option<Cow<'_, Value>> {
    match value {
        Value::Object(_) | Value::Array(_) => Some(Cow::Borrowed(value)),
        Value::String(held) => held_structure(held).map(Cow::Owned),
        _ => None,
    }
}

/// As [`structure`], of a value that is not needed afterwards.
pub(crate) fn into_structure(value: Value) -> Option<Value> {
    match value {
        Value::String(held) => held_structure(&held),
        value => is_structure(&value).then_some(value),
    }
}

fn held_structure(held: &str) -> Option<Value> {
    bounded::from_str(&unquote(held)).filter(is_structure)
}

fn is_structure(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

/// A text. Numbers are texts too, since the host writes one for the other.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// As [`text`], of a value that is not needed afterwards.
pub(crate) fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        other => text(&other),
    }
}

/// A whole number, given as a number or as its text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A boolean, given as one or as its text in either .NET or JSON spelling.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A time in any of the forms that .NET writes; see [`instant::parse`].
pub(crate) fn time(value: &Value) -> Option<OffsetDateTime> {
    value.as_str().and_then(instant::parse)
}

/// An object, given as itself or inside a string.
pub(crate) fn object(value: &Value) -> Option<Map<String, Value>> {
    match structure(value)?.into_owned() {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The member of that name, where a JSON `null` counts as absent.
pub(crate) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// What kind of JSON a value is: for error messages, which must not quote the value itself.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_unquoted_at_most_once() {
        assert_eq!(unquote("plain"), "plain");
        assert_eq!(unquote(r#""quoted""#), "quoted");
        assert_eq!(unquote(r#""\"twice\"""#), "\"twice\"");
        assert_eq!(unquote(r#""unfinished"#), "\"unfinished");
    }

    #[test]
    fn a_structure_is_found_at_each_depth_of_quoting() {
        for value in [json!([1]), json!("[1]"), json!("\"[1]\"")] {
            assert_eq!(structure(&value).as_deref(), Some(&json!([1])), "{value}");
            assert_eq!(into_structure(value), Some(json!([1])));
        }
        for value in [json!(1), json!("1"), json!("null"), json!(null), json!("[1")] {
            assert_eq!(structure(&value), None, "{value}");
            assert_eq!(into_structure(value), None);
        }
    }

    #[test]
    fn numbers_and_booleans_may_be_texts() {
        assert_eq!((integer(&json!(7)), integer(&json!("7")), integer(&json!({}))), (Some(7), Some(7), None));
        assert_eq!((boolean(&json!("True")), boolean(&json!(false))), (Some(true), Some(false)));
    }
}
