//! Which policy an enrollment group gets, and why.
//!
//! Rules are tried in order and the first that matches decides. The decision is total and deterministic, and it
//! carries what was tried, so that a person can be told why a group was not matched.

use serde::{Deserialize, Serialize};

use crate::configuration::Rule;

/// What the rules say about one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What the group gets.
    pub verdict: Verdict,
    /// Every rule that was tried, in order, with the reason why it did or did not match.
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
    /// No rule matches.
    NoRule,
}

/// One rule that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Its name.
    pub rule: String,
    /// Whether it matched.
    pub matched: bool,
    /// Why.
    pub why: String,
}

/// Tries the rules in order against the id of a group.
#[must_use]
pub fn decide(rules: &[Rule], enrollment_group: &str) -> Decision {
    let mut tried = Vec::new();
    for rule in rules {
        let glob = rule.enrollment_groups.iter().find(|glob| matches(glob, enrollment_group));
        let why = glob.map_or_else(
            || format!("none of {:?} matches the id", rule.enrollment_groups),
            |glob| format!("the id matches `{glob}`"),
        );
        tried.push(Tried { rule: rule.name.clone(), matched: glob.is_some(), why });
        if glob.is_some() {
            let rule_name = rule.name.clone();
            let verdict = match rule.policy_name() {
                Some(policy) => {
                    Verdict::Policy { policy: policy.to_owned(), rule: rule_name, reassign: rule.reassign }
                }
                None => Verdict::None { rule: rule_name },
            };
            return Decision { verdict, tried };
        }
    }
    Decision { verdict: Verdict::NoRule, tried }
}

/// Whether a glob matches the whole text: `*` any run of characters, `?` exactly one. Ids of enrollment groups are
/// case-insensitive (`azure-wire-facts.md` §3), so globs are too.
#[must_use]
pub fn matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().flat_map(char::to_lowercase).collect();
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                // Let the last `*` take one character more and try again from there.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                g = star_at + 1;
                t = taken + 1;
            }
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(name: &str, globs: &[&str], policy: &str) -> Rule {
        Rule {
            name: name.into(),
            enrollment_groups: globs.iter().map(|&glob| glob.to_owned()).collect(),
            policy: policy.into(),
            reassign: false,
            test: Vec::new(),
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let rules =
            [rule("test", &["line-test-*"], "none"), rule("lines", &["line-*", "cell-?"], "short-lived")];
        assert_eq!(decide(&rules, "line-test-1").verdict, Verdict::None { rule: "test".into() });
        let decision = decide(&rules, "LINE-7");
        assert!(matches!(&decision.verdict, Verdict::Policy { policy, .. } if policy == "short-lived"));
        assert_eq!(decision.tried.iter().map(|tried| tried.matched).collect::<Vec<_>>(), [false, true]);
        assert_eq!(decide(&rules, "dock-1").verdict, Verdict::NoRule);
        assert_eq!(decide(&rules, "dock-1").tried.len(), 2);
    }

    #[test]
    fn globs_match_whole_ids() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("?", "", false),
            ("?", "é", true),
            ("line-*", "line-", true),
            ("line-*", "a-line-1", false),
            ("*-a-*-b", "x-a-a-b-b", true),
            ("*-a-*-b", "x-a-b", false),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_matches_itself_its_prefixes_and_its_suffixes(id in "[a-z0-9.:_-]{0,40}", cut in 0usize..40) {
            prop_assert!(matches(&id, &id));
            let cut = cut.min(id.len());
            let (head, tail) = (format!("{}*", &id[..cut]), format!("*{}", &id[cut..]));
            prop_assert!(matches(&head, &id));
            prop_assert!(matches(&tail, &id));
        }

        #[test]
        fn a_decision_is_total_and_deterministic(globs in prop::collection::vec("[a-z*?-]{0,8}", 0..6), id in "\\PC{0,20}") {
            let rules: Vec<Rule> = globs.iter().map(|glob| rule(glob, &[glob], "policy")).collect();
            let first = decide(&rules, &id);
            prop_assert_eq!(&first, &decide(&rules, &id));
            let expected = globs.iter().position(|glob| matches(glob, &id));
            prop_assert_eq!(first.tried.iter().position(|tried| tried.matched), expected);
        }
    }
}
