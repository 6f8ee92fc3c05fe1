//! A line for each namespace, to compare them by.

use certificate_management::configuration::{Addresses, Mode};
use certificate_management::report::{NamespaceLine, Need, Report};
use time::OffsetDateTime;

use super::links::Links;
use super::words;

/// So few namespaces that are in order are not folded away.
const FEW: usize = 5;

/// One namespace.
pub struct Line {
    pub name: String,
    /// To all there is to know of it, on this page or on another.
    pub link: String,
    pub mode: &'static str,
    /// What its findings come to.
    pub state: String,
    pub class: &'static str,
    pub is_unreadable: bool,
    /// How many pairs of hub and policy admit devices of the current CA, of how many.
    pub trusting: Share,
    /// How many enrollment groups have a policy, of how many that should.
    pub assigned: Share,
    /// Its next CA to end.
    pub next_end: Option<(String, String)>,
    /// When it was looked at, UTC.
    pub seen: String,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    pub part: usize,
    pub whole: usize,
}

impl Share {
    pub fn is_whole(self) -> bool {
        self.part == self.whole
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", words::thousands(self.part as u64), words::thousands(self.whole as u64))
    }
}

/// Those that are not in order, the most urgent first, and the others, which are folded away where there are more than a few.
pub struct Lines {
    pub urgent: Vec<Line>,
    pub healthy: Vec<Line>,
    /// How many of those that are in order are folded away.
    pub folded: Option<String>,
}

impl Lines {
    pub fn of(report: &Report, links: &Links) -> Self {
        let addresses = Addresses::of(report.lines.iter().map(|line| &line.id));
        let are_here = report.namespaces.len() == report.lines.len();
        let mut lines: Vec<(usize, &NamespaceLine)> = report.lines.iter().enumerate().collect();
        lines.sort_by_key(|(_, line)| line.urgency());
        let (mut urgent, mut healthy) = (Vec::new(), Vec::new());
        for (place, line) in lines {
            let link = if are_here {
                format!("#n{}", place + 1)
            } else {
                links.namespace(&addresses.address(&line.id))
            };
            let list = if line.need() == Need::None { &mut healthy } else { &mut urgent };
            list.push(Line::of(line, link, report.generated_at));
        }
        let folded = (healthy.len() > FEW).then(|| words::count(healthy.len(), "namespace"));
        if folded.is_none() {
            urgent.append(&mut healthy);
        }
        Self { urgent, healthy, folded }
    }

    pub fn are_none(&self) -> bool {
        self.urgent.is_empty() && self.healthy.is_empty()
    }
}

impl Line {
    fn of(line: &NamespaceLine, link: String, made: OffsetDateTime) -> Self {
        let (state, class) = state(line);
        Self {
            name: words::name(line.name()),
            link,
            mode: match line.mode {
                Mode::Audit => "audit",
                Mode::Enforce => "enforce",
            },
            state,
            class,
            is_unreadable: line.is_unreadable,
            trusting: Share { part: line.trusting, whole: line.pairs },
            assigned: Share { part: line.assigned, whole: line.groups },
            // The days that are left are those of the report, so that every part of the page counts the same ones.
            next_end: line.next_end.map(|end| (words::date(end), words::days((end - made).whole_days()))),
            seen: line.seen_at.map_or_else(|| "not yet".to_owned(), words::minute),
        }
    }
}

/// What the findings about a namespace come to.
pub fn state(line: &NamespaceLine) -> (String, &'static str) {
    match (line.critical, line.warning) {
        (0, 0) if line.is_unreadable => ("unknown".to_owned(), "unknown"),
        (0, 0) => ("in order".to_owned(), "good"),
        (0, warnings) => (words::count(warnings, "warning"), "fair"),
        (critical, 0) => (format!("{} critical", words::thousands(critical as u64)), "bad"),
        (critical, warnings) => (
            format!("{} critical, {}", words::thousands(critical as u64), words::count(warnings, "warning")),
            "bad",
        ),
    }
}
