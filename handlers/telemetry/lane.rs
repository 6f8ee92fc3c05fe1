//! One destination of metrics: its readers, its instruments, and the pump that has them exported.
//!
//! Each destination has two providers of its own, so that one that hangs holds up no other. The first exports what
//! happens (counters, durations, budgets) after each measurement; the second exports how things stand (trust, days to
//! expiry) only after a new report, since a large fleet has thousands of those.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure::{BucketSnapshot, Budget, Scope};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter, MeterProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{Instrument, PeriodicReader, SdkMeterProvider, Stream};

use super::deliveries::{Deliveries, ToldPoints};
use super::names::{self, Metric};
use super::pump::Pump;
use super::standing::{Part, Standing};

/// Seconds that bound the buckets of invocations, from the semantic conventions for HTTP, and beyond.
const INVOKE_BOUNDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
/// Seconds that bound the buckets of requests.
const REQUEST_BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Seconds that bound the buckets of syncs: they take minutes, and end after half an hour at the latest.
const SYNC_BOUNDS: [f64; 12] =
    [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0];
/// Most series of one metric: the states of trust of 1,000 namespaces are 5,000 ([`super::standing`]).
const SERIES: usize = 10_000;

/// One destination.
pub struct Lane {
    events: SdkMeterProvider,
    standing: SdkMeterProvider,
    /// Wakes the export.
    pub pump: Pump,
    /// [`names::INVOKE_DURATION`].
    pub invocations: Histogram<f64>,
    /// [`names::REQUEST_DURATION`].
    pub requests: Histogram<f64>,
    /// [`names::SYNC_REQUESTS`].
    pub sync_requests: Counter<u64>,
    /// [`names::SYNC_DURATION`].
    pub syncs: Histogram<f64>,
}

impl Lane {
    /// Starts a destination. `exporter` makes one exporter for each of the two kinds; `repeat` is how often both are
    /// exported while nothing happens; `at_once` is how many points of how things stand the exporter gets at once.
    ///
    /// # Errors
    /// What the exporter or the system says.
    pub fn start<E: PushMetricExporter>(
        exporter: impl Fn() -> Result<E, String>,
        resource: &Resource,
        deliveries: &Arc<Deliveries>,
        repeat: Option<Duration>,
        at_once: Option<usize>,
        standing: &Arc<Mutex<Standing>>,
    ) -> Result<Self, String> {
        let provider = || {
            let mut reader = PeriodicReader::builder(ToldPoints::new(exporter()?, deliveries));
            if let Some(repeat) = repeat {
                reader = reader.with_interval(repeat);
            }
            let wide = |_: &Instrument| Stream::builder().with_cardinality_limit(SERIES).build().ok();
            Ok::<_, String>(
                SdkMeterProvider::builder()
                    .with_resource(resource.clone())
                    .with_reader(reader.build())
                    .with_view(wide)
                    .build(),
            )
        };
        let (events, stands) = (provider()?, provider()?);
        let meter = events.meter("policysync");
        let part = Part::of(at_once);
        super::standing::observe(&stands.meter("policysync"), standing, &part);
        // [`super::deliveries`] logs a failure.
        let flush = |provider: &SdkMeterProvider| {
            let provider = provider.clone();
            move || provider.force_flush().is_ok()
        };
        let (flush_events, flush_standing) = (flush(&events), flush(&stands));
        let kept = Arc::clone(standing);
        let pump = Pump::start(move || _ = flush_events(), move || part.export(&kept, &flush_standing));
        let pump = pump.map_err(|error| error.to_string())?;
        Ok(Self {
            invocations: histogram(&meter, &names::INVOKE_DURATION, &INVOKE_BOUNDS),
            requests: histogram(&meter, &names::REQUEST_DURATION, &REQUEST_BOUNDS),
            syncs: histogram(&meter, &names::SYNC_DURATION, &SYNC_BOUNDS),
            sync_requests: meter
                .u64_counter(names::SYNC_REQUESTS.name)
                .with_unit(names::SYNC_REQUESTS.unit)
                .with_description(names::SYNC_REQUESTS.description)
                .build(),
            pump,
            events,
            standing: stands,
        })
    }

    /// Adds the figures of the budget's buckets whenever metrics are exported.
    pub fn observe_budget(&self, budget: &Budget) {
        let meter = self.events.meter("policysync");
        observe(&meter, &names::BUDGET_REMAINING, per_bucket(budget, |bucket| u64::from(bucket.left)));
        let waiting = |bucket: &BucketSnapshot| u64::try_from(bucket.waiting).unwrap_or(u64::MAX);
        observe(&meter, &names::BUDGET_WAITING, per_bucket(budget, waiting));
        observe(&meter, &names::BUDGET_THROTTLED, per_bucket(budget, |bucket| bucket.throttled_total));
        observe(&meter, &names::BUDGET_PUT_OFF, per_bucket(budget, |bucket| bucket.put_off_total));
    }

    /// Reports what the service sends that this version does not know, whenever metrics are exported.
    pub fn observe_surprises(&self, azure: &azure::Azure) {
        let azure = azure.clone();
        observe(&self.events.meter("policysync"), &names::SURPRISES, move |instrument| {
            let surprises = azure.surprises();
            if surprises.is_empty() {
                // A zero, so that a query finds that there are none.
                instrument.observe(0, &[]);
            }
            for surprise in surprises {
                let member = KeyValue::new("policysync.service.member", surprise.to_string());
                instrument.observe(surprise.times, &[member]);
            }
        });
    }

    /// Closures that export the rest and end; each may take as long as an export does.
    pub fn ends(self) -> [Box<dyn FnOnce() + Send>; 2] {
        drop(self.pump);
        [self.events, self.standing]
            .map(|provider| -> Box<dyn FnOnce() + Send> { Box::new(move || drop(provider.shutdown())) })
    }
}

fn histogram(meter: &Meter, metric: &Metric, bounds: &[f64]) -> Histogram<f64> {
    meter
        .f64_histogram(metric.name)
        .with_unit(metric.unit)
        .with_description(metric.description)
        .with_boundaries(bounds.to_vec())
        .build()
}

/// An instrument that is read when metrics are exported: a counter or a gauge, as the table says.
fn observe(
    meter: &Meter,
    metric: &Metric,
    callback: impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    let (name, unit, description) = (metric.name, metric.unit, metric.description);
    if metric.kind == names::Kind::Counter {
        let builder = meter.u64_observable_counter(name).with_unit(unit).with_description(description);
        builder.with_callback(callback).build();
    } else {
        let builder = meter.u64_observable_gauge(name).with_unit(unit).with_description(description);
        builder.with_callback(callback).build();
    }
}

/// Whether there is anything to tell of a bucket. A fleet has hundreds of provisioning services, all but a few of them with a full
/// bucket at any moment, and figures leave many times a minute while calls are made.
fn is_told(bucket: &BucketSnapshot) -> bool {
    let is_at_rest = bucket.left == bucket.capacity
        && bucket.waiting == 0
        && bucket.throttled_total == 0
        && bucket.put_off_total == 0;
    !(is_at_rest && matches!(bucket.scope, Scope::ProvisioningService(_)))
}

fn per_bucket(
    budget: &Budget,
    value: impl Fn(&BucketSnapshot) -> u64 + Send + Sync + 'static,
) -> impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static {
    let budget = budget.clone();
    move |instrument| {
        for bucket in budget.snapshot().into_iter().filter(is_told) {
            let scope = match &bucket.scope {
                Scope::Subscription(id) => format!("subscription/{id}"),
                Scope::Tenant => "tenant".to_owned(),
                Scope::ProvisioningService(place) => format!("provisioning-service/{place}"),
            };
            let attributes = [
                KeyValue::new("policysync.budget.scope", scope),
                KeyValue::new("policysync.budget.operation", bucket.kind.metric_label()),
            ];
            instrument.observe(value(&bucket), &attributes);
        }
    }
}

/// The standing of things, kept for the next export.
pub fn keep(standing: &Mutex<Standing>, now: Standing) {
    *standing.lock().unwrap_or_else(PoisonError::into_inner) = now;
}

#[cfg(test)]
mod tests {
    use azure::OperationKind;

    use super::*;

    #[test]
    fn a_provisioning_service_is_told_while_its_bucket_is_in_use_or_calls_were_refused() {
        let service = |left, waiting, throttled_total, put_off_total| BucketSnapshot {
            scope: Scope::ProvisioningService("contoso-dps".to_owned()),
            kind: OperationKind::Any,
            capacity: 250,
            left,
            waiting,
            throttled_total,
            put_off_total,
        };
        assert!(!is_told(&service(250, 0, 0, 0)));
        for used in
            [service(249, 0, 0, 0), service(250, 1, 0, 0), service(250, 0, 1, 0), service(250, 0, 0, 1)]
        {
            assert!(is_told(&used), "{used:?}");
        }
        let full = service(250, 0, 0, 0);
        assert!(is_told(&BucketSnapshot { scope: Scope::Subscription("s".to_owned()), ..full }));
    }
}
