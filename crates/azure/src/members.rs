//! Reads JSON of preview APIs: member names in any case, and an unexpected value counts as absent.
//!
//! The service itself does not keep to its spec: it spells `policyResourceId` with a capital P
//! (`azure-wire-facts.md` §2.2). One odd value must not hide every other one of a list.

use certificate_management::ArmId;
use serde_json::Value;
use time::OffsetDateTime;

use crate::dates;

/// A member of an object. The exact name wins over one that differs in case.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

/// The value at a path of members.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| member(value, name))
}

/// A text that is not empty.
pub(crate) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A text that is not empty, as a `String`.
pub(crate) fn owned(value: &Value, path: &[&str]) -> Option<String> {
    text(value, path).map(str::to_owned)
}

/// A resource id.
pub(crate) fn arm_id(value: &Value, path: &[&str]) -> Option<ArmId> {
    ArmId::parse(text(value, path)?).ok()
}

/// A moment in any form that Azure writes.
pub(crate) fn date(value: &Value, path: &[&str]) -> Option<OffsetDateTime> {
    dates::parse(text(value, path)?)
}

/// True or false, also when it is written as a text.
pub(crate) fn boolean(value: &Value, path: &[&str]) -> Option<bool> {
    match at(value, path)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A thumbprint as upper-case hexadecimal digits alone; `None` when the text is anything else.
pub(crate) fn thumbprint(value: &Value, path: &[&str]) -> Option<String> {
    let text = text(value, path)?;
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | ' ')).collect();
    let fits =
        !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| digits.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_match_in_any_case_and_the_exact_one_wins() {
        let value = json!({"PolicyResourceId": "pascal", "a": {"B": " c "}});
        assert_eq!(text(&value, &["policyResourceId"]), Some("pascal"));
        assert_eq!(text(&value, &["A", "b"]), Some("c"));
        let both = json!({"NAME": "upper", "name": "exact"});
        assert_eq!(text(&both, &["name"]), Some("exact"));
    }

    #[test]
    fn a_value_of_another_kind_is_an_absent_one() {
        let value = json!({"a": 1, "b": null, "c": "", "d": "nonsense", "e": "TRUE"});
        assert_eq!(text(&value, &["a"]), None);
        assert_eq!(text(&value, &["b"]), None);
        assert_eq!(text(&value, &["c"]), None);
        assert_eq!(text(&value, &["a", "deeper"]), None);
        assert_eq!(arm_id(&value, &["d"]), None);
        assert_eq!(date(&value, &["d"]), None);
        assert_eq!(boolean(&value, &["d"]), None);
        assert_eq!(boolean(&value, &["e"]), Some(true));
    }

    #[test]
    fn a_thumbprint_is_upper_case_hexadecimal_without_separators() {
        let of = |text: &str| thumbprint(&json!({ "t": text }), &["t"]);
        assert_eq!(of("97:38:8a"), Some("97388A".to_owned()));
        assert_eq!(of("97 38-8A"), Some("97388A".to_owned()));
        for text in ["", ":", "973", "junk", "97388Z"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
