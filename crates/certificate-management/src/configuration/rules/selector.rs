//! One selector of a rule against the facts of a group, with the reason in words.

use serde::{Deserialize, Serialize};

use super::subject::{Subject, tag_text};
use crate::configuration::Rule;
use crate::glob::matches;
use crate::model::Attestation;

/// How much of a fact is shown. A tag can hold 4,096 bytes of text that others wrote.
const SHOWN_CHARACTERS: usize = 80;

/// One selector that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedSelector {
    /// The key in `policysync.toml`: `enrollment_groups`, `tags.site`, `attestation`, `hubs`, `enabled`.
    pub selector: String,
    /// Whether it matched.
    pub matched: bool,
    /// Why.
    pub why: String,
}

/// Tries every selector that a rule gives, so that an explanation names all that do not match and not only the first.
pub(super) fn try_all(rule: &Rule, subject: &Subject) -> Vec<TriedSelector> {
    let mut tried = Vec::new();
    let mut add = |selector: String, (matched, why): (bool, String)| {
        tried.push(TriedSelector { selector, matched, why });
    };
    if !rule.enrollment_groups.is_empty() {
        add("enrollment_groups".to_owned(), enrollment_group(&rule.enrollment_groups, &subject.id));
    }
    for (path, glob) in &rule.tags {
        add(format!("tags.{path}"), tag(path, glob, subject));
    }
    if !rule.attestation.is_empty() {
        add("attestation".to_owned(), attestation(&rule.attestation, subject.attestation));
    }
    if !rule.hubs.is_empty() {
        add("hubs".to_owned(), hubs(&rule.hubs, &subject.hubs));
    }
    if let Some(enabled) = rule.enabled {
        let state = if subject.enabled { "enabled" } else { "disabled" };
        add("enabled".to_owned(), (enabled == subject.enabled, format!("the group is {state}")));
    }
    tried
}

fn enrollment_group(globs: &[String], id: &str) -> (bool, String) {
    match globs.iter().find(|glob| matches(glob, id)) {
        Some(glob) => (true, format!("the id matches `{glob}`")),
        None => (false, format!("the id {}", matches_none(globs))),
    }
}

fn tag(path: &str, glob: &str, subject: &Subject) -> (bool, String) {
    let Some(value) = subject.tag(path) else {
        return (false, format!("the group has no tag `{path}`"));
    };
    let Some(text) = tag_text(value) else {
        return (false, format!("tag `{path}` is not a text, a number or a truth"));
    };
    let matched = matches(glob, &text);
    let verb = if matched { "matches" } else { "does not match" };
    (matched, format!("tag `{path}` is `{}`, which {verb} `{glob}`", shown(&text)))
}

fn attestation(kinds: &[Attestation], own: Option<Attestation>) -> (bool, String) {
    let names = kinds.iter().map(ToString::to_string).collect::<Vec<_>>();
    match own {
        None => (false, format!("the attestation is not known, and the rule wants {}", names.join(" or "))),
        Some(kind) if kinds.contains(&kind) => (true, format!("the attestation is {kind}")),
        Some(kind) => (false, format!("the attestation is {kind}, not {}", names.join(" or "))),
    }
}

fn hubs(globs: &[String], hubs: &[String]) -> (bool, String) {
    if hubs.is_empty() {
        return (
            false,
            format!("the hubs of the group are not known, and the rule wants {}", globs.join(" or ")),
        );
    }
    match hubs.iter().find(|hub| !globs.iter().any(|glob| matches_hub(glob, hub))) {
        Some(hub) => (false, format!("hub `{}` {}", shown(hub), matches_none(globs))),
        None => (true, format!("each of its hubs ({}) matches", hubs.len())),
    }
}

/// A glob may match a hub by its host name, or by its own name, which is the first label of its host name.
fn matches_hub(glob: &str, hub: &str) -> bool {
    matches(glob, hub) || hub.split_once('.').is_some_and(|(name, _)| matches(glob, name))
}

fn matches_none(globs: &[String]) -> String {
    match globs {
        [glob] => format!("does not match `{glob}`"),
        _ => format!("matches none of `{}`", globs.join("`, `")),
    }
}

/// A fact as it can be shown on one line.
fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN_CHARACTERS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}
