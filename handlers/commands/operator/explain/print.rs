//! Prints an explanation for a person and for a program. The JSON is `explanation/v1`: later versions add members, and
//! never change one.

use certificate_management::configuration::Mode;
use certificate_management::milestones::{self, Milestone};
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::reason::Reason;
use certificate_management::reference;
use serde_json::{Value, json};

use super::{Explained, Restraint, Source};
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

/// Prints the explanation in the format that was asked for.
pub(super) fn show(explained: &Explained<'_>, output: Output) {
    match output {
        Output::Json => say!("{}", json(explained)),
        Output::Table => screen(explained).print(),
    }
}

/// For a program.
pub(super) fn json(explained: &Explained<'_>) -> String {
    table::json(&document(explained))
}

/// Rules after the one that decided, or every rule where none was tried.
fn not_tried<'a>(explained: &Explained<'a>) -> impl Iterator<Item = &'a str> {
    let tried = explained.plan.decision.tried.len();
    explained.namespace.rules.iter().skip(tried).map(|rule| rule.name.as_str())
}

/// Whether a function does what the plan says.
fn functions_write(explained: &Explained<'_>) -> bool {
    explained.mode == Mode::Enforce && explained.restraint.reason().is_none()
}

/// What the group waits for says best what comes next.
fn next_step(explained: &Explained<'_>) -> String {
    let situation = Situation::of(explained.namespace, explained.kill_switch, Caller::Person)
        .in_generation(explained.generation)
        .at(explained.now);
    if let (Some((reason, _)), Some(_), Mode::Enforce) =
        (explained.restraint.reason(), &explained.plan.write, explained.mode)
    {
        return next_step::of(reason, &situation);
    }
    let waits_for = milestones::waits_for(&explained.milestones);
    if let Some(next_step) = waits_for.and_then(|milestone| milestone.next_step.clone()) {
        return next_step;
    }
    if explained.plan.write.is_some() && explained.source == Source::Described && functions_write(explained) {
        return "Azure was not looked at: `policysync check` says whether the policies that rules name exist."
            .to_owned();
    }
    let reason = match explained.plan.write {
        // A group that does not exist yet is written when it does.
        Some(_) if explained.source == Source::Live || !functions_write(explained) => Reason::GroupUnassigned,
        _ => explained.plan.reason,
    };
    next_step::of(reason, &situation)
}

fn document(explained: &Explained<'_>) -> Value {
    let Explained {
        namespace, mode, provisioning_service, source, subject, plan, restraint, milestones, ..
    } = explained;
    json!({
        "schema": "explanation/v1",
        "enrollmentGroup": subject.id,
        "provisioningService": provisioning_service,
        "namespaceId": namespace.id,
        "mode": mode,
        "source": source,
        "facts": subject,
        "verdict": plan.decision.verdict,
        "policy": plan.decision.verdict.policy(),
        "tried": plan.decision.tried,
        "notTried": not_tried(explained).collect::<Vec<_>>(),
        "plan": {
            "before": plan.before,
            "write": plan.write,
            "functionsWrite": plan.write.is_some() && functions_write(explained),
            "reason": plan.reason,
            "severity": plan.reason.severity(),
            "detail": plan.detail,
            "untrustingHubs": plan.untrusting_hubs,
            "nextStep": next_step(explained),
        },
        "hold": restraint.hold,
        "holdUnknown": restraint.hold_unknown,
        "freeze": restraint.freeze,
        "milestones": milestones,
        "waitsFor": milestones::waits_for(milestones).map(|milestone| milestone.step),
    })
}

/// For a person: what comes of it first, then why.
pub(super) fn screen(explained: &Explained<'_>) -> Screen {
    let plan = &explained.plan;
    let mut rows = Vec::new();
    for tried in &plan.decision.tried {
        let result = if tried.matched { "matches" } else { "no match" };
        let (mut name, mut result) = (tried.rule.clone(), result.to_owned());
        for selector in &tried.selectors {
            let mark = if selector.matched { "✓" } else { "✗" };
            rows.push(vec![
                std::mem::take(&mut name),
                std::mem::take(&mut result),
                format!("{mark} {}", selector.selector),
                selector.why.clone(),
            ]);
        }
    }
    let why_not =
        if plan.reason == Reason::OptedOut { "the group has opted out" } else { "a rule before it matched" };
    for rule in not_tried(explained) {
        rows.push(vec![rule.to_owned(), "not tried".to_owned(), String::new(), why_not.to_owned()]);
    }
    if rows.is_empty() {
        rows.push(vec!["(there are no rules)".to_owned(), String::new(), String::new(), String::new()]);
    }
    let (tone, verdict) = verdict(explained);
    let header = ["rule", "result", "selector", "why"];
    Screen::verdict(tone, verdict)
        .table(Table::of(&["outcome", ""], outcome(explained)))
        .table(Table::of(&header, rows).states(1))
        .table(
            Table::of(
                &["way to the policy", "", "why, and what comes next"],
                explained.milestones.iter().map(milestone),
            )
            .titled(2)
            .unlabelled()
            .states(1),
        )
        .table(Table::of(&["fact", ""], facts(explained)))
}

/// What a function would do with the group, in one sentence.
fn verdict(explained: &Explained<'_>) -> (Tone, String) {
    let plan = &explained.plan;
    let group = line(&explained.subject.id);
    let policy = plan.decision.verdict.policy().map(line);
    match (&plan.write, policy) {
        (Some(write), _) if functions_write(explained) => {
            (Tone::Strong, format!("{group} gets `{}`.", shown(explained, write)))
        }
        (Some(write), _) => (
            Tone::Caution,
            format!("{group} would get `{}`, and nothing writes it now.", shown(explained, write)),
        ),
        (None, Some(policy)) if plan.reason == Reason::AlreadyAssigned => {
            (Tone::Good, format!("{group} has `{policy}`, as the rules say."))
        }
        (None, Some(policy)) => {
            (Tone::Caution, format!("{group} should have `{policy}`, and is not given it: {}.", plan.reason))
        }
        (None, None) => (Tone::Strong, format!("{group} is given no policy: {}.", plan.reason)),
    }
}

/// A policy as people of the namespace write it.
fn shown(explained: &Explained<'_>, policy: &str) -> String {
    line(reference::shown(policy, explained.namespace.id.name()))
}

fn milestone(milestone: &Milestone) -> Vec<String> {
    let next_step = milestone.next_step.as_ref().map(|next| format!("\n→ {}", line(next)));
    let why = format!("{}{}", line(&milestone.why), next_step.unwrap_or_default());
    vec![milestone.step.to_string(), milestone.state.to_string(), why]
}

fn facts(explained: &Explained<'_>) -> Vec<Vec<String>> {
    let subject = &explained.subject;
    let unknown = || "not known".to_owned();
    let source = match explained.source {
        Source::Live => "read from Azure",
        Source::Absent => "does not exist; describe it with --tags, --attestation and --hubs",
        Source::Described => "as described; Azure was not looked at",
    };
    // A twin may hold thousands of tags; the rows of the rules name those that they select by.
    const SHOWN_TAGS: usize = 12;
    let mut tags: Vec<String> = subject
        .tags
        .iter()
        .take(SHOWN_TAGS)
        .map(|(name, value)| format!("{} = {}", line(name), short(value)))
        .collect();
    if subject.tags.len() > SHOWN_TAGS {
        tags.push(format!("and {} more", subject.tags.len() - SHOWN_TAGS));
    }
    let pairs = [
        ("group", format!("{} ({source})", line(&subject.id))),
        ("provisioning service", explained.provisioning_service.clone().unwrap_or_else(unknown)),
        ("namespace", explained.namespace.id.name().to_owned()),
        ("tags", if tags.is_empty() { "none".to_owned() } else { tags.join("\n") }),
        ("attestation", subject.attestation.map_or_else(unknown, |kind| kind.to_string())),
        ("hubs", if subject.hubs.is_empty() { unknown() } else { subject.hubs.join("\n") }),
        ("enabled", if subject.enabled { "yes" } else { "no" }.to_owned()),
    ];
    pairs.map(|(name, value)| vec![name.to_owned(), value]).to_vec()
}

/// A tag's value as JSON, which escapes what a terminal would obey, on one short line.
fn short(value: &Value) -> String {
    let text = value.to_string();
    let mut shown: String = text.chars().take(80).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The reason, of a group that would be written and is not because of a hold, a freeze or the mode the same as in the report.
fn reason(explained: &Explained<'_>) -> String {
    let plan = &explained.plan;
    let told = |reason: Reason, detail: &str| format!("{reason} ({}): {detail}", reason.severity());
    match explained.restraint.reason() {
        Some((reason, why)) if plan.write.is_some() => {
            told(reason, &format!("{}; {}", plan.detail, line(why)))
        }
        None if plan.write.is_some() && explained.mode == Mode::Audit => {
            told(Reason::AuditMode, &plan.detail)
        }
        _ => told(plan.reason, &plan.detail),
    }
}

fn outcome(explained: &Explained<'_>) -> Vec<Vec<String>> {
    let plan = &explained.plan;
    let before = plan.before.as_deref().map_or("none".to_owned(), |policy| shown(explained, policy));
    let write = plan.write.as_deref().map(|policy| shown(explained, policy));
    let write = match (write, explained.source) {
        (None, _) => "writes nothing".to_owned(),
        (Some(policy), _) if explained.mode == Mode::Audit => {
            let because = match explained.kill_switch {
                true => "POLICYSYNC_MODE=audit is set",
                false => "the namespace is in audit mode",
            };
            format!("would write `{policy}` (now: {before}), but {because}")
        }
        (Some(policy), _) if explained.restraint.hold.is_some() => {
            format!("would write `{policy}` (now: {before}), but the group is held")
        }
        (Some(policy), _) if explained.restraint.freeze.is_some() => {
            format!("would write `{policy}` (now: {before}), but it is frozen")
        }
        (Some(policy), Source::Live) => format!("writes `{policy}` (now: {before})"),
        (Some(policy), _) => {
            format!(
                "writes `{policy}` once the group exists, the namespace has the policy and its hubs trust it"
            )
        }
    };
    let rows = [
        ("verdict", plan.decision.verdict.to_string()),
        ("plan", write),
        ("reason", reason(explained)),
        ("next step", next_step(explained)),
    ];
    let mut rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
    let Restraint { hold, hold_unknown, freeze } = &explained.restraint;
    for (name, why) in [("held", hold), ("held", hold_unknown), ("freeze", freeze)] {
        let Some(why) = why else { continue };
        let why = match name {
            "held" if hold.is_none() => format!("not known: {why}"),
            _ => why.clone(),
        };
        rows.push(vec![name.to_owned(), line(&why)]);
    }
    if let Some(milestone) = milestones::waits_for(&explained.milestones) {
        rows.push(vec!["waits for".to_owned(), format!("{}: {}", milestone.step, line(&milestone.why))]);
    }
    rows
}
