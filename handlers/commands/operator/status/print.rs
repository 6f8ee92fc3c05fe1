//! Prints the report for a person on a terminal: first the findings, then the figures.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use certificate_management::reason::Severity;
use certificate_management::report::Report;

use crate::commands::table;
use crate::commands::terminal::line;

/// Widths of the columns that hold sentences, in characters.
const SUBJECT_WIDTH: usize = 36;
const MESSAGE_WIDTH: usize = 48;
const NEXT_STEP_WIDTH: usize = 48;
/// How many findings are printed; `--output json` has them all.
const SHOWN: usize = 100;

pub fn text(report: &Report) -> String {
    let mut text = String::new();
    if report.findings.is_empty() {
        text.push_str("Nothing needs a person.");
    } else {
        // The report has what follows from a cause right behind it.
        let follows: BTreeSet<&str> =
            report.causes.iter().flat_map(|cause| &cause.follows).map(String::as_str).collect();
        let rows = report.findings.iter().take(SHOWN).map(|finding| {
            let mark = if follows.contains(finding.id.as_str()) { "  └ " } else { "" };
            vec![
                format!("{mark}{}", finding.check),
                severity(finding.severity),
                table::wrapped(&line(&finding.subject.text), SUBJECT_WIDTH),
                table::wrapped(&finding.message, MESSAGE_WIDTH),
                table::wrapped(&finding.next_step, NEXT_STEP_WIDTH),
            ]
        });
        let header = ["check", "severity", "subject", "message", "next step"];
        text.push_str(&table::table(&header, rows.collect()));
    }
    // Writing to a string cannot fail.
    if report.findings.len() > SHOWN {
        let _ = write!(text, "\n… and {} more: --output json", report.findings.len() - SHOWN);
    }
    let _ = write!(text, "\n\n{}", counts(report));
    if report.kill_switch {
        text.push_str("\nPOLICYSYNC_MODE=audit is set: no function writes, whatever the configuration says.");
    }
    text
}

fn severity(severity: Severity) -> String {
    match severity {
        // Capitals beside the colour, since logs of pipelines have no colours.
        Severity::Critical => "CRITICAL".to_owned(),
        other => other.to_string(),
    }
}

fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let (trust, groups, findings) = (&summary.trust, &summary.enrollment_groups, &summary.findings);
    let pairs = trust.trusted + trust.leftover + trust.stale + trust.missing + trust.unreadable;
    format!(
        "{} namespaces ({} unreadable), {} policies, {} hubs: {} of {pairs} pairs trusted\n\
         {} enrollment groups: {} assigned, {} unassigned, {} waiting, {} dangling, {} opted out\n\
         {} critical, {} warnings, {} for information, {} suppressed; {} {} in all",
        summary.namespaces,
        summary.unreadable_namespaces,
        summary.policies,
        summary.hubs,
        trust.trusted + trust.leftover,
        groups.total,
        groups.assigned,
        groups.unassigned,
        groups.waiting,
        groups.dangling,
        groups.opted_out,
        findings.critical,
        findings.warning,
        findings.information,
        findings.suppressed,
        findings.causes,
        if findings.causes == 1 { "cause" } else { "causes" }
    )
}
