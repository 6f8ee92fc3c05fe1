//! Who wrote something, why, and by which plan: what the record of a write says beside what was written.
//!
//! It is for readers. No decision rests on it: what an identity may do is decided by Azure, and what Policysync may do by
//! [`crate::plan::permit`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name or id that is kept of a caller, in characters.
pub const LONGEST: usize = 256;
/// Longest reason that a person may give, in bytes.
pub const LONGEST_REASON: usize = 2048;

/// Who wrote, why, and by which plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attribution {
    /// The identity that wrote; `None`: it could not be learnt, or the record is of an older version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    /// Why, in the words of the person who wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The hash of the plan that was performed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The version of the configuration that it followed from, where that is a blob: its version id, or its `ETag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// An identity as its token names it. The token is not verified here, since nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The object id, which no other account of the tenant can have.
    pub object_id: Option<String>,
    /// The name: of a person their user name, of an app its id.
    pub name: Option<String>,
}

impl Caller {
    /// A caller of these names, cut to [`LONGEST`] and without what a terminal would obey; `None` where there is neither.
    #[must_use]
    pub fn of(object_id: Option<&str>, name: Option<&str>) -> Option<Self> {
        let kept = |text: Option<&str>| {
            let text = text?.trim();
            let kept: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            (!kept.is_empty()).then_some(kept)
        };
        let caller = Self { object_id: kept(object_id), name: kept(name) };
        (caller != Self::default()).then_some(caller)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.object_id) {
            (Some(name), Some(id)) if name != id => write!(f, "{name} ({id})"),
            (Some(one), _) | (None, Some(one)) => f.write_str(one),
            (None, None) => f.write_str("not known"),
        }
    }
}

/// What is wrong with a reason that a person gives, if anything.
#[must_use]
pub fn wrong_reason(reason: &str) -> Option<&'static str> {
    if reason.trim().is_empty() {
        return Some("it is empty; say why, for those who read the record");
    }
    (reason.len() > LONGEST_REASON).then_some("it is longer than 2,048 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_name_or_an_id_and_nothing_that_a_terminal_obeys() {
        let caller = Caller::of(Some("0a1b"), Some(" ann@contoso\u{1b}[2J ")).unwrap();
        assert_eq!(caller.to_string(), "ann@contoso[2J (0a1b)");
        assert_eq!(Caller::of(None, Some("ann")).unwrap().to_string(), "ann");
        assert_eq!(Caller::of(Some("0a1b"), Some("0a1b")).unwrap().to_string(), "0a1b");
        assert_eq!(Caller::of(Some(" "), Some("\n")), None);
        let long = "x".repeat(10 * LONGEST);
        assert_eq!(Caller::of(None, Some(&long)).unwrap().name.unwrap().len(), LONGEST);
    }

    #[test]
    fn a_record_of_an_older_version_has_none() {
        assert_eq!(serde_json::from_str::<Attribution>("{}").unwrap(), Attribution::default());
        assert_eq!(serde_json::to_string(&Attribution::default()).unwrap(), "{}");
    }

    #[test]
    fn a_reason_says_something_and_is_bounded() {
        assert_eq!(wrong_reason("CHG-4711: the lines stand still"), None);
        for wrong in ["", " \n", &"x".repeat(LONGEST_REASON + 1)] {
            assert!(wrong_reason(wrong).is_some());
        }
    }
}
