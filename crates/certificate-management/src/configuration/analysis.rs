//! Finds rules that cannot do what they were written for. `check` reports them; they do not keep the app from starting.
//!
//! A rule that is hidden, or that names a policy that does not exist, does no harm while it waits to be corrected; a
//! process that refuses to start would. Each problem that is told here is proven.

use super::lines::Lines;
use super::problem::{Check, Problem};
use super::validate::subject;
use super::{Configuration, NamespaceConfiguration, overlap};

/// Rules that never match, because an earlier rule of the namespace matches everything that they do; and pairs of
/// rules that select the same and name different policies.
#[must_use]
pub fn rule_order(configuration: &Configuration, lines: &Lines) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, namespace) in configuration.namespaces.iter().enumerate() {
        for (later, rule) in namespace.rules.iter().enumerate() {
            let earlier_rules = || namespace.rules[..later].iter().enumerate();
            let same = earlier_rules().find(|(_, earlier)| {
                overlap::selects_the_same(earlier, rule) && earlier.policy != rule.policy
            });
            let hiding = || earlier_rules().find(|(_, earlier)| overlap::subsumes(earlier, rule));
            let (message, next_step) = if let Some((at, earlier)) = same {
                let message = format!(
                    "it selects exactly what rule `{}`{} selects, but names `{}` instead of `{}`; the earlier one wins",
                    earlier.name,
                    on_line(lines.rule(index, at)),
                    rule.policy,
                    earlier.policy
                );
                (message, "Keep the one that is meant.")
            } else if let Some((at, earlier)) = hiding() {
                let message = format!(
                    "it can never match: rule `{}`{} comes first and matches everything that this one does",
                    earlier.name,
                    on_line(lines.rule(index, at))
                );
                (message, "Put the narrower rule first, or delete it.")
            } else {
                continue;
            };
            problems.push(Problem {
                check: Check::RuleOrder,
                line: lines.rule(index, later),
                subject: subject(namespace, Some(&rule.name)),
                message,
                next_step: next_step.to_owned(),
            });
        }
    }
    problems
}

/// Rules, and a default, that name a policy which is not among `existing`: the names of the namespace's policies.
#[must_use]
pub fn unknown_policies(
    configuration: &Configuration,
    namespace: usize,
    existing: &[String],
    lines: &Lines,
) -> Vec<Problem> {
    let Some(wanted) = configuration.namespaces.get(namespace) else { return Vec::new() };
    // A rule may name a policy of a certificate authority by its own name too, where only one authority has a policy of
    // that name.
    let own_name = |known: &str| known.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let alike =
        |name: &str| existing.iter().filter(|known| own_name(known) == name.to_ascii_lowercase()).count();
    let is_full = |name: &str| existing.iter().any(|known| known.eq_ignore_ascii_case(name));
    let exists = |name: &str| {
        let is_replaced = wanted.migration(name).is_some_and(|migration| is_full(&migration.to));
        is_full(name) || alike(name) == 1 || is_replaced
    };
    let mut problems = Vec::new();
    let mut unknown = |line, rule: Option<&str>, policy: &str| {
        let (message, next_step) = explain_unknown(wanted, policy, existing);
        problems.push(Problem {
            check: Check::RulePolicies,
            line,
            subject: subject(wanted, rule),
            message,
            next_step,
        });
    };
    for (index, rule) in wanted.rules.iter().enumerate() {
        if let Some(policy) = rule.policy_name().filter(|policy| !exists(policy)) {
            unknown(lines.rule_key(namespace, index, "policy"), Some(&rule.name), policy);
        }
    }
    if let Some(policy) = wanted.default_policy_name().filter(|policy| !exists(policy)) {
        unknown(lines.namespace_key(namespace, "default_policy"), None, policy);
    }
    for migration in wanted.migrations.iter().filter(|migration| !is_full(&migration.to)) {
        unknown(lines.namespace_key(namespace, "migration"), None, &migration.to);
    }
    problems
}

fn explain_unknown(
    namespace: &NamespaceConfiguration,
    policy: &str,
    existing: &[String],
) -> (String, String) {
    let is_declared = namespace.policies.iter().any(|known| known.full_name().eq_ignore_ascii_case(policy));
    if is_declared {
        let message =
            format!("policy `{policy}` is declared in this file, but the namespace does not have it yet");
        return (message, "`policysync policies apply` shows what it would create.".to_owned());
    }
    let is_own_name =
        |known: &&String| known.rsplit('/').next().is_some_and(|own| own.eq_ignore_ascii_case(policy));
    let alike: Vec<&str> = existing.iter().filter(is_own_name).map(String::as_str).collect();
    if alike.len() > 1 {
        let message = format!("policy `{policy}` may be {}", alike.join(" or "));
        return (message, "Write it as `authority/policy`.".to_owned());
    }
    let names = if existing.is_empty() { "none".to_owned() } else { existing.join(", ") };
    let message = format!("it names policy `{policy}`, which the namespace does not have (it has: {names})");
    (message, "Correct the name, or create the policy in the namespace.".to_owned())
}

fn on_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line})"))
}
