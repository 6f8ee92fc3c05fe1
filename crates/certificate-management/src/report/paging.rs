//! What of a report fits on a page. A fleet of a thousand namespaces is read in steps: the overview, the further pages of the
//! findings, and one namespace whole. A small fleet is read at once.

use serde::{Deserialize, Serialize};

use super::{Finding, Report, RequestActivity};
use crate::causes;

/// Up to so many namespaces are a small fleet, whose report has everything.
pub const DETAILED: usize = 10;
/// How many findings a page of a large fleet has.
pub const FINDINGS_ON_PAGE: usize = 80;
/// How many of what is counted in the summary, and has a finding or a namespace's own report besides, are listed.
const FIRST: usize = 20;
/// How many sync requests of each kind the overview of a large fleet lists.
const REQUESTS: usize = 15;

/// A page of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Its number, from 1 on.
    pub number: usize,
    /// How many pages there are.
    pub of: usize,
}

impl Page {
    /// The only page.
    pub const ONLY: Self = Self { number: 1, of: 1 };
}

impl Report {
    /// The overview with the first page of findings. A small fleet has everything on one page.
    #[must_use]
    pub fn overview(&self) -> Self {
        if self.is_of_small_fleet() {
            return self.clone();
        }
        let requests = self.requests.as_ref().map(|requests| RequestActivity {
            in_flight: first(&requests.in_flight, REQUESTS),
            recent: first(&requests.recent, REQUESTS),
        });
        let findings = first(&self.findings, FINDINGS_ON_PAGE);
        Self {
            schema: self.schema.clone(),
            generated_at: self.generated_at,
            oldest_data_at: self.oldest_data_at,
            kill_switch: self.kill_switch,
            summary: self.summary.clone(),
            page: Page { number: 1, of: self.findings.len().div_ceil(FINDINGS_ON_PAGE).max(1) },
            causes: causes::shared(&findings),
            findings,
            suppressed: first(&self.suppressed, FIRST),
            checks_not_made: self.checks_not_made.clone(),
            unread: first(&self.unread, FIRST),
            unseen: first(&self.unseen, FIRST),
            lines: self.lines.clone(),
            ends: self.ends.clone(),
            namespaces: Vec::new(),
            requests,
            held: self.held.clone(),
            runs: self.runs.clone(),
            waiting: self.waiting.clone(),
        }
    }

    /// The findings of the pages after the first.
    pub fn further_pages(&self) -> impl Iterator<Item = &[Finding]> {
        let first = if self.is_of_small_fleet() { self.findings.len() } else { FINDINGS_ON_PAGE };
        self.findings.get(first..).unwrap_or_default().chunks(FINDINGS_ON_PAGE)
    }

    fn is_of_small_fleet(&self) -> bool {
        self.lines.len() <= DETAILED
    }

    /// The same report with another page of its findings.
    #[must_use]
    pub fn with_page(self, number: usize, findings: Vec<Finding>) -> Self {
        Self { page: Page { number, ..self.page }, causes: causes::shared(&findings), findings, ..self }
    }
}

fn first<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    all.iter().take(most).cloned().collect()
}
