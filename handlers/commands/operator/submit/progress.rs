//! Shows a person how far a request is: a bar on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use certificate_management::request::{HubOutcome, Outcome, RequestRecord};

use super::trace_id;
use crate::commands::bar::Bar;
use crate::commands::table::{Output, Table};
use crate::commands::terminal::line;

/// How many hubs the bar names that are not done.
const NAMED: usize = 3;
/// The bar, in the words of `indicatif`.
const TEMPLATE: &str = "{spinner} {bar:24} {pos} of {len} trusted ({elapsed}) {msg}";

/// Shows how far a request is. Dropping it takes the bar away.
pub struct Progress {
    bar: Option<Bar>,
    /// Whether changes are printed as lines.
    prints_lines: bool,
    shown: BTreeMap<(String, String), Outcome>,
    outcome: Option<Outcome>,
}

impl Progress {
    /// Begins. A program that asks for JSON gets one document at the end; the bar goes to stderr anyway.
    pub fn start(record: &RequestRecord, output: Output, explanation: Option<&str>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| Bar::start(TEMPLATE, 0));
        let is_table = output == Output::Table;
        if is_table {
            say!("request {}", record.request.request_id);
            say!("trace   {}", trace_id(&record.request));
            if let Some(explanation) = explanation {
                say!("{explanation}");
            }
        }
        Self { prints_lines: is_table && bar.is_none(), bar, shown: BTreeMap::new(), outcome: None }
    }

    /// Shows what is new.
    pub fn show(&mut self, record: &RequestRecord) {
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(record.hubs.len()).unwrap_or(u64::MAX));
            bar.set_position(
                u64::try_from(record.hubs.iter().filter(|hub| is_trusted(hub)).count()).unwrap_or(u64::MAX),
            );
            bar.set_message(line(&message(record)));
        }
        for line in self.changes(record) {
            if self.prints_lines {
                say!("{line}");
            }
        }
    }

    fn changes(&mut self, record: &RequestRecord) -> Vec<String> {
        let mut lines = Vec::new();
        for hub in &record.hubs {
            let pair = (hub.hub.clone(), hub.policy.clone());
            if self.shown.insert(pair, hub.outcome) != Some(hub.outcome) {
                lines.push(format!("{}  {}  {}", hub.hub, hub.policy, hub.outcome));
            }
        }
        if self.outcome.replace(record.outcome) != Some(record.outcome) && record.hubs.is_empty() {
            lines.push(record.outcome.to_string());
        }
        lines
    }
}

fn is_trusted(hub: &HubOutcome) -> bool {
    matches!(hub.outcome, Outcome::AlreadyTrusted | Outcome::Trusted)
}

/// The request's outcome so far, and the first hubs that are not done.
fn message(record: &RequestRecord) -> String {
    let open: Vec<String> = record
        .hubs
        .iter()
        .filter(|hub| !is_trusted(hub))
        .map(|hub| format!("{} on {}", hub.policy, hub.hub))
        .collect();
    let more = if open.len() > NAMED { format!(" and {} more", open.len() - NAMED) } else { String::new() };
    let named = open.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let named = if named.is_empty() { named } else { format!(": {named}{more}") };
    format!("{}{named}", record.outcome)
}

/// The outcome of each hub, as a table.
pub fn hubs(record: &RequestRecord) -> Table {
    let row = |hub: &HubOutcome| {
        let thumbprint = hub.evidence.as_ref().and_then(|evidence| evidence.thumbprint.clone());
        vec![
            hub.hub.clone(),
            hub.policy.clone(),
            hub.outcome.to_string(),
            hub.reason.map_or_else(String::new, |reason| reason.to_string()),
            thumbprint.unwrap_or_default(),
        ]
    };
    let header = ["hub", "policy", "outcome", "reason", "thumbprint on the hub"];
    Table::of(&header, record.hubs.iter().map(row)).titled(3).states(2)
}

#[cfg(test)]
mod tests {
    use certificate_management::request::SyncRequest;
    use time::OffsetDateTime;

    use super::*;

    fn record(outcomes: &[Outcome]) -> RequestRecord {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let request = SyncRequest::from_submission(&format!("{{\"namespaceId\":\"{id}\"}}"), "r-1").unwrap();
        let mut record = RequestRecord::queued(request, OffsetDateTime::UNIX_EPOCH);
        let hub = |(n, outcome): (usize, &Outcome)| HubOutcome {
            hub: format!("hub-{n}"),
            policy: "default".to_owned(),
            outcome: *outcome,
            detail: None,
            reason: None,
            evidence: None,
        };
        record.conclude_hubs(
            outcomes.iter().enumerate().map(hub).collect(),
            None,
            OffsetDateTime::UNIX_EPOCH,
        );
        record
    }

    #[test]
    fn a_line_is_printed_when_something_has_changed_and_at_no_other_time() {
        let mut progress = Progress { bar: None, prints_lines: true, shown: BTreeMap::new(), outcome: None };
        assert_eq!(progress.changes(&record(&[])), ["queued"]);
        assert_eq!(progress.changes(&record(&[])), Vec::<String>::new());
        let running = record(&[Outcome::AlreadyTrusted, Outcome::Syncing]);
        assert_eq!(
            progress.changes(&running),
            ["hub-0  default  already-trusted", "hub-1  default  syncing"]
        );
        assert_eq!(progress.changes(&running), Vec::<String>::new());
        let done = record(&[Outcome::AlreadyTrusted, Outcome::Trusted]);
        assert_eq!(progress.changes(&done), ["hub-1  default  trusted"]);
    }

    #[test]
    fn the_bar_names_the_hubs_that_are_missing_and_counts_the_rest() {
        assert_eq!(message(&record(&[])), "queued");
        assert_eq!(message(&record(&[Outcome::Trusted])), "trusted");
        let many = message(&record(&[Outcome::Syncing; 5]));
        assert_eq!(many, "syncing: default on hub-0, default on hub-1, default on hub-2 and 2 more");
    }

    #[test]
    fn the_golden_outcome_of_each_hub_fits_the_width() {
        use crate::commands::golden::{self, HUB, POLICY};
        use crate::commands::screen::Screen;

        let mut record = record(&[Outcome::Trusted, Outcome::Failed]);
        for hub in &mut record.hubs {
            (hub.hub, hub.policy) = (HUB.to_owned(), POLICY.to_owned());
        }
        golden::compare("submit", &Screen::default().table(hubs(&record)), &[]);
        golden::compare("submit-queued", &super::super::announced(&record, false), &[]);
    }
}
