//! Puts spans into their traces: the way of a request from the submission to the evidence is one trace.
//!
//! A batch has messages of many traces, and is a part of none of them: its span links to each. The work for one request
//! is a span in the trace of that request, which links back to the invocation.

use std::collections::HashMap;

use ambient::Randomness;
use certificate_management::ArmId;
use functions_host::TraceContext;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceId};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::IdGenerator;
use tracing::Span;
use tracing::field::{Empty, display};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use ulid::Ulid;

/// Draws the ids of traces and spans. That one is all zeros, which none may be, is as likely as that two are the same.
#[derive(Debug)]
pub struct TraceIds(pub Randomness);

impl IdGenerator for TraceIds {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(self.0.bits())
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.0.bits() as u64)
    }
}

/// Makes the span of an invocation part of the caller's trace, and shows the trace in its log lines.
pub fn continue_trace(span: &Span, trace: &TraceContext) {
    let context = extract(trace);
    if context.span().span_context().is_valid() {
        // A span that is not exported has no place in a trace; that is no error here.
        let _ = span.set_parent(context.clone());
    }
    show_trace(span, "trace_id", &context.span().span_context().clone());
}

/// A step of a sync: a span within the trace that a message carries.
pub fn sync_step(step: &'static str, traceparent: Option<&str>, namespace_id: &ArmId) -> Span {
    let invocation = Span::current();
    let span = tracing::info_span!(
        "sync",
        otel.name = %format_args!("sync {step}"),
        namespace = namespace_id.name(),
        policysync.namespace.id = %namespace_id,
        request.trace_id = Empty,
    );
    if traceparent.is_none() {
        return span;
    }
    let context = extract(&TraceContext::new(traceparent, None));
    let request = context.span().span_context().clone();
    if request.is_valid() {
        // As in `continue_trace`.
        let _ = span.set_parent(context);
        span.add_link(invocation.context().span().span_context().clone());
        show_trace(&span, "request.trace_id", &request);
    }
    span
}

/// Links the current span, that of a batch, to the trace that one of its messages carries.
pub fn link_to(traceparent: Option<&str>) {
    if traceparent.is_none() {
        return;
    }
    let context = extract(&TraceContext::new(traceparent, None));
    Span::current().add_link(context.span().span_context().clone());
}

/// The `traceparent` of the current span; `None` where spans are not exported, or there is none.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let current = span.span_context();
    current.is_valid().then(|| {
        let (trace, span, flags) = (current.trace_id(), current.span_id(), current.trace_flags().to_u8());
        format!("00-{trace}-{span}-{flags:02x}")
    })
}

/// The id of the trace that a run belongs to: the caller's, or that of the exported span. A run without either gets a
/// trace id of its own: the run's id as 32 hexadecimal digits.
#[must_use]
pub fn trace_id(trace: &TraceContext, run: Ulid) -> String {
    let of_caller = trace.traceparent.as_deref().and_then(|parent| parent.split('-').nth(1));
    if let Some(id) = of_caller {
        return id.to_owned();
    }
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() { span.trace_id().to_string() } else { format!("{:032x}", run.0) }
}

/// Records which trace a span is in: that of its own context, or of its parent where spans are not exported.
fn show_trace(span: &Span, field: &'static str, parent: &SpanContext) {
    let own = span.context().span().span_context().trace_id();
    let trace = if own == opentelemetry::TraceId::INVALID { parent.trace_id() } else { own };
    if trace != opentelemetry::TraceId::INVALID {
        span.record(field, display(trace));
    }
}

fn extract(trace: &TraceContext) -> opentelemetry::Context {
    let mut carrier = HashMap::new();
    carrier.extend(trace.traceparent.clone().map(|parent| ("traceparent".to_owned(), parent)));
    carrier.extend(trace.tracestate.clone().map(|state| ("tracestate".to_owned(), state)));
    TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), &carrier)
}
