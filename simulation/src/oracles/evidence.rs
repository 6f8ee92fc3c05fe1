//! `trusted` rests on the CA that was current, on a hub of the request's own namespace.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::NamespaceTruth;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Event, Oracle, StoredRecord};
use crate::engine::BEGIN;

/// From the reading of the policies of a namespace to that of the last hub, by clocks that are two minutes apart.
const APART: time::Duration = time::Duration::seconds(120 + 80);

/// The CAs that were current, by the id of their policy in lower case: thumbprints in the order in which they came.
#[derive(Default)]
pub(super) struct EvidenceHolds {
    current: BTreeMap<String, Vec<Current>>,
}

struct Current {
    thumbprint: String,
    /// When another one was seen: a renewal may come into force without any call.
    until: Option<Duration>,
}

impl EvidenceHolds {
    /// Learns what is current at `at`: another CA has come since the last look, and was not current before.
    fn learn(&mut self, truth: &[NamespaceTruth], at: Duration) {
        for policy in truth.iter().flat_map(|namespace| &namespace.policies) {
            let known = self.current.entry(policy.id.to_ascii_lowercase()).or_default();
            if known.last().is_some_and(|last| last.thumbprint == policy.thumbprint) {
                continue;
            }
            if let Some(last) = known.last_mut() {
                last.until = Some(at);
            }
            known.push(Current { thumbprint: policy.thumbprint.clone(), until: None });
        }
    }

    /// Why an outcome on a hub is not proven, if so.
    fn doubt(&self, namespace: &str, outcome: &Value) -> Option<String> {
        let text = |pointer: &str| outcome.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if !matches!(text("/outcome"), "trusted" | "already-trusted") {
            return None;
        }
        let told = format!("{} on {} is {}", text("/policy"), text("/hub"), text("/outcome"));
        let policy = text("/evidence/policyId").to_ascii_lowercase();
        if policy.is_empty() {
            return Some(format!("{told} without evidence"));
        }
        if !policy.starts_with(&format!("{}/", namespace.to_ascii_lowercase())) {
            return Some(format!("{told} with evidence of {policy}"));
        }
        let seen = OffsetDateTime::parse(text("/evidence/seenAt"), &Rfc3339).ok().map(|at| at - BEGIN);
        let known = self.current.get(&policy)?;
        let mut same =
            known.iter().filter(|one| one.thumbprint.eq_ignore_ascii_case(text("/evidence/thumbprint")));
        let was_current = |one: &Current| {
            let until = one.until.and_then(|until| time::Duration::try_from(until).ok());
            until.is_none_or(|until| seen.is_some_and(|seen| seen <= until + APART))
        };
        let is_proven = seen.is_some() && same.any(was_current);
        let (thumbprint, seen) = (text("/evidence/thumbprint"), text("/evidence/seenAt"));
        (!is_proven).then(|| {
            format!("{told} with evidence of the CA {thumbprint} at {seen}, which was not current then")
        })
    }
}

impl Oracle for EvidenceHolds {
    fn name(&self) -> &'static str {
        "evidence"
    }

    fn promise(&self) -> &'static str {
        "each `trusted` has evidence of its own namespace, of the CA that was current when it was seen"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::Began { truth } | Event::Told { truth, .. } | Event::Recovered { truth, .. } => {
                self.learn(truth, at);
            }
            Event::Served { after, .. } => self.learn(after, at),
            Event::TrustLost { before, after, .. } => {
                self.learn(before, at);
                self.learn(after, at);
            }
            Event::Ended { records, truth, .. } => {
                self.learn(truth, at);
                let requests = records.iter().filter(|record| record.key.starts_with("requests/"));
                return requests.flat_map(|record| self.doubts(record)).collect();
            }
            _ => {}
        }
        Vec::new()
    }
}

impl EvidenceHolds {
    fn doubts(&self, record: &StoredRecord) -> Vec<String> {
        let namespace =
            record.value.pointer("/request/namespaceId").and_then(Value::as_str).unwrap_or_default();
        let hubs = record.value["hubs"].as_array().into_iter().flatten();
        let doubts = hubs.filter_map(|outcome| self.doubt(namespace, outcome));
        doubts.map(|doubt| format!("{}: {doubt}", record.key)).collect()
    }
}
