//! Shows operators a running app: logs on stdout, traces and metrics by OTLP and in Application Insights.
//!
//! Telemetry never holds a reply back. Invocations put spans and measurements into bounded queues, from which threads
//! of their own export them; a collector that is gone, slow or lying costs drops, and no invocation. A destination that
//! is not set gets no exporter and no thread, and no exporter does I/O before its first export, since the process has
//! to be ready at once.
//!
//! | file | thought |
//! |---|---|
//! | `names` | every metric, span and log field: the table behind `docs/telemetry.md` |
//! | `settings`, `resource` | what the environment says: where to, and who sends |
//! | `logs` | lines on stdout |
//! | `traces`, `measure` | spans and whose trace they are in; spans measured |
//! | `metrics`, `standing`, `lane`, `pump` | numbers, how things stand, and their export within a second |
//! | `application_insights`, `monitor_token`, `transport`, `deliveries` | the way out, bounded; a log line when nothing arrives |

mod application_insights;
mod deliveries;
mod lane;
mod logs;
mod measure;
pub mod metrics;
mod monitor_token;
pub mod names;
mod pump;
mod resource;
mod settings;
pub mod standing;
mod traces;
mod transport;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::Ambient;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::traces::{TraceIds, continue_trace, link_to, sync_step, trace_id, traceparent};
use deliveries::{Deliveries, span_processor};
use lane::Lane;
use settings::Destinations;
use standing::Standing;
use transport::Transport;

/// How long the end of the process may be put off to export what is left.
const LAST_EXPORT: Duration = Duration::from_secs(2);
/// A component adds up the figures that it gets, so the app repeats none while nothing happens.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
/// How many points of how things stand one export to Application Insights has: its exporter makes an envelope of kilobytes of each,
/// and holds all of them at once.
const AT_ONCE: usize = 500;

/// Keeps telemetry going; exports what is left when it is dropped.
#[must_use = "telemetry ends when this is dropped"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // Each end runs on a thread of its own, so that one destination that hangs takes no time from another. The
        // threads are not joined: a provider that does not keep to the deadline ends with the process.
        let mut ends: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        if let Some(traces) = self.traces.take() {
            // The process ends, so there is no place to report a failure here, and below.
            ends.push(Box::new(move || drop(traces.shutdown_with_timeout(LAST_EXPORT))));
        }
        ends.extend(metrics::take().into_iter().flat_map(Lane::ends));
        let (ended, wait) = std::sync::mpsc::channel();
        let mut number = 0;
        for end in ends {
            let ended = ended.clone();
            let thread = std::thread::Builder::new().spawn(move || {
                end();
                // The receiver is gone after the deadline.
                let _ = ended.send(());
            });
            number += usize::from(thread.is_ok());
        }
        let deadline = Instant::now() + LAST_EXPORT;
        for _ in 0..number {
            if wait.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_err() {
                break;
            }
        }
    }
}

/// Starts telemetry for `serve`, within its runtime. `RUST_LOG` sets what is logged; without it `info` of our own.
pub fn start(ambient: &Ambient) -> Telemetry {
    let variable = |name: &str| std::env::var(name).ok();
    let mut destinations = Destinations::from_variables(&variable);
    let traces = start_exports(&mut destinations, Handle::current(), ambient);
    let (logs, complaint) = logs::layer(variable("RUST_LOG").as_deref(), std::io::stdout);
    destinations.complaints.extend(complaint);
    let spans = traces.as_ref().map(|provider| {
        // Events stay in the log: the host forwards its lines, and twice is once too often.
        tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_tracer(provider.tracer("policysync"))
            .with_filter(filter_fn(|metadata| metadata.is_span() && logs::is_ours(metadata)))
    });
    let measure = measure::Measure::new(metrics::span_ended)
        .with_filter(filter_fn(|metadata| metadata.is_span() && measure::metric(metadata).is_some()));
    let started = tracing_subscriber::registry().with(logs).with(spans).with(measure).try_init();
    debug_assert!(started.is_ok(), "telemetry was started twice");
    if traces.is_some() {
        azure::trace::install(traces::traceparent);
    }
    for complaint in &destinations.complaints {
        tracing::warn!("{complaint}");
    }
    Telemetry { traces }
}

/// Makes every exporter that the settings ask for. It complains about one that cannot be made, and leaves it out.
fn start_exports(
    destinations: &mut Destinations,
    runtime: Handle,
    ambient: &Ambient,
) -> Option<SdkTracerProvider> {
    if !destinations.otlp_traces && !destinations.otlp_metrics && destinations.application_insights.is_none()
    {
        return None;
    }
    let resource = resource::resource(&|name| std::env::var(name).ok(), ambient);
    let standing = Arc::new(Mutex::new(Standing::default()));
    let mut traces = SdkTracerProvider::builder().with_resource(resource.clone());
    traces = traces.with_id_generator(TraceIds(ambient.randomness.clone()));
    // The host marks its calls as not sampled while its own telemetry is the classic one, so the app ignores that mark.
    if std::env::var_os("OTEL_TRACES_SAMPLER").is_none() {
        traces = traces.with_sampler(Sampler::AlwaysOn);
    }
    let (mut lanes, mut has_traces) = (Vec::new(), false);
    let collector = Deliveries::to("otlp");
    if destinations.otlp_traces {
        let exporter = SpanExporter::builder().with_http().with_http_client(Transport::new(runtime.clone()));
        match exporter.with_protocol(Protocol::HttpBinary).build() {
            Ok(exporter) => {
                traces = traces.with_span_processor(span_processor(exporter, &collector, false));
                has_traces = true;
            }
            Err(error) => destinations.complaints.push(format!("traces are not exported by OTLP: {error}")),
        }
    }
    if destinations.otlp_metrics {
        let exporter = || {
            let exporter =
                MetricExporter::builder().with_http().with_http_client(Transport::new(runtime.clone()));
            exporter.with_protocol(Protocol::HttpBinary).build().map_err(|error| error.to_string())
        };
        match Lane::start(exporter, &resource, &collector, None, None, &standing) {
            Ok(lane) => lanes.push(lane),
            Err(error) => destinations.complaints.push(format!("metrics are not exported by OTLP: {error}")),
        }
    }
    if let Some(ingestion) = &destinations.application_insights {
        let component = Deliveries::to("application-insights");
        let exporter = || ingestion.exporter(runtime.clone(), ambient);
        let lane = exporter().and_then(|spans| {
            let lane = Lane::start(exporter, &resource, &component, Some(NEVER), Some(AT_ONCE), &standing)?;
            Ok((spans, lane))
        });
        match lane {
            Ok((spans, lane)) => {
                traces = traces.with_span_processor(span_processor(spans, &component, true));
                has_traces = true;
                lanes.push(lane);
            }
            Err(error) => {
                destinations.complaints.push(format!("nothing is sent to Application Insights: {error}"));
            }
        }
    }
    metrics::install(lanes, standing);
    has_traces.then(|| traces.build())
}
