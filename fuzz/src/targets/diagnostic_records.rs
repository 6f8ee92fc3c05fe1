//! Diagnostic records of a DPS.

use policysync::diagnostic_records::hints;
use serde_json::{Value, json};

use crate::input::text;

/// Each record gives the hint that it gives alone, in whatever envelope it comes; and a hint names a group that stands in its
/// record, as a member or within the text of one.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Takes each hint for one of another group.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let Ok(event) = serde_json::from_str::<Value>(&text(input)) else { return };
    let found = hints(&event);
    for hint in &found {
        let group =
            if is_broken { format!("{}~", hint.enrollment_group) } else { hint.enrollment_group.clone() };
        assert!(holds(&event, &group), "no record names the group {group}");
    }
    let Value::Array(records) = event else { return };
    // A record that has a member `records` is an envelope where it stands alone.
    if !records.iter().any(has_records) {
        let each: Vec<_> = records.iter().filter(|record| record.is_object()).flat_map(hints).collect();
        assert_eq!(found, each, "a record has another hint beside its neighbours");
        assert_eq!(hints(&json!({"records": records})), found, "records have other hints in an envelope");
    }
}

fn has_records(record: &Value) -> bool {
    record.as_object().is_some_and(|members| members.keys().any(|name| name.eq_ignore_ascii_case("records")))
}

/// Whether a text stands anywhere in a value, also within a text that is JSON.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => {
            own == text
                || serde_json::from_str::<Value>(own)
                    .is_ok_and(|inner| !inner.is_string() && holds(&inner, text))
        }
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}
