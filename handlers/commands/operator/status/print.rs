//! Prints the report for a person on a terminal: the verdict first, then what was not checked, the findings, the figures. It fits
//! the width: rows of a table where there is room, and else stacked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use certificate_management::ArmId;
use certificate_management::reason::Severity;
use certificate_management::report::{CheckNotMade, Finding, Report};

use crate::commands::table;
use crate::commands::terminal::line;

/// From so many characters on, the findings are rows of a table.
const ROOM_FOR_TABLE: usize = 110;
/// Width of the columns before the one with sentences, in characters.
const CHECK_WIDTH: usize = 36;
/// What the severity and the space between columns take.
const BESIDE: usize = 18;
/// How far what belongs to a finding is indented where findings are stacked.
const INDENT: &str = "  ";
/// How many findings are printed; `--output json` has them all.
const SHOWN: usize = 100;

pub fn text(report: &Report, width: usize) -> String {
    let names = Names::of(report);
    let mut parts = vec![table::wrapped(&verdict(report), width)];
    parts.extend(not_made(&report.checks_not_made).map(|text| table::wrapped(&text, width)));
    if !report.findings.is_empty() {
        let shown = report.findings.iter().take(SHOWN);
        parts.push(match width < ROOM_FOR_TABLE {
            true => shown.map(|finding| stacked(finding, &names, width)).collect::<Vec<_>>().join("\n\n"),
            false => rows(shown, &names, width),
        });
    }
    if report.findings.len() > SHOWN {
        parts.push(format!("… and {} more: --output json", report.findings.len() - SHOWN));
    }
    if report.kill_switch {
        let text = "POLICYSYNC_MODE=audit is set: no function writes, whatever the configuration says.";
        parts.push(table::wrapped(text, width));
    }
    parts.push(counts(report, width));
    parts.join("\n\n")
}

/// The whole in a sentence. Where something was not looked at, nothing is said to be well.
fn verdict(report: &Report) -> String {
    let counts = &report.summary.findings;
    let mut found = Vec::new();
    if counts.critical > 0 {
        found.push(format!("{} critical", counts.critical));
    }
    if counts.warning > 0 {
        found.push(count(counts.warning, "warning"));
    }
    let left_out = match report.checks_not_made.len() {
        0 => String::new(),
        checks => format!(" {} not made.", count_of(checks, "check was", "checks were")),
    };
    match (found.is_empty(), left_out.is_empty()) {
        (true, true) => "Nothing needs a person.".to_owned(),
        (true, false) => format!("Nothing was found.{left_out}"),
        (false, _) if (1..report.findings.len()).contains(&counts.causes) => {
            let causes = count(counts.causes, "cause");
            format!("{}; {causes} in all.{left_out}", found.join(", "))
        }
        (false, _) => format!("{}.{left_out}", found.join(", ")),
    }
}

/// Which checks were not made, a line for each cause.
fn not_made(checks: &[CheckNotMade]) -> impl Iterator<Item = String> {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    for CheckNotMade { check, why } in checks {
        match causes.iter_mut().find(|(known, _)| known == why) {
            Some((_, checks)) => checks.push(check.code()),
            None => causes.push((why, vec![check.code()])),
        }
    }
    causes.into_iter().map(|(why, checks)| format!("Not checked: {}. Why: {}.", checks.join(", "), line(why)))
}

fn stacked(finding: &Finding, names: &Names<'_>, width: usize) -> String {
    let room = width.saturating_sub(INDENT.len());
    let [subject, message, next_step] = words(finding, names);
    let below = [subject, message, format!("→ {next_step}")];
    let mut text = format!("{}{}  {}", names.mark(finding), severity(finding.severity), finding.check);
    for part in below {
        for row in table::wrapped(&part, room).lines() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{INDENT}{row}");
        }
    }
    text
}

fn rows<'f>(findings: impl Iterator<Item = &'f Finding>, names: &Names<'_>, width: usize) -> String {
    let room = width.saturating_sub(CHECK_WIDTH + BESIDE);
    let row = |finding: &Finding| {
        let [subject, message, next_step] = words(finding, names);
        vec![
            severity(finding.severity),
            format!("{}{}\n{}", names.mark(finding), finding.check, table::wrapped(&subject, CHECK_WIDTH)),
            format!(
                "{}\n{}",
                table::wrapped(&message, room),
                table::wrapped(&format!("→ {next_step}"), room)
            ),
        ]
    };
    table::table(&["severity", "check, subject", "what, and what next"], findings.map(row).collect())
}

/// The subject, the message and the next step, with names where they are enough.
fn words(finding: &Finding, names: &Names<'_>) -> [String; 3] {
    [&finding.subject.text, &finding.message, &finding.next_step]
        .map(|text| names.in_place_of_ids(&line(text)))
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

fn count(number: usize, noun: &str) -> String {
    count_of(number, noun, &format!("{noun}s"))
}

fn count_of(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
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

fn counts(report: &Report, width: usize) -> String {
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
        count_of(summary.policies, "policy", "policies"),
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
    lines.iter().map(|line| table::wrapped(line, width)).collect::<Vec<_>>().join("\n")
}
