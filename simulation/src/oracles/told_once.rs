//! Each finding is told once a step, and its end is told only when that was seen.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::NamespaceTruth;
use serde_json::Value;

use super::{Event, Oracle, StoredRecord};

/// The ledger of what was told.
const LEDGER: &str = "alerts/ledger";
/// From the look at the hubs to the report that raises a finding.
const LOOKED: Duration = Duration::from_secs(20 * 60);

/// What subscribers were told.
#[derive(Default)]
pub(super) struct ToldOnce {
    /// By the id of the event: the event, and whether it was told in the calm, when what was told is also recorded as told.
    events: BTreeMap<String, (Value, bool)>,
    /// By the id of the finding: what was told of it last.
    findings: BTreeMap<String, Last>,
    is_calm: bool,
    /// When hubs of a namespace last lost trust.
    lost: BTreeMap<String, Duration>,
}

/// What was told last of a finding.
struct Last {
    raised_at: String,
    rank: i64,
    is_cleared: bool,
    at: Duration,
}

impl ToldOnce {
    fn tell(&mut self, event: &Value, truth: &[NamespaceTruth], at: Duration) -> Option<String> {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (id, subject) = (text("/id").to_owned(), text("/subject"));
        if let Some((known, was_calm)) = self.events.get(&id) {
            return match known == event {
                true if *was_calm => Some(format!("{subject} is told again, and was told in the calm")),
                true => None,
                false => Some(format!("{subject} is told again under one id, in other words")),
            };
        }
        let state = text("/data/state").to_owned();
        let (finding, raised_at) = (text("/data/finding/id").to_owned(), text("/data/raisedAt").to_owned());
        let last = self.findings.get(&finding);
        let open = last.filter(|last| !last.is_cleared);
        let rank = rank(event);
        let wrong = match (state.as_str(), open) {
            ("raised", Some(_)) => {
                Some("is raised, and has not cleared since it was raised before".to_owned())
            }
            ("raised", None) => None,
            (_, None) => Some(format!("is {state}, and was not raised")),
            (_, Some(open)) if open.raised_at != raised_at => {
                Some(format!("is {state}, and was raised at another time"))
            }
            ("escalated", Some(open)) if rank <= open.rank => {
                Some("is escalated to no higher step".to_owned())
            }
            ("cleared", Some(open)) => self.unseen(event, truth, open),
            _ => None,
        };
        let wrong = wrong.map(|wrong| format!("{subject} {wrong}"));
        let since = open.map_or(at, |open| open.at);
        self.findings.insert(finding, Last { raised_at, rank, is_cleared: state == "cleared", at: since });
        self.events.insert(id, (event.clone(), self.is_calm));
        wrong
    }

    /// Why no report can have seen that a finding is over. A hub that lacks a CA now lacks it since the finding was raised, unless the CA was
    /// renewed since.
    fn unseen(&self, event: &Value, truth: &[NamespaceTruth], open: &Last) -> Option<String> {
        let finding = event.pointer("/data/finding")?;
        let text = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/check") != "hub-untrusting" {
            return None;
        }
        let id = text("/subject/namespaceId");
        let namespace = truth.iter().find(|namespace| namespace.id.eq_ignore_ascii_case(id))?;
        let is_renewed =
            self.lost.get(&namespace.id.to_ascii_lowercase()).is_some_and(|lost| *lost + LOOKED >= open.at);
        let policy = namespace.policies.iter().find(|policy| policy.name == text("/subject/policy"))?;
        let hub = format!("{}.", text("/subject/hub"));
        let is_lacking = policy.lacking.iter().any(|lacking| lacking.starts_with(&hub));
        (is_lacking && !is_renewed).then(|| "is cleared, and the hub lacks the CA all the time".to_owned())
    }

    /// What the record says, against what was told.
    fn compare(&self, ledger: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let pending = ledger["pending"].as_array().map_or(0, Vec::len);
        if pending > 0 {
            wrong.push(format!("{pending} events are recorded and were never told"));
        }
        for (id, alert) in ledger["open"].as_object().into_iter().flatten() {
            let told = self.findings.get(id).filter(|last| !last.is_cleared);
            let step = &alert["step"]["rank"];
            if told.is_none_or(|told| Some(told.rank) != step.as_i64()) {
                let subject = alert.pointer("/finding/subject/text").and_then(Value::as_str);
                wrong.push(format!("{} is recorded as told, and was not", subject.unwrap_or(id)));
            }
        }
        let open = self.findings.iter().filter(|(_, last)| !last.is_cleared);
        let lost = open.filter(|(id, _)| ledger["open"].get(id.as_str()).is_none());
        wrong.extend(lost.map(|(id, _)| format!("finding {id} was told, and neither cleared nor recorded")));
        wrong
    }
}

/// The height of the step that an event tells: of a finding without a ladder the severity is one.
fn rank(event: &Value) -> i64 {
    let finding = &event["data"]["finding"];
    let of_severity = match finding["severity"].as_str() {
        Some("critical") => 2,
        Some("warning") => 1,
        _ => 0,
    };
    finding.pointer("/step/rank").and_then(Value::as_i64).unwrap_or(of_severity)
}

impl Oracle for ToldOnce {
    fn name(&self) -> &'static str {
        "told-once"
    }

    fn promise(&self) -> &'static str {
        "each finding is told once a step and once when it has gone, and goes only by seeing"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::Calm => self.is_calm = true,
            Event::TrustLost { namespace, .. } => {
                self.lost.insert(namespace.to_ascii_lowercase(), at);
            }
            Event::Told { events, truth } => {
                return events.iter().filter_map(|event| self.tell(event, truth, at)).collect();
            }
            Event::Ended { records, .. } => {
                let ledger = records.iter().find(|record| record.key == LEDGER);
                return self.compare(ledger.map_or(&Value::Null, |StoredRecord { value, .. }| value));
            }
            _ => {}
        }
        Vec::new()
    }
}
