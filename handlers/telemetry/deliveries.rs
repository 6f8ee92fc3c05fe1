//! Reports whether telemetry arrives: a log line when a destination takes nothing any more, and another one when it
//! does again. A line for each try would drown the others.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter};

/// Most spans that wait for one exporter, a few megabytes at the most; further ones are dropped.
const SPAN_QUEUE: usize = 2048;
/// How long a span waits for others before it is exported.
const GATHERING: Duration = Duration::from_millis(400);

/// Whether one destination takes the telemetry that it is sent.
#[derive(Debug)]
pub struct Deliveries {
    spans: Delivery,
    points: Delivery,
}

/// Whether one signal is taken.
#[derive(Debug)]
struct Delivery {
    /// The name of the signal and its destination, for a person.
    name: String,
    is_failing: AtomicBool,
}

impl Deliveries {
    /// The deliveries to a destination, before the first result.
    pub fn to(destination: &'static str) -> Arc<Self> {
        Arc::new(Self {
            spans: Delivery::of(format!("traces to {destination}")),
            points: Delivery::of(format!("metrics to {destination}")),
        })
    }
}

impl Delivery {
    fn of(name: String) -> Self {
        Self { name, is_failing: AtomicBool::new(false) }
    }

    /// Logs a change.
    fn tell(&self, result: &OTelSdkResult) {
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

/// A processor for spans with a bounded queue.
pub fn span_processor<E: SpanExporter + 'static>(
    exporter: E,
    deliveries: &Arc<Deliveries>,
    as_part_of_host: bool,
) -> BatchSpanProcessor {
    let exporter = ToldSpans { exporter, deliveries: Arc::clone(deliveries), as_part_of_host };
    let config = BatchConfigBuilder::default()
        .with_scheduled_delay(GATHERING)
        .with_max_queue_size(SPAN_QUEUE)
        .with_max_export_batch_size(512)
        .build();
    BatchSpanProcessor::builder(exporter).with_batch_config(config).build()
}

/// Watches the results of an exporter of spans.
struct ToldSpans<E> {
    exporter: E,
    deliveries: Arc<Deliveries>,
    /// The host reports each invocation to the same place, as a request of the function's name. Our span becomes a part
    /// of that request, not a second one that dashboards and alerts would count.
    as_part_of_host: bool,
}

impl<E: SpanExporter> SpanExporter for ToldSpans<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        if self.as_part_of_host {
            for span in batch.iter_mut().filter(|span| span.span_kind == SpanKind::Server) {
                span.span_kind = SpanKind::Internal;
            }
        }
        let result = self.exporter.export(batch).await;
        self.deliveries.spans.tell(&result);
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

impl<E> fmt::Debug for ToldSpans<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToldSpans").field("deliveries", &self.deliveries).finish_non_exhaustive()
    }
}

/// Watches the results of an exporter of metrics, and does not call it without points.
pub struct ToldPoints<E> {
    exporter: E,
    deliveries: Arc<Deliveries>,
}

impl<E> ToldPoints<E> {
    /// Watches the results of `exporter`.
    pub fn new(exporter: E, deliveries: &Arc<Deliveries>) -> Self {
        Self { exporter, deliveries: Arc::clone(deliveries) }
    }
}

impl<E: PushMetricExporter> PushMetricExporter for ToldPoints<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let all = metrics.scope_metrics().flat_map(|scope| scope.metrics());
        if all.map(|metric| points(metric.data())).sum::<usize>() == 0 {
            return Ok(());
        }
        let result = self.exporter.export(metrics).await;
        self.deliveries.points.tell(&result);
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

/// How many points a metric has.
pub(super) fn points(data: &AggregatedMetrics) -> usize {
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
    use std::io::{self, Write};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{self, Receiver};
    use std::time::Instant;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

    use super::*;

    /// Holds every export until the test lets it go, and counts the spans that it got.
    #[derive(Debug)]
    struct Held {
        go: Mutex<Receiver<()>>,
        given: Arc<AtomicUsize>,
    }

    impl SpanExporter for Held {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.given.fetch_add(batch.len(), Ordering::Relaxed);
            // An error means that the test lets everything go.
            let _ = self.go.lock().unwrap().recv();
            Ok(())
        }
    }

    #[test]
    fn an_exporter_that_hangs_costs_spans_and_no_time() {
        let (let_go, go) = mpsc::channel();
        let given = Arc::new(AtomicUsize::new(0));
        let held = Held { go: Mutex::new(go), given: Arc::clone(&given) };
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_span_processor(span_processor(held, &Deliveries::to("test"), false))
            .build();
        let tracer = provider.tracer("test");
        let since = Instant::now();
        (0..20_000).for_each(|_| drop(tracer.start("span")));
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        drop(let_go);
        provider.shutdown().unwrap();
        let given = given.load(Ordering::Relaxed);
        // The spans that waited, and those that the exporter had in hand when it hung.
        assert!((SPAN_QUEUE..=SPAN_QUEUE + 1024).contains(&given), "{given}");
    }

    /// Where lines go to.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_change_is_told_once_and_nothing_else_is() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let gone = || Err(OTelSdkError::InternalFailure("it is gone".to_owned()));
        tracing::subscriber::with_default(subscriber, || {
            let delivery = Delivery::of("traces to test".to_owned());
            for result in [Ok(()), gone(), gone(), Ok(()), Ok(()), gone()] {
                delivery.tell(&result);
            }
        });
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let expected = ["is not delivered", "is delivered again", "is not delivered"];
        assert_eq!(told.lines().count(), expected.len(), "{told}");
        for (line, words) in told.lines().zip(expected) {
            assert!(line.contains(words) && line.contains("traces to test"), "{line}");
        }
    }
}
