//! Logs on stdout, one line each, with the invocation's id; traces over OTLP where an endpoint is set.
//!
//! The host takes every line on stderr for an error (`functions-host-protocol.md` §2.3), so logs go to stdout. Traces
//! are exported in the background and dropped when no collector takes them: telemetry never holds a reply back.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use functions_host::TraceContext;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use ulid::Ulid;

/// How long one export may take.
const EXPORT_DEADLINE: Duration = Duration::from_secs(5);

/// Keeps telemetry going; flushes what is left when it is dropped.
#[must_use = "telemetry ends when this is dropped"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = self.traces.take() {
            // Nothing is left to tell of a failure here.
            let _ = traces.shutdown();
        }
    }
}

/// Starts telemetry for `serve`. `RUST_LOG` sets what is logged; without it `info` of our own.
pub fn start() -> Telemetry {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,policysync=info,azure=info,azure_core=warn,azure_identity=warn,azure_messaging_servicebus=warn,state=info,functions_host=info"));
    let logs =
        tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(std::io::stdout);
    let traces = trace_provider();
    let export = traces
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("policysync")));
    let started = tracing_subscriber::registry().with(filter).with(logs).with(export).try_init();
    debug_assert!(started.is_ok(), "telemetry was started twice");
    Telemetry { traces }
}

/// Makes the span of an invocation part of the caller's trace. Without a trace, or without export, it does nothing.
pub fn continue_trace(span: &tracing::Span, trace: &TraceContext) {
    let Some(traceparent) = &trace.traceparent else { return };
    let mut carrier = HashMap::from([("traceparent".to_owned(), traceparent.clone())]);
    carrier.extend(trace.tracestate.clone().map(|state| ("tracestate".to_owned(), state)));
    // A span that nobody exports has no place in a trace; that is no error here.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}

/// A span of its own within the trace that a message carries: from the submit to the evidence it is one trace.
pub fn span_in_trace_of(traceparent: Option<&str>, namespace: &str) -> tracing::Span {
    let span = tracing::info_span!("sync", namespace);
    continue_trace(&span, &TraceContext::new(traceparent, None));
    span
}

/// Links the current span, that of a batch, to the trace that one of its messages carries.
pub fn link_to(trace: &TraceContext) {
    let Some(traceparent) = &trace.traceparent else { return };
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.clone())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    tracing::Span::current().add_link(context.span().span_context().clone());
}

/// The id of the trace that a run belongs to: the caller's, or that of the span which is exported. A run that belongs
/// to none has one of its own, its id as 32 hexadecimal digits.
#[must_use]
pub fn trace_id(trace: &TraceContext, run: Ulid) -> String {
    let of_caller = trace.traceparent.as_deref().and_then(|parent| parent.split('-').nth(1));
    if let Some(id) = of_caller {
        return id.to_owned();
    }
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() { span.trace_id().to_string() } else { format!("{:032x}", run.0) }
}

fn trace_provider() -> Option<SdkTracerProvider> {
    let endpoint =
        std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty())?;
    let client = reqwest::Client::builder().timeout(EXPORT_DEADLINE).build().ok()?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Collector { client, runtime: tokio::runtime::Handle::try_current().ok()? })
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .ok()?;
    let delay = BatchConfigBuilder::default().with_scheduled_delay(Duration::from_millis(500)).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(delay).build();
    let resource = Resource::builder().with_service_name("policysync").build();
    Some(SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build())
}

/// The way to the collector: our HTTP client, driven by our runtime, since the exporter has a thread of its own.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let sent = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let answer = self.runtime.spawn(async move {
            let answer = sent.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let (status, body) = answer.await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}
