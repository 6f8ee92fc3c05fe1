//! Counts members and values of a preview API that this version does not know. They are never fatal.
//!
//! New members and values mean that the service has moved on. Each reader says what it knows of a resource; this file
//! counts the rest, for a metric and for a finding, and no decision uses it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Most different surprises that are counted apart; further ones are counted together.
const MOST: usize = 200;
/// How much is kept of an unknown value.
const SHOWN_CHARACTERS: usize = 64;

/// The known members and values of one kind of resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The kind, e.g. `certificateAuthorities`.
    pub(crate) kind: &'static str,
    /// Its members, with dots between levels. The members below one that is listed without members of its own are not
    /// checked.
    pub(crate) members: &'static [&'static str],
    /// The values of its enumerations.
    pub(crate) values: &'static [(&'static str, &'static [&'static str])],
}

/// An unknown member or value, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Surprise {
    /// Where, e.g. `certificateAuthorities: keyType`.
    pub place: String,
    /// The unknown value of an enumeration; `None`: the member itself is unknown.
    pub value: Option<String>,
    /// How often it was seen in this process.
    pub times: u64,
}

impl std::fmt::Display for Surprise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} is `{value}`", self.place),
            None => write!(f, "{} is a new member", self.place),
        }
    }
}

/// How often each was seen, by its place and its value.
type Seen = BTreeMap<(String, Option<String>), u64>;

/// Counts surprises. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Surprises {
    seen: Arc<Mutex<Seen>>,
}

impl Surprises {
    /// Everything that was seen since the process started, by place.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Surprise> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let surprise = |((place, value), times): (&(String, Option<String>), &u64)| Surprise {
            place: place.clone(),
            value: value.clone(),
            times: *times,
        };
        seen.iter().map(surprise).collect()
    }

    /// Counts the unknown members and values of `object`.
    pub(crate) fn notice(&self, known: Known, object: &Value) {
        self.members(known, "", object);
        for (path, values) in known.values {
            let segments: Vec<&str> = path.split('.').collect();
            if let Some(value) = crate::members::text(object, &segments)
                && !values.iter().any(|expected| expected.eq_ignore_ascii_case(value))
            {
                self.count(format!("{}: {path}", known.kind), Some(value));
            }
        }
    }

    fn members(&self, known: Known, prefix: &str, object: &Value) {
        for (name, value) in object.as_object().into_iter().flatten() {
            let path = format!("{prefix}{name}");
            let same = |member: &&&str| member.eq_ignore_ascii_case(&path);
            let below = format!("{}.", path.to_ascii_lowercase());
            if !known.members.iter().any(|member| same(&member)) {
                self.count(format!("{}: {path}", known.kind), None);
            } else if known.members.iter().any(|member| member.to_ascii_lowercase().starts_with(&below)) {
                self.members(known, &format!("{path}."), value);
            }
        }
    }

    fn count(&self, place: String, value: Option<&str>) {
        let short = |text: &str| {
            let shown = text.chars().take(SHOWN_CHARACTERS);
            shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>()
        };
        let mut key = (short(&place), value.map(short));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST && !seen.contains_key(&key) {
            key = ("more than can be told apart".to_owned(), None);
        }
        let times = seen.entry(key).or_default();
        *times += 1;
        if *times == 1 {
            tracing::info!("the service sends something that this version does not know: {place} {value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: Known = Known {
        kind: "things",
        members: &["state", "issuer", "issuer.type", "anything"],
        values: &[("state", &["Up", "Down"]), ("issuer.type", &["One"])],
    };

    #[test]
    fn what_is_not_known_is_counted_and_what_is_known_is_not() {
        let surprises = Surprises::default();
        let known =
            json!({"STATE": "up", "issuer": {"type": "one"}, "anything": {"may": "stand", "here": 1}});
        surprises.notice(KNOWN, &known);
        assert_eq!(surprises.snapshot(), []);
        let odd = json!({"state": "Sideways", "issuer": {"type": null, "shape": 1}, "new": {"deep": 1}});
        surprises.notice(KNOWN, &odd);
        surprises.notice(KNOWN, &odd);
        let told: Vec<_> = surprises.snapshot().iter().map(|seen| format!("{seen} {}", seen.times)).collect();
        assert_eq!(
            told,
            [
                "things: issuer.shape is a new member 2",
                "things: new is a new member 2",
                "things: state is `Sideways` 2"
            ]
        );
    }

    #[test]
    fn a_service_that_invents_without_end_is_counted_within_bounds() {
        let surprises = Surprises::default();
        for n in 0..1000 {
            surprises.notice(KNOWN, &json!({ format!("m{n}"): "x".repeat(10_000) }));
        }
        let seen = surprises.snapshot();
        assert_eq!(seen.len(), MOST + 1);
        assert_eq!(seen.iter().map(|seen| seen.times).sum::<u64>(), 1000);
    }
}
