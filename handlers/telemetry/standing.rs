//! How things stand as of the last report: trust, days to expiry, findings.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// Up to so many pairs of a policy and a hub have a point each: those of 100 namespaces of 10 hubs and 3 policies. A larger fleet has
/// one for each policy, of its hub that ends first: an alert needs no more, and memory and the price of telemetry do not grow with
/// the hubs.
const EACH_HUB: usize = 3_000;

/// How things stand. A new one replaces the one before as a whole, so that a hub that is gone is not reported for ever.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    points: Vec<Point>,
    /// One for each pair, as long as they are few.
    each_hub: Vec<Point>,
    are_many: bool,
    /// One for each policy: that of its hub that ends first.
    first_hub: Vec<Point>,
}

#[derive(Debug, Clone, PartialEq)]
struct Point {
    metric: &'static str,
    attributes: Vec<KeyValue>,
    value: f64,
}

impl Standing {
    /// Adds how a namespace stands. One that could not be read is not added: none is better than an old one that looks new.
    pub fn add_namespace(&mut self, observation: &Observation, now: OffsetDateTime) {
        let id = namespace(&observation.namespace.id);
        // A text that several points have is in memory once.
        let policies: BTreeMap<&str, KeyValue> = observation
            .policies
            .iter()
            .map(|policy| (policy.name.as_str(), shared("policysync.policy.name", &policy.name)))
            .collect();
        let policy = |name: &str| {
            let known = policies.get(name).cloned();
            vec![id.clone(), known.unwrap_or_else(|| shared("policysync.policy.name", name))]
        };
        for known in &observation.policies {
            if let Some(not_after) = known.issuing_ca.not_after {
                self.add(&names::POLICY_VALIDITY, policy(&known.name), days(not_after, now));
            }
        }
        let pairs = observation.pairs();
        let mut first: BTreeMap<&str, Point> = BTreeMap::new();
        for pair in &pairs {
            if let Some(expiry) = pair.assessment.evidence.as_ref().and_then(|evidence| evidence.expiry) {
                let mut attributes = policy(&pair.policy.name);
                attributes.push(shared("policysync.hub.name", &pair.hub.name));
                let point = Point { metric: names::HUB_VALIDITY.name, attributes, value: days(expiry, now) };
                if !self.are_many {
                    self.each_hub.push(point.clone());
                }
                let known = first.entry(&pair.policy.name).or_insert_with(|| point.clone());
                if point.value < known.value {
                    *known = point;
                }
            }
        }
        self.first_hub.extend(first.into_values());
        if self.each_hub.len() > EACH_HUB {
            (self.are_many, self.each_hub) = (true, Vec::new());
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

    /// How many points there are.
    pub fn number_of_points(&self) -> usize {
        self.points.len() + self.hubs().len()
    }

    fn hubs(&self) -> &[Point] {
        if self.are_many { &self.first_hub } else { &self.each_hub }
    }

    fn add(&mut self, metric: &Metric, attributes: Vec<KeyValue>, value: f64) {
        self.points.push(Point { metric: metric.name, attributes, value });
    }
}

fn shared(name: &'static str, text: &str) -> KeyValue {
    KeyValue::new(name, Arc::<str>::from(text))
}

fn days(end: OffsetDateTime, now: OffsetDateTime) -> f64 {
    (end - now).as_seconds_f64() / 86_400.0
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Which of the points an export takes. An exporter holds all that it is given as it will be sent, which is kilobytes for each point.
#[derive(Debug)]
pub struct Part {
    from: AtomicUsize,
    most: Option<usize>,
}

impl Part {
    /// At most so many points at once; `None`: all of them, whenever they are exported.
    pub fn of(most: Option<usize>) -> Arc<Self> {
        Arc::new(Self { from: AtomicUsize::new(0), most })
    }

    /// Exports all of `standing`, part by part. An export that fails is the last, since the destination takes nothing just now.
    pub fn export(&self, standing: &Mutex<Standing>, flush: impl Fn() -> bool) {
        let Some(most) = self.most else {
            flush();
            return;
        };
        let all = standing.lock().unwrap_or_else(PoisonError::into_inner).number_of_points();
        for from in (0..all).step_by(most.max(1)) {
            self.from.store(from, Ordering::Relaxed);
            if !flush() {
                break;
            }
        }
        // They were told: the export at the end of the process repeats none.
        self.from.store(usize::MAX, Ordering::Relaxed);
    }
}

/// Makes the gauges, which are read from `standing` when metrics are exported.
pub fn observe(meter: &Meter, standing: &Arc<Mutex<Standing>>, part: &Arc<Part>) {
    for metric in [&names::POLICY_VALIDITY, &names::HUB_VALIDITY, &names::TRUST_PAIRS, &names::FINDINGS] {
        let (standing, part) = (Arc::clone(standing), Arc::clone(part));
        meter
            .f64_observable_gauge(metric.name)
            .with_unit(metric.unit)
            .with_description(metric.description)
            .with_callback(move |instrument| {
                let standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
                let all = standing.points.iter().chain(standing.hubs());
                let taken = all.skip(part.from.load(Ordering::Relaxed)).take(part.most.unwrap_or(usize::MAX));
                for point in taken.filter(|point| point.metric == metric.name) {
                    instrument.observe(point.value, &point.attributes);
                }
            })
            .build();
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::ArmId;
    use certificate_management::generation::NamespaceGeneration;
    use certificate_management::model::{
        Hub, HubCertificate, IssuingCa, Namespace, Policy, ProvisioningState,
    };
    use certificate_management::plan::ObservedHub;
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::metrics::data::ResourceMetrics;
    use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
    use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
    use time::macros::datetime;

    use super::super::deliveries::points;
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-29 14:05 UTC);
    const POLICY: &str = "default";

    /// A namespace of one policy, and hubs whose certificates end on these days from now.
    fn observed(number: usize, ends: &[i64]) -> Observation {
        let id = format!(
            "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n{number}"
        );
        let id = ArmId::parse(&id).unwrap();
        let policy_id = id.child("credentials", "default").child("policies", POLICY);
        let hub = |(place, end): (usize, &i64)| {
            let name = format!("hub-{number}-{place}");
            let hub = format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/{name}");
            let certificate = HubCertificate {
                name: "c".to_owned(),
                issuer_id: Some(policy_id.clone()),
                subject: None,
                thumbprint: None,
                expiry: Some(NOW + time::Duration::days(*end)),
                is_verified: None,
            };
            ObservedHub {
                hub: Hub {
                    id: ArmId::parse(&hub).unwrap(),
                    host_name: format!("{name}.azure-devices.net"),
                    name,
                    namespace_id: Some(id.clone()),
                },
                certificates: Ok(vec![certificate]),
            }
        };
        Observation {
            authorities: Vec::new(),
            hubs: ends.iter().enumerate().map(hub).collect(),
            policies: vec![Policy {
                id: policy_id.clone(),
                name: POLICY.to_owned(),
                provisioning_state: ProvisioningState::Succeeded,
                issuing_ca: IssuingCa {
                    not_after: Some(NOW + time::Duration::days(90)),
                    ..IssuingCa::default()
                },
                leaf_validity_days: Some(30),
                bring_your_own_root: None,
            }],
            namespace: Namespace {
                id,
                location: "westeurope".to_owned(),
                provisioning_state: ProvisioningState::Succeeded,
                generation: NamespaceGeneration::default(),
                links: Vec::new(),
            },
            seen_at: NOW,
        }
    }

    fn standing(namespaces: usize, ends: &[i64]) -> Standing {
        let mut standing = Standing::default();
        (0..namespaces).for_each(|number| standing.add_namespace(&observed(number, ends), NOW));
        standing
    }

    fn hubs(standing: &Standing) -> Vec<(String, f64)> {
        let name = |point: &Point| point.attributes[2].value.to_string();
        standing.hubs().iter().map(|point| (name(point), point.value)).collect()
    }

    #[test]
    fn a_small_fleet_has_a_point_for_each_hub() {
        let standing = standing(2, &[40, 20]);
        let expected = [("hub-0-0", 40.0), ("hub-0-1", 20.0), ("hub-1-0", 40.0), ("hub-1-1", 20.0)];
        assert_eq!(hubs(&standing), expected.map(|(name, days)| (name.to_owned(), days)));
    }

    #[test]
    fn a_large_fleet_has_a_point_for_each_policy_of_the_hub_that_ends_first() {
        let namespaces = EACH_HUB / 3 + 1;
        let standing = standing(namespaces, &[40, -2, 20]);
        let hubs = hubs(&standing);
        assert_eq!(hubs.len(), namespaces);
        assert_eq!(hubs[7], ("hub-7-1".to_owned(), -2.0));
        assert_eq!(standing.number_of_points(), namespaces * (1 + 1 + TRUSTS.len()));
    }

    /// Counts the points of each export.
    #[derive(Clone, Default)]
    struct Counting(Arc<Mutex<Vec<usize>>>);

    impl PushMetricExporter for Counting {
        async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
            let all = metrics.scope_metrics().flat_map(|scope| scope.metrics());
            self.0.lock().unwrap().push(all.map(|metric| points(metric.data())).sum());
            Ok(())
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
            Ok(())
        }

        fn temporality(&self) -> Temporality {
            Temporality::Delta
        }
    }

    #[test]
    fn each_point_leaves_once_in_parts_that_an_exporter_can_hold() {
        for (most, expected) in [(Some(6), vec![6, 6, 6, 3]), (Some(100), vec![21]), (None, vec![21])] {
            let counting = Counting::default();
            let provider = SdkMeterProvider::builder()
                .with_reader(PeriodicReader::builder(counting.clone()).build())
                .build();
            let (standing, part) = (Arc::new(Mutex::new(standing(3, &[40]))), Part::of(most));
            observe(&provider.meter("test"), &standing, &part);
            part.export(&standing, || provider.force_flush().is_ok());
            assert_eq!(*counting.0.lock().unwrap(), expected, "{most:?}");
        }
    }

    #[test]
    fn a_destination_that_takes_nothing_is_not_tried_again_part_by_part() {
        let (standing, tries) = (Mutex::new(standing(9, &[40])), AtomicUsize::new(0));
        Part::of(Some(6)).export(&standing, || tries.fetch_add(1, Ordering::Relaxed) > 0);
        assert_eq!(tries.into_inner(), 1);
    }
}
