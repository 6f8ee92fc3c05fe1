//! Guesses the rules of one namespace: one rule for each policy that groups name, for the groups that name it and for names
//! like theirs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::patterns::{self, Ids};
use super::seen::SeenNamespace;
use crate::configuration::OPT_OUT_TAG;
use crate::glob;
use crate::model::{EnrollmentGroup, Policy};
use crate::reference::{self, Reference};
use crate::rules::Subject;

/// How many tests a rule gets at the most: one for each of its first globs.
const MOST_TESTS: usize = 5;

/// What was guessed of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Guess {
    /// The rules, in the order of the names of their policies. No two of them match one group that has a policy.
    pub rules: Vec<ProposedRule>,
    /// Groups with a policy that no rule is for, and why.
    pub left_out: Vec<LeftOut>,
    /// Groups without a policy that no rule matches.
    pub without_policy: Vec<String>,
    /// How many groups opt out by their tag.
    pub opted_out: usize,
}

/// A rule that was guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposedRule {
    /// The policy, as a rule names it.
    pub policy: String,
    /// The globs on ids of groups.
    pub enrollment_groups: Vec<String>,
    /// The groups that have the policy.
    pub have_it: Vec<String>,
    /// The groups without a policy that the rule gives it to.
    pub would_get_it: Vec<String>,
    /// Ids of groups that have the policy, for tests.
    #[serde(skip)]
    pub tests: Vec<String>,
}

/// A group that no rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Its id.
    pub enrollment_group: String,
    /// Why, as the rest of a sentence about it.
    pub why: String,
}

/// A group with a policy of the namespace that a rule can name it by.
struct Member<'a> {
    id: &'a str,
    policy: &'a Policy,
}

/// Guesses the rules of a namespace.
#[must_use]
pub fn guess(namespace: &SeenNamespace) -> Guess {
    let mut guess = Guess::default();
    let Ok(policies) = &namespace.policies else { return guess };
    let mut members: Vec<Member<'_>> = Vec::new();
    let mut strangers: Vec<&str> = Vec::new();
    let mut bare: Vec<&str> = Vec::new();
    for group in namespace.services.iter().filter_map(|service| service.groups.as_ref().ok()).flatten() {
        if Subject::of(group, &[]).opts_out(OPT_OUT_TAG) {
            guess.opted_out += 1;
            continue;
        }
        let Some(text) = &group.policy else {
            bare.push(&group.id);
            continue;
        };
        match named(text, policies, namespace.id.name()) {
            Ok(policy) => members.push(Member { id: &group.id, policy }),
            Err(why) => {
                strangers.push(&group.id);
                guess.left_out.push(left_out(group, why));
            }
        }
    }
    let widen = namespace.services.iter().all(|service| service.groups.is_ok());
    let mut by_policy: BTreeMap<String, Vec<&Member<'_>>> = BTreeMap::new();
    for member in &members {
        by_policy.entry(member.policy.name.to_ascii_lowercase()).or_default().push(member);
    }
    for (key, own) in &by_policy {
        let others = members.iter().filter(|member| member.policy.name.to_ascii_lowercase() != *key);
        let others = Ids::of(others.map(|member| member.id).chain(strangers.iter().copied()));
        let mut ids: Vec<&str> = Vec::new();
        for member in own {
            let why = match member.id {
                id if !patterns::is_usual(id) => {
                    "its id holds what no id of a group should, so no rule names it"
                }
                id if others.has(id) => {
                    "a group of this id in another DPS has another policy, and a rule cannot tell them apart by it"
                }
                id => {
                    ids.push(id);
                    continue;
                }
            };
            guess.left_out.push(LeftOut { enrollment_group: member.id.to_owned(), why: why.to_owned() });
        }
        if let (Some(first), false) = (own.first(), ids.is_empty()) {
            guess.rules.push(rule(&first.policy.name, ids, &others, widen, &bare));
        }
    }
    let is_matched = |id: &str| {
        let mut globs = guess.rules.iter().flat_map(|rule| &rule.enrollment_groups);
        globs.any(|glob| glob::matches(glob, id))
    };
    guess.without_policy = bare.into_iter().filter(|id| !is_matched(id)).map(str::to_owned).collect();
    guess
}

fn rule(policy: &str, ids: Vec<&str>, others: &Ids, widen: bool, bare: &[&str]) -> ProposedRule {
    let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let globs = patterns::of(ids.clone(), others, widen);
    let matched = |glob: &String| ids.iter().find(|id| glob::matches(glob, id));
    let tests = globs.iter().take(MOST_TESTS).filter_map(matched).map(|id| (*id).to_owned()).collect();
    let would_get_it = bare.iter().copied().filter(|id| globs.iter().any(|glob| glob::matches(glob, id)));
    ProposedRule {
        policy: policy.to_owned(),
        would_get_it: owned(would_get_it.collect()),
        have_it: owned(ids),
        enrollment_groups: globs,
        tests,
    }
}

/// The policy that a group names, where a rule can name it too.
///
/// # Errors
/// The rest of a sentence about the group: why no rule can.
fn named<'p>(text: &str, policies: &'p [Policy], namespace: &str) -> Result<&'p Policy, String> {
    let shown = reference::shown(text, namespace);
    match policies.iter().find(|policy| policy.reference().eq_ignore_ascii_case(text)) {
        Some(policy) if policy.name.is_empty() || policy.name == "none" => {
            Err(format!("it has `{shown}`, and in a rule that is no policy"))
        }
        Some(policy) => Ok(policy),
        None if Reference::parse(text).is_foreign_to(namespace) => {
            Err(format!("it has `{shown}`, of another namespace"))
        }
        None if Reference::parse(text) == Reference::Unclear => {
            Err(format!("it has {shown}, which is no policy"))
        }
        None => Err(format!("it has `{shown}`, which the namespace does not have")),
    }
}

fn left_out(group: &EnrollmentGroup, why: String) -> LeftOut {
    LeftOut { enrollment_group: group.id.clone(), why }
}
