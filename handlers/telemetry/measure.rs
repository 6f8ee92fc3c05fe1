//! Measures spans: how long invocations and requests take, with attributes from their spans.
//!
//! So the crates below know nothing of metrics, and the numbers do not depend on which traces are sampled.

use std::fmt;
use std::time::Duration;

use opentelemetry::{KeyValue, Value};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::names::{self, Metric};

/// The layer. It tells `measured` of each span that ends: the metric, how long it took, and the attributes.
pub struct Measure<F> {
    measured: F,
}

impl<F: Fn(&'static Metric, Duration, &[KeyValue]) + 'static> Measure<F> {
    /// Measures spans and calls `measured`, on the thread that ends the span: it must not wait for anything.
    pub fn new(measured: F) -> Self {
        Self { measured }
    }
}

/// The metric and the attributes of a span so far.
struct Measured {
    metric: &'static Metric,
    since: Instant,
    attributes: Vec<KeyValue>,
}

/// The metric of a span, if it has one.
pub fn metric(metadata: &Metadata<'_>) -> Option<&'static Metric> {
    match (metadata.name(), metadata.target()) {
        ("invocation", target) if target.starts_with("functions_host") => Some(&names::INVOKE_DURATION),
        ("call", target) if target.starts_with("azure") => Some(&names::REQUEST_DURATION),
        _ => None,
    }
}

impl<S, F> Layer<S> for Measure<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Fn(&'static Metric, Duration, &[KeyValue]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (Some(metric), Some(span)) = (metric(attributes.metadata()), context.span(id)) else { return };
        let mut measured = Measured { metric, since: Instant::now(), attributes: Vec::new() };
        attributes.record(&mut measured);
        span.extensions_mut().insert(measured);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(measured) = span.extensions_mut().get_mut::<Measured>() {
            values.record(measured);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(mut measured) = span.extensions_mut().remove::<Measured>() else { return };
        // Any process on this machine can post to a function that does not exist, so such a name must not become a
        // series.
        let is_invocation = measured.metric.name == names::INVOKE_DURATION.name;
        if is_invocation && !measured.attributes.iter().any(|known| known.key.as_str() == "faas.trigger") {
            measured.attributes.retain(|known| known.key.as_str() != "faas.name");
            measured.attributes.push(KeyValue::new("faas.name", "_OTHER"));
        }
        (self.measured)(measured.metric, measured.since.elapsed(), &measured.attributes);
    }
}

impl Measured {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        if self.metric.attributes.contains(&name) {
            self.attributes.retain(|known| known.key.as_str() != name);
            self.attributes.push(KeyValue::new(name, value));
        }
    }
}

impl Visit for Measured {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    type Told = (&'static str, Vec<String>);

    fn told(act: impl FnOnce()) -> Vec<Told> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        let layer = Measure::new(move |metric: &'static Metric, _, attributes: &[KeyValue]| {
            let mut texts: Vec<String> =
                attributes.iter().map(|a| format!("{}={}", a.key, a.value)).collect();
            texts.sort();
            kept.lock().unwrap().push((metric.name, texts));
        });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        std::mem::take(&mut *told.lock().unwrap())
    }

    #[test]
    fn a_span_is_measured_with_the_attributes_of_its_metric_and_no_others() {
        let measured = told(|| {
            let span = tracing::info_span!(
                target: "azure::http::span", "call", http.request.method = "GET", url.full = "https://a/b",
                server.address = "a", server.port = 443_u16, http.response.status_code = tracing::field::Empty,
            );
            span.record("http.response.status_code", 200_u16);
            tracing::info_span!(target: "azure", "send");
        });
        let expected = [
            "http.request.method=GET",
            "http.response.status_code=200",
            "server.address=a",
            "server.port=443",
        ];
        assert_eq!(measured, [("http.client.request.duration", expected.map(str::to_owned).to_vec())]);
    }

    #[test]
    fn a_function_that_does_not_exist_makes_no_series_of_its_own() {
        let measured = told(|| {
            tracing::info_span!(target: "functions_host::router", "invocation", faas.name = "guess-1");
            tracing::info_span!(
                target: "functions_host::router", "invocation", faas.name = "tick", faas.trigger = "timer",
            );
        });
        assert_eq!(measured[0].1, ["faas.name=_OTHER"]);
        assert_eq!(measured[1].1, ["faas.name=tick", "faas.trigger=timer"]);
    }
}
