//! How things stand as of the last report: trust, days to expiry, findings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use certificate_management::plan::Observation;
use certificate_management::reason::Severity;
use certificate_management::report::FindingCounts;
use certificate_management::trust::Trust;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use time::OffsetDateTime;

use super::names::{self, Metric, namespace};

/// Every state of trust: a state that no pair is in is reported as zero, so that an alert sees it end.
const TRUSTS: [Trust; 5] = [Trust::Trusted, Trust::Leftover, Trust::Stale, Trust::Missing, Trust::Unreadable];

/// How things stand. A new one replaces the one before as a whole, so that a hub that is gone is not reported for ever.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    points: BTreeMap<&'static str, Vec<(Vec<KeyValue>, f64)>>,
}

impl Standing {
    /// Adds how a namespace stands. One that could not be read is not added: none is better than an old one that looks new.
    pub fn add_namespace(&mut self, observation: &Observation, now: OffsetDateTime) {
        let id = namespace(&observation.namespace.id);
        let policy = |name: &str| vec![id.clone(), KeyValue::new("policysync.policy.name", name.to_owned())];
        for known in &observation.policies {
            if let Some(not_after) = known.issuing_ca.not_after {
                self.add(&names::POLICY_VALIDITY, policy(&known.name), days(not_after, now));
            }
        }
        let pairs = observation.pairs();
        for pair in &pairs {
            if let Some(expiry) = pair.assessment.evidence.as_ref().and_then(|evidence| evidence.expiry) {
                let mut attributes = policy(&pair.policy.name);
                attributes.push(KeyValue::new("policysync.hub.name", pair.hub.name.clone()));
                self.add(&names::HUB_VALIDITY, attributes, days(expiry, now));
            }
        }
        for trust in TRUSTS {
            let number = pairs.iter().filter(|pair| pair.assessment.trust == trust).count();
            let attributes = vec![id.clone(), KeyValue::new("policysync.trust.state", trust.to_string())];
            self.add(&names::TRUST_PAIRS, attributes, count(number));
        }
    }

    /// Adds how many findings there are.
    pub fn add_findings(&mut self, counts: &FindingCounts) {
        for (severity, number) in [
            (Severity::Information, counts.information),
            (Severity::Warning, counts.warning),
            (Severity::Critical, counts.critical),
        ] {
            // One that no finding has is reported as zero, so that an alert sees it end.
            let attributes = vec![KeyValue::new("policysync.severity", severity.to_string())];
            self.add(&names::FINDINGS, attributes, count(number));
        }
    }

    fn add(&mut self, metric: &Metric, attributes: Vec<KeyValue>, value: f64) {
        self.points.entry(metric.name).or_default().push((attributes, value));
    }
}

fn days(end: OffsetDateTime, now: OffsetDateTime) -> f64 {
    (end - now).as_seconds_f64() / 86_400.0
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Makes the gauges, which are read from `standing` when metrics are exported.
pub fn observe(meter: &Meter, standing: &Arc<Mutex<Standing>>) {
    for metric in [&names::POLICY_VALIDITY, &names::HUB_VALIDITY, &names::TRUST_PAIRS, &names::FINDINGS] {
        let standing = Arc::clone(standing);
        meter
            .f64_observable_gauge(metric.name)
            .with_unit(metric.unit)
            .with_description(metric.description)
            .with_callback(move |instrument| {
                let standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
                for (attributes, value) in standing.points.get(metric.name).into_iter().flatten() {
                    instrument.observe(*value, attributes);
                }
            })
            .build();
    }
}
