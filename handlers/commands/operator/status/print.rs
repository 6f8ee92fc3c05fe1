//! Prints the report for a person on a terminal: the verdict first, then what was not checked, the findings, the figures.

use std::collections::BTreeSet;

use certificate_management::ArmId;
use certificate_management::plural::{agreeing, count};
use certificate_management::reason::Severity;
use certificate_management::report::{CheckNotMade, Finding, Report, WaitingMessages};

use super::Looked;
use crate::commands::moment::minute;
use crate::commands::screen::Screen;
use crate::commands::table::Table;
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

/// How many findings are printed; `--output json` has them all.
const SHOWN: usize = 100;

pub fn screen(looked: &Looked) -> Screen {
    let Looked { report, uncounted } = looked;
    let names = Names::of(report);
    let mut screen = Screen::verdict(tone(looked), verdict(looked));
    for text in not_made(report, uncounted.as_deref()) {
        screen = screen.text(text);
    }
    screen = screen.table(findings(report.findings.iter().take(SHOWN), &names));
    if report.findings.len() > SHOWN {
        screen = screen.text(format!("… and {} more: --output json", report.findings.len() - SHOWN));
    }
    if report.kill_switch {
        screen =
            screen.text("POLICYSYNC_MODE=audit is set: no function writes, whatever the configuration says.");
    }
    if let Some(waiting) = report.waiting.as_ref().filter(|waiting| self::waiting(waiting) > 0) {
        screen = screen.text(messages(waiting));
    }
    screen.text(counts(report))
}

/// How many messages are known to wait for a person.
pub fn waiting(messages: &WaitingMessages) -> usize {
    messages.parked + messages.dead_letters.map_or(0, |letters| letters.count)
}

/// The messages that wait for a person: how many, since when, and what shows them.
fn messages(messages: &WaitingMessages) -> String {
    let more = |is_cut: bool| if is_cut { " at least" } else { "" };
    let mut parts = Vec::new();
    if messages.parked > 0 || messages.is_cut {
        let since = messages.listed.first();
        let since =
            since.map_or_else(String::new, |first| format!(", the first since {}", minute(first.since)));
        let parked = count(messages.parked, "parked message");
        parts.push(format!("{parked}{}{since}", more(messages.is_cut)));
    }
    if let Some(letters) = messages.dead_letters.filter(|letters| letters.count > 0) {
        parts.push(format!("{}{}", count(letters.count, "dead letter"), more(letters.is_cut)));
    }
    format!("Messages that wait for a person: {}.\n→ `policysync parked list` shows them.", parts.join("; "))
}

fn tone(looked: &Looked) -> Tone {
    let Looked { report, uncounted } = looked;
    let counts = &report.summary.findings;
    let waits = report.waiting.as_ref().is_some_and(|messages| waiting(messages) > 0);
    let is_whole = report.checks_not_made.is_empty() && report.waiting.is_some() && uncounted.is_none();
    match (counts.critical, counts.warning, waits || !is_whole) {
        (0, 0, false) => Tone::Good,
        (0, ..) => Tone::Caution,
        _ => Tone::Bad,
    }
}

/// The whole in a sentence. Where something was not looked at, nothing is said to be well.
pub fn verdict(looked: &Looked) -> String {
    let Looked { report, uncounted } = looked;
    let counts = &report.summary.findings;
    let mut found = Vec::new();
    if counts.critical > 0 {
        found.push(format!("{} critical", counts.critical));
    }
    if counts.warning > 0 {
        found.push(count(counts.warning, "warning"));
    }
    let messages = report.waiting.as_ref().map_or(0, waiting);
    if messages > 0 {
        found.push(format!("{} {}", count(messages, "message"), agreeing(messages, "waits", "wait")));
    }
    let left_out = match report.checks_not_made.len() {
        0 => String::new(),
        checks => format!(" {} {} not made.", count(checks, "check"), agreeing(checks, "was", "were")),
    };
    let is_whole = left_out.is_empty() && report.waiting.is_some() && uncounted.is_none();
    match (found.is_empty(), is_whole) {
        (true, true) => "Nothing needs a person.".to_owned(),
        (true, false) => format!("Nothing was found.{left_out}"),
        (false, _) if (1..report.findings.len()).contains(&counts.causes) => {
            let causes = count(counts.causes, "cause");
            format!("{}; {causes} in all.{left_out}", found.join(", "))
        }
        (false, _) => format!("{}.{left_out}", found.join(", ")),
    }
}

/// What was not looked at, a line for each cause: checks by their codes, and messages that may wait.
fn not_made<'r>(report: &'r Report, uncounted: Option<&'r str>) -> impl Iterator<Item = String> {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut add = |what: &'r str, why: &'r str| match causes.iter_mut().find(|(known, _)| *known == why) {
        Some((_, all)) => all.push(what),
        None => causes.push((why, vec![what])),
    };
    for CheckNotMade { check, why } in &report.checks_not_made {
        add(check.code(), why);
    }
    if report.waiting.is_none() {
        let why = report.checks_not_made.first().map(|first| first.why.as_str());
        add(
            "parked messages and dead letters",
            why.unwrap_or("their notes among the records could not be read"),
        );
    }
    if let Some(why) = uncounted {
        add("dead letters", why);
    }
    causes.into_iter().map(|(why, all)| {
        format!("Not checked: {}. Why: {}.", all.join(", "), line(why).trim_end_matches('.'))
    })
}

fn findings<'f>(findings: impl Iterator<Item = &'f Finding>, names: &Names<'_>) -> Table {
    let row = |finding: &Finding| {
        let [subject, message, next_step] = words(finding, names);
        vec![
            severity(finding.severity),
            format!("{}{}\n{subject}", names.mark(finding), finding.check),
            format!("{message}\n→ {next_step}"),
        ]
    };
    Table::of(&["severity", "check, subject", "what, and what next"], findings.map(row))
        .titled(2)
        .unlabelled()
        .states(0)
}

/// The subject, the message and the next step, with names where they are enough.
fn words(finding: &Finding, names: &Names<'_>) -> [String; 3] {
    let short = |text: &str| names.in_place_of_ids(&line(text));
    // Our commands take the name of a namespace; those of `az` take its id.
    let next_step = match finding.next_step.contains("az r") {
        true => line(&finding.next_step),
        false => short(&finding.next_step),
    };
    [short(&finding.subject.text), short(&finding.message), next_step]
}

fn severity(severity: Severity) -> String {
    match severity {
        // Capitals beside the colour, since logs of pipelines have no colours.
        Severity::Critical => "CRITICAL".to_owned(),
        other => other.to_string(),
    }
}

/// What is known of a report beside one finding.
struct Names<'r> {
    /// The namespaces whose name alone says which one is meant.
    ids: Vec<&'r ArmId>,
    /// The findings that follow from another one, which stands right before them.
    follows: BTreeSet<&'r str>,
}

impl<'r> Names<'r> {
    fn of(report: &'r Report) -> Self {
        let is_only = |id: &&ArmId| {
            let same = report.lines.iter().filter(|line| line.name().eq_ignore_ascii_case(id.name()));
            same.count() == 1
        };
        let follows = report.causes.iter().flat_map(|cause| &cause.follows).map(String::as_str);
        Self {
            ids: report.lines.iter().map(|line| &line.id).filter(is_only).collect(),
            follows: follows.collect(),
        }
    }

    /// What stands before a finding that follows from the one above it.
    fn mark(&self, finding: &Finding) -> &'static str {
        if self.follows.contains(finding.id.as_str()) { "└ " } else { "" }
    }

    fn in_place_of_ids(&self, text: &str) -> String {
        let ids = self.ids.iter().filter(|id| text.contains(id.as_str()));
        let mut ids: Vec<&&ArmId> = ids.collect();
        // An id may be the beginning of another one.
        ids.sort_by_key(|id| std::cmp::Reverse(id.as_str().len()));
        ids.into_iter().fold(text.to_owned(), |text, id| text.replace(id.as_str(), id.name()))
    }
}

/// The parts that are not 0.
fn some_of(parts: &[(usize, &str)]) -> String {
    let some: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    some.join(", ")
}

fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let (trust, groups, findings) = (&summary.trust, &summary.enrollment_groups, &summary.findings);
    let pairs = trust.trusted + trust.leftover + trust.stale + trust.missing + trust.unreadable;
    let unreadable = match summary.unreadable_namespaces {
        0 => String::new(),
        some => format!(" ({some} unreadable)"),
    };
    let mut lines = vec![format!(
        "{}{unreadable}, {}, {}: {} of {} trusted",
        count(summary.namespaces, "namespace"),
        count(summary.policies, "policy"),
        count(summary.hubs, "hub"),
        trust.trusted + trust.leftover,
        count(pairs, "pair"),
    )];
    let standing = some_of(&[
        (groups.assigned, "assigned"),
        (groups.unassigned, "unassigned"),
        (groups.waiting, "waiting"),
        (groups.dangling, "dangling"),
        (groups.opted_out, "opted out"),
    ]);
    let standing = if standing.is_empty() { standing } else { format!(": {standing}") };
    lines.push(format!("{}{standing}", count(groups.total, "enrollment group")));
    let further = some_of(&[(findings.information, "for information"), (findings.suppressed, "suppressed")]);
    lines.extend((!further.is_empty()).then(|| format!("findings beside those: {further}")));
    let under_way = summary.requests_in_flight.filter(|requests| *requests > 0);
    lines.extend(under_way.map(|requests| format!("{} under way", count(requests, "sync request"))));
    lines.join("\n")
}
