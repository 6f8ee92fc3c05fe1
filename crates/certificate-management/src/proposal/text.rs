//! Writes the proposal as a commented `policysync.toml`. Names come from Azure, so none reaches the file unescaped: neither a
//! quote in a string nor a line end in a comment can become a key.

use std::fmt::Write as _;

use super::rules::{Guess, ProposedRule};
use super::seen::{Seen, SeenNamespace};
use super::{ProposedNamespace, some_of};
use crate::model::Policy;
use crate::plan;
use crate::plural;

/// How many names a comment shows.
const SHOWN: usize = 5;
/// The longest line of a comment, in characters, but for one with a longer word.
const WIDTH: usize = 110;

const INTRODUCTION: &str = "Proposed by `policysync init` from what existed. The rules are guesses from the policies that \
enrollment groups have: read each of them. In audit mode Policysync plans and reports, and writes nothing to Azure.";
const MODE: &str = "\"enforce\" lets Policysync write, once `policysync plan` shows what you want.";

/// The text of the file.
pub(super) fn of(seen: &Seen, namespaces: &[ProposedNamespace], unread: &[String]) -> String {
    let mut text = String::new();
    comment(&mut text, INTRODUCTION);
    comment(&mut text, "docs/configuration.md has every key; `policysync check` checks the file.");
    if !unread.is_empty() {
        text.push_str("#\n");
        comment(&mut text, "Could not be read, so nothing here is guessed of it:");
        unread.iter().for_each(|unread| comment(&mut text, &format!("- {unread}")));
    }
    for (seen, proposed) in seen.namespaces.iter().zip(namespaces) {
        text.push('\n');
        namespace(&mut text, seen, &proposed.guess);
    }
    text
}

fn namespace(text: &mut String, seen: &SeenNamespace, guess: &Guess) {
    comment(text, &about(seen));
    text.push_str("[[namespace]]\n");
    key(text, "id", &quoted(seen.id.as_str()));
    if !seen.services.is_empty() {
        let services = seen.services.iter().map(|service| service.id.as_str());
        key(text, "provisioning_services", &list(services));
    }
    let scopes = scopes(seen);
    if scopes.len() > 1 {
        key(text, "scopes", &list(scopes.iter().map(String::as_str)));
    }
    comment(text, MODE);
    key(text, "mode", "\"audit\"");
    for rule in &guess.rules {
        text.push('\n');
        self::rule(text, rule);
    }
    let told = afterwards(seen, guess);
    if !told.is_empty() {
        text.push('\n');
        told.iter().for_each(|told| comment(text, told));
    }
    if let Some(first) = guess.without_policy.first() {
        template(text, first, seen.policies.as_deref().unwrap_or_default());
    }
}

/// What a namespace is, in a line.
fn about(seen: &SeenNamespace) -> String {
    let policies = match &seen.policies {
        Ok(policies) if policies.is_empty() => "no policy".to_owned(),
        Ok(policies) => {
            let shown: Vec<String> = policies.iter().map(policy).collect();
            format!("policies: {}", shown.join(", "))
        }
        Err(_) => "policies that could not be read".to_owned(),
    };
    let (hubs, services) = (seen.hubs.len(), seen.services.len());
    format!("{}: linked hubs: {hubs}, linked DPS: {services}, {policies}.", seen.id.name())
}

fn policy(policy: &Policy) -> String {
    let days = policy.leaf_validity_days.map(|days| plural::count(days, "day"));
    let state = (!plan::is_active(policy)).then(|| "not active".to_owned());
    let particulars: Vec<String> = days.into_iter().chain(state).collect();
    match particulars.is_empty() {
        true => policy.name.clone(),
        false => format!("{} ({})", policy.name, particulars.join(", ")),
    }
}

/// The subscriptions of the namespace and of what is linked to it, its own first.
fn scopes(seen: &SeenNamespace) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    let linked = seen.hubs.iter().chain(seen.services.iter().map(|service| &service.id));
    for id in std::iter::once(&seen.id).chain(linked) {
        let scope = format!("/subscriptions/{}", id.subscription());
        if !scopes.iter().any(|known| known.eq_ignore_ascii_case(&scope)) {
            scopes.push(scope);
        }
    }
    scopes
}

fn rule(text: &mut String, rule: &ProposedRule) {
    let have_it = &rule.have_it;
    comment(text, &format!("Groups that have it: {} ({}).", have_it.len(), some_of(have_it, SHOWN)));
    let get_it = &rule.would_get_it;
    if !get_it.is_empty() {
        comment(
            text,
            &format!(
                "Groups without a policy that get it by this rule: {} ({}).",
                get_it.len(),
                some_of(get_it, SHOWN)
            ),
        );
    }
    text.push_str("[[namespace.rule]]\n");
    key(text, "name", &quoted(&rule.policy));
    key(text, "enrollment_groups", &list(rule.enrollment_groups.iter().map(String::as_str)));
    key(text, "policy", &quoted(&rule.policy));
    for test in &rule.tests {
        text.push_str("\n[[namespace.rule.test]]\n");
        key(text, "enrollment_group", &quoted(test));
        key(text, "expect", &quoted(&rule.policy));
    }
}

/// What a reader should know of the groups that no rule is for.
fn afterwards(seen: &SeenNamespace, guess: &Guess) -> Vec<String> {
    let mut told = Vec::new();
    if seen.policies.is_err() {
        told.push("Its policies could not be read, so no rule is guessed.".to_owned());
    } else if seen.services.iter().any(|service| service.groups.is_err()) {
        told.push(
            "Groups of it could not be read, so its rules name the others one by one, without patterns. Run `policysync init` \
             again once they can be read."
                .to_owned(),
        );
    }
    told.extend(
        guess
            .left_out
            .iter()
            .take(SHOWN)
            .map(|left| format!("No rule is for group {}: {}.", left.enrollment_group, left.why)),
    );
    if let Some(more) = guess.left_out.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        told.push(format!("No rule is for {more} more groups with such a policy or such an id."));
    }
    if guess.opted_out > 0 {
        told.push(format!("Groups that opt out by the tag `policysync`: {}.", guess.opted_out));
    }
    let bare = &guess.without_policy;
    if !bare.is_empty() {
        told.push(format!(
            "Groups without a policy that no rule matches: {} ({}). A rule for the first would be:",
            bare.len(),
            some_of(bare, SHOWN)
        ));
    }
    told
}

/// A rule for a person to complete, as comments.
fn template(text: &mut String, group: &str, policies: &[Policy]) {
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    let (policy, choice) = match names.as_slice() {
        [] => ("POLICY", String::new()),
        [one] => (*one, String::new()),
        [first, ..] => (*first, format!("   # or: {}", escaped(&some_of(&names[1..], SHOWN)))),
    };
    let _ = write!(
        text,
        "# [[namespace.rule]]\n# name = {0}\n# enrollment_groups = [{0}]\n# policy = {1}{choice}\n",
        quoted(group),
        quoted(policy)
    );
}

fn key(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name} = {value}");
}

/// A list; one of several texts on lines of their own.
fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let quoted: Vec<String> = texts.map(quoted).collect();
    match quoted.as_slice() {
        [] | [_] => format!("[{}]", quoted.concat()),
        several if several.iter().map(String::len).sum::<usize>() < WIDTH / 2 => {
            format!("[{}]", several.join(", "))
        }
        several => format!("[\n    {},\n]", several.join(",\n    ")),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A text without what would end a string or a line, or what only seems to be something else: letters and digits stay, and
/// what ASCII can print; everything else is an escape of TOML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            ' '..='~' => escaped.push(character),
            _ if character.is_alphanumeric() => escaped.push(character),
            _ => {
                let _ = write!(escaped, "\\U{:08X}", u32::from(character));
            }
        }
    }
    escaped
}

/// A comment on lines of about [`WIDTH`] characters.
fn comment(text: &mut String, words: &str) {
    let mut width = WIDTH;
    for word in words.split_whitespace() {
        let word = escaped_word(word);
        let length = word.chars().count();
        if width + 1 + length > WIDTH {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push('#');
            width = 1;
        }
        text.push(' ');
        text.push_str(&word);
        width += 1 + length;
    }
    text.push('\n');
}

/// In a comment a quote is a quote.
fn escaped_word(word: &str) -> String {
    escaped(word).replace("\\\"", "\"")
}
