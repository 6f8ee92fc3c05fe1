//! What became of telemetry itself: how much was delivered, dropped or lost, per destination.
//!
//! The queue in front of an exporter is bounded here, so that every drop is counted. That a destination does not take
//! anything is said once, and once more when it does again: a line for each try would drown the others.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

/// Most spans that wait for one exporter: a few megabytes at the most.
pub const SPAN_QUEUE: usize = 2048;
/// How long a span waits for others before it is exported.
const GATHERING: Duration = Duration::from_millis(400);

/// The counts of one destination.
#[derive(Debug)]
pub struct Deliveries {
    /// What it is called in `otel.component.name`.
    pub destination: &'static str,
    in_queue: AtomicUsize,
    /// Spans handed to the exporter.
    pub processed: AtomicU64,
    /// Spans that found the queue full.
    pub queue_full: AtomicU64,
    /// Spans that the exporter sent.
    pub spans: Tally,
    /// Points of metrics that the exporter sent. Of those that were lost, sums come again as a whole with the next ones.
    pub points: Tally,
}

/// What was taken of one signal, and what was not.
#[derive(Debug)]
pub struct Tally {
    /// Whose it is, for a person.
    name: String,
    /// How many were taken.
    pub taken: AtomicU64,
    /// How many were not.
    pub lost: AtomicU64,
    is_failing: AtomicBool,
}

impl Deliveries {
    /// The counts of a destination, all zero.
    pub fn to(destination: &'static str) -> Arc<Self> {
        Arc::new(Self {
            destination,
            in_queue: AtomicUsize::new(0),
            processed: AtomicU64::new(0),
            queue_full: AtomicU64::new(0),
            spans: Tally::of(format!("traces to {destination}")),
            points: Tally::of(format!("metrics to {destination}")),
        })
    }
}

impl Tally {
    fn of(name: String) -> Self {
        let (taken, lost, is_failing) = Default::default();
        Self { name, taken, lost, is_failing }
    }

    fn count(&self, number: usize, result: &OTelSdkResult) {
        let counter = if result.is_ok() { &self.taken } else { &self.lost };
        counter.fetch_add(wide(number), Ordering::Relaxed);
        match (result, self.is_failing.swap(result.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => {
                let error: String = error.to_string().chars().take(300).collect();
                tracing::warn!(error, "telemetry is not delivered, and dropped until it is: {}", self.name);
            }
            (Ok(()), true) => tracing::info!("telemetry is delivered again: {}", self.name),
            _ => {}
        }
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A processor for spans with a queue that is bounded and counted.
pub fn span_processor<E: SpanExporter + 'static>(
    exporter: E,
    deliveries: &Arc<Deliveries>,
    as_part_of_host: bool,
) -> impl SpanProcessor + use<E> {
    let exporter = CountedSpans { exporter, deliveries: Arc::clone(deliveries), as_part_of_host };
    let config = BatchConfigBuilder::default()
        .with_scheduled_delay(GATHERING)
        .with_max_queue_size(SPAN_QUEUE)
        .with_max_export_batch_size(512)
        .build();
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    BoundedQueue { batches, deliveries: Arc::clone(deliveries) }
}

#[derive(Debug)]
struct BoundedQueue {
    batches: BatchSpanProcessor,
    deliveries: Arc<Deliveries>,
}

impl SpanProcessor for BoundedQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let deliveries = &self.deliveries;
        if deliveries.in_queue.fetch_add(1, Ordering::Relaxed) < SPAN_QUEUE {
            self.batches.on_end(span);
        } else {
            deliveries.in_queue.fetch_sub(1, Ordering::Relaxed);
            deliveries.queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts the spans that an exporter takes.
struct CountedSpans<E> {
    exporter: E,
    deliveries: Arc<Deliveries>,
    /// The host reports each invocation to the same place, as a request of the function's name. Ours is a part of that
    /// one, not a second request that dashboards and alerts would count.
    as_part_of_host: bool,
}

impl<E: SpanExporter> SpanExporter for CountedSpans<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let number = batch.len();
        let deliveries = &self.deliveries;
        deliveries.in_queue.fetch_sub(number, Ordering::Relaxed);
        deliveries.processed.fetch_add(wide(number), Ordering::Relaxed);
        if self.as_part_of_host {
            for span in batch.iter_mut().filter(|span| span.span_kind == SpanKind::Server) {
                span.span_kind = SpanKind::Internal;
            }
        }
        let result = self.exporter.export(batch).await;
        deliveries.spans.count(number, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E> fmt::Debug for CountedSpans<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedSpans").field("deliveries", &self.deliveries).finish_non_exhaustive()
    }
}

/// Counts the points of metrics that an exporter takes.
pub struct CountedPoints<E> {
    exporter: E,
    deliveries: Arc<Deliveries>,
}

impl<E> CountedPoints<E> {
    /// Counts what `exporter` takes.
    pub fn new(exporter: E, deliveries: &Arc<Deliveries>) -> Self {
        Self { exporter, deliveries: Arc::clone(deliveries) }
    }
}

impl<E: PushMetricExporter> PushMetricExporter for CountedPoints<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let all = metrics.scope_metrics().flat_map(|scope| scope.metrics());
        let number = all.map(|metric| points(metric.data())).sum();
        if number == 0 {
            return Ok(());
        }
        let result = self.exporter.export(metrics).await;
        self.deliveries.points.count(number, &result);
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

fn points(data: &AggregatedMetrics) -> usize {
    fn of<T>(data: &MetricData<T>) -> usize {
        match data {
            MetricData::Gauge(gauge) => gauge.data_points().count(),
            MetricData::Sum(sum) => sum.data_points().count(),
            MetricData::Histogram(histogram) => histogram.data_points().count(),
            MetricData::ExponentialHistogram(histogram) => histogram.data_points().count(),
        }
    }
    match data {
        AggregatedMetrics::F64(data) => of(data),
        AggregatedMetrics::U64(data) => of(data),
        AggregatedMetrics::I64(data) => of(data),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{self, Receiver};
    use std::time::Instant;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

    use super::*;

    /// Holds every export until it is let go, and then answers as it is told.
    #[derive(Debug)]
    struct Held {
        go: Mutex<Receiver<()>>,
        takes: bool,
    }

    impl SpanExporter for Held {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            // An error says that the test lets everything go.
            let _ = self.go.lock().unwrap().recv();
            if self.takes { Ok(()) } else { Err(OTelSdkError::InternalFailure("it is gone".to_owned())) }
        }
    }

    fn flood(number: usize, takes: bool) -> (Arc<Deliveries>, Duration) {
        let (let_go, go) = mpsc::channel();
        let deliveries = Deliveries::to("test");
        let processor = span_processor(Held { go: Mutex::new(go), takes }, &deliveries, false);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_span_processor(processor)
            .build();
        let tracer = provider.tracer("test");
        let since = Instant::now();
        (0..number).for_each(|_| drop(tracer.start("span")));
        let took = since.elapsed();
        drop(let_go);
        provider.shutdown().unwrap();
        (deliveries, took)
    }

    #[test]
    fn an_exporter_that_hangs_costs_spans_which_are_counted_and_no_time() {
        let (deliveries, took) = flood(20_000, true);
        assert!(took < Duration::from_secs(4), "{took:?}");
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (taken, dropped) = (read(&deliveries.spans.taken), read(&deliveries.queue_full));
        assert_eq!(taken + dropped, 20_000, "each span is delivered or counted");
        assert_eq!(read(&deliveries.processed), taken);
        // What the exporter had in hand when it hung does not count as waiting.
        assert!((2048..=2048 + 512).contains(&taken), "{taken}");
        assert_eq!(deliveries.in_queue.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_not_taken_is_counted_as_lost() {
        let (deliveries, _) = flood(100, false);
        assert_eq!(deliveries.spans.lost.load(Ordering::Relaxed), 100);
        assert_eq!(deliveries.spans.taken.load(Ordering::Relaxed), 0);
    }
}
