//! The page of figures: `docs/performance.md`. What a campaign measured is written between two markers, with the machine and
//! the commit that it was measured on; what is around them is written by people.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::CampaignError;

/// A table in Markdown, which a terminal shows as well.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(ToOwned::to_owned).to_vec()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if index == 0 {
                writeln!(f, "|{}", "---|".repeat(row.len()))?;
            }
        }
        Ok(())
    }
}

fn opening(name: &str) -> String {
    format!("<!-- figures of `cargo xtask bench {name} --write` -->")
}

const CLOSING: &str = "<!-- end of these figures -->";

/// Writes the figures of a campaign into the page.
///
/// # Errors
/// When the page cannot be read or written, or has no place for them.
pub fn write(page: &Path, name: &str, figures: &str) -> Result<(), CampaignError> {
    let place = || page.display().to_string();
    let text = std::fs::read_to_string(page).map_err(CampaignError::file(place()))?;
    let text = replaced(&text, name, figures)
        .ok_or_else(|| CampaignError::unanswered(place(), format!("it has no line {}", opening(name))))?;
    std::fs::write(page, text).map_err(CampaignError::file(place()))
}

fn replaced(text: &str, name: &str, figures: &str) -> Option<String> {
    let opening = opening(name);
    let (before, rest) = text.split_once(&opening)?;
    let (_, after) = rest.split_once(CLOSING)?;
    Some(format!("{before}{opening}\n\n{}\n\n{CLOSING}{after}", figures.trim()))
}

/// What the figures were measured on, as a sentence.
pub fn measured_on(more: &[String]) -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!("Measured at {}", commit());
    let _ = write!(text, " on {processors} processors");
    let info = read("/proc/cpuinfo");
    if let Some(model) = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")) {
        let _ = write!(text, " ({})", model.1.trim());
    }
    let memory = read("/proc/meminfo");
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    if let Some(kibibytes) = memory.and_then(|memory| memory.parse::<f64>().ok()) {
        let _ = write!(text, ", {:.0} GB", kibibytes * 1024.0 / 1e9);
    }
    let kernel = read("/proc/sys/kernel/osrelease");
    if let Some(version) = kernel.trim().split('-').next().filter(|version| !version.is_empty()) {
        let _ = write!(text, ", Linux {version}");
    }
    for more in more {
        let _ = write!(text, ", {more}");
    }
    text + "."
}

/// The commit, and whether something was changed beside it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(id) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "an unknown commit".to_owned() };
    // The pages are where the figures go, and change nothing that is measured.
    let changed = git(&["status", "--porcelain", "--", ":/", ":!/docs", ":!/benches/instructions.json"]);
    match changed.as_deref() {
        Some("") => format!("commit `{id}`"),
        _ => format!("commit `{id}` with changes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/performance.md");
    /// The campaigns whose figures the page has.
    const SECTIONS: [&str; 6] = ["start", "invocation", "neighbour", "script", "report", "assign"];

    #[test]
    fn figures_replace_what_was_between_their_markers_and_nothing_else() {
        let page =
            format!("# A\n{}\nold\n{CLOSING}\nB\n{}\n{CLOSING}\n", opening("start"), opening("script"));
        let new = replaced(&page, "start", "| new |\n").unwrap();
        assert_eq!(new, page.replace("\nold\n", "\n\n| new |\n\n"));
        assert_eq!(replaced(&new, "start", "| new |").unwrap(), new);
        assert_eq!(replaced(&page, "neighbour", "x"), None);
    }

    #[test]
    fn the_page_has_the_figures_of_each_campaign_or_says_that_they_are_missing() {
        for name in SECTIONS {
            let (_, rest) = PAGE.split_once(&opening(name)).expect(name);
            let (figures, _) = rest.split_once(CLOSING).expect(name);
            let are_there = figures.contains("Measured at commit `") && figures.contains("\n|---|");
            assert!(are_there || figures.trim().starts_with("Not measured yet: "), "{name}");
        }
        assert_eq!(PAGE.matches("<!-- figures of ").count(), SECTIONS.len());
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(["", "a"]);
        table.row(vec!["b".to_owned(), "1".to_owned()]);
        assert_eq!(table.to_string(), "|  | a |\n|---|---|\n| b | 1 |\n");
    }

    #[test]
    fn the_machine_and_the_commit_are_named() {
        let text = measured_on(&["Node.js 20".to_owned()]);
        assert!(text.starts_with("Measured at ") && text.ends_with(", Node.js 20."), "{text}");
    }
}
