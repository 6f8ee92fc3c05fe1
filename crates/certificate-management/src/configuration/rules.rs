//! Which policy an enrollment group gets, and why.
//!
//! Rules are tried in order, and the first that matches decides. The decision is total and deterministic, and it
//! carries every rule that was tried, so that a person can be told why a group was not matched.

mod selector;
mod subject;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::selector::TriedSelector;
pub use self::subject::Subject;
pub(crate) use self::subject::allocated_hubs;
use self::subject::tag_text;
use crate::configuration::{NamespaceConfiguration, Rule};
pub use crate::glob::{matches, no_group, no_hub, subsumes};

/// What the rules say about one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What the group gets.
    pub verdict: Verdict,
    /// Every rule that was tried, in order, with the reason why it did or did not match. Rules after the one that
    /// matched are not tried, and none is tried for a group that has opted out.
    pub tried: Vec<Tried>,
}

/// What a group gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Verdict {
    /// A policy.
    Policy {
        /// Its name.
        policy: String,
        /// The rule that says so.
        rule: String,
        /// Whether the rule wins over a policy that the group already names.
        reassign: bool,
    },
    /// No policy, because a rule says so.
    None {
        /// The rule that says so.
        rule: String,
    },
    /// What the namespace's `default_policy` says, because no rule matches.
    Default {
        /// The policy; `None` where it says `none`.
        policy: Option<String>,
    },
    /// No rule matches, and there is no default.
    NoRule,
    /// The group is left alone, because a tag of its initial twin says so.
    OptedOut {
        /// Name of the tag.
        tag: String,
    },
}

impl Verdict {
    /// The policy that the group gets.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::Policy { policy, .. } => Some(policy),
            Self::Default { policy } => policy.as_deref(),
            Self::None { .. } | Self::NoRule | Self::OptedOut { .. } => None,
        }
    }

    /// The rule, default or tag that says so, e.g. ``rule `lines` ``.
    #[must_use]
    pub fn origin(&self) -> String {
        match self {
            Self::Policy { rule, .. } | Self::None { rule } => format!("rule `{rule}`"),
            Self::Default { .. } => "`default_policy`".to_owned(),
            Self::NoRule => "no rule matches".to_owned(),
            Self::OptedOut { tag } => format!("tag `{tag}` of its initial twin is `off`"),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Policy { policy, .. } => write!(f, "{} says `{policy}`", self.origin()),
            Self::Default { policy: Some(policy) } => write!(f, "{} says `{policy}`", self.origin()),
            Self::None { .. } | Self::Default { policy: None } => write!(f, "{} says none", self.origin()),
            Self::NoRule | Self::OptedOut { .. } => f.write_str(&self.origin()),
        }
    }
}

/// One rule that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Its name.
    pub rule: String,
    /// Whether it matched: every selector did.
    pub matched: bool,
    /// Why, as a sentence.
    pub why: String,
    /// Each selector of it.
    #[serde(default)]
    pub selectors: Vec<TriedSelector>,
}

/// Decides what a group gets: an opt-out first, then the rules in order, then the default.
#[must_use]
pub fn decide(configuration: &NamespaceConfiguration, subject: &Subject) -> Decision {
    let mut tried = Vec::new();
    if subject.opts_out(&configuration.opt_out_tag) {
        return Decision { verdict: Verdict::OptedOut { tag: configuration.opt_out_tag.clone() }, tried };
    }
    for rule in &configuration.rules {
        let attempt = attempt(rule, subject);
        let matched = attempt.matched;
        tried.push(attempt);
        if matched {
            let name = rule.name.clone();
            let verdict = match rule.policy_name() {
                Some(policy) => {
                    Verdict::Policy { policy: policy.to_owned(), rule: name, reassign: rule.reassign }
                }
                None => Verdict::None { rule: name },
            };
            return Decision { verdict, tried };
        }
    }
    let verdict = if configuration.default_policy.is_some() {
        Verdict::Default { policy: configuration.default_policy_name().map(str::to_owned) }
    } else {
        Verdict::NoRule
    };
    Decision { verdict, tried }
}

/// Decides for a group of which only the id is known.
#[must_use]
pub fn decide_by_id(configuration: &NamespaceConfiguration, enrollment_group: &str) -> Decision {
    decide(configuration, &Subject::named(enrollment_group))
}

/// Whether a group has these tags: each has a glob on its text, and every one must match.
pub(crate) fn has_tags(wanted: &BTreeMap<String, String>, tags: &Map<String, Value>) -> bool {
    wanted.iter().all(|(path, glob)| {
        subject::tag_at(tags, path).and_then(tag_text).is_some_and(|text| matches(glob, &text))
    })
}

fn attempt(rule: &Rule, subject: &Subject) -> Tried {
    let selectors = selector::try_all(rule, subject);
    let matched = !selectors.is_empty() && selectors.iter().all(|selector| selector.matched);
    let decisive = selectors.iter().filter(|selector| selector.matched == matched);
    let mut why = decisive.map(|selector| selector.why.as_str()).collect::<Vec<_>>().join("; ");
    if selectors.is_empty() {
        why = "the rule selects by nothing".to_owned();
    }
    Tried { rule: rule.name.clone(), matched, why, selectors }
}

#[cfg(test)]
mod tests;
