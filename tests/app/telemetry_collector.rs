//! A collector for tests: takes OTLP over HTTP, read with the published protobuf types, and the telemetry for
//! Application Insights. It can hang and lie too.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::runtime::{self, Runtime};

/// What a collector does with what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Takes,
    /// Never answers.
    Hangs,
    /// Says that it is overloaded.
    Refuses,
    /// Answers 200 with nonsense that does not end.
    Lies,
}

/// What came, and when.
#[derive(Default)]
pub struct Received {
    pub spans: Vec<(SystemTime, Span)>,
    pub metrics: Vec<(SystemTime, Metric)>,
    pub resources: Vec<Vec<KeyValue>>,
    pub envelopes: Vec<Value>,
    pub authorizations: Vec<Option<String>>,
    pub headers: Vec<HeaderMap>,
    pub requests: usize,
}

/// A running collector. It is gone when it is dropped, and its connections too: they live in a runtime of its own.
pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Received>>,
    runtime: Option<Runtime>,
}

type Shared = (Arc<Mutex<Received>>, Manner);

impl Collector {
    pub fn start(manner: Manner) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Received::default()));
        let routes = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .route("/v2.1/track", post(track))
            .with_state((Arc::clone(&received), manner));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
        Self { url: format!("http://{address}"), received, runtime: Some(runtime) }
    }

    /// Ends it at once, in the middle of its work.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Looks at the telemetry that came so far.
    pub fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&self.received.lock().unwrap())
    }

    pub fn spans(&self) -> Vec<Span> {
        self.look(|received| received.spans.iter().map(|(_, span)| span.clone()).collect())
    }

    pub fn metrics(&self) -> Vec<Metric> {
        self.look(|received| received.metrics.iter().map(|(_, metric)| metric.clone()).collect())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn behave(manner: Manner) -> Response {
    let status = match manner {
        Manner::Takes => StatusCode::OK,
        Manner::Hangs => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK
        }
        Manner::Refuses => StatusCode::SERVICE_UNAVAILABLE,
        Manner::Lies => {
            let endless =
                futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 65_536])));
            return Response::new(axum::body::Body::from_stream(endless));
        }
    };
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response
}

fn note(shared: &Shared, headers: &HeaderMap, keep: impl FnOnce(&mut Received)) {
    let mut received = shared.0.lock().unwrap();
    received.requests += 1;
    received.headers.push(headers.clone());
    if shared.1 == Manner::Takes {
        keep(&mut received);
    }
}

async fn traces(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    note(&shared, &headers, |received| {
        for resource in request.resource_spans {
            received.resources.extend(resource.resource.map(|resource| resource.attributes));
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                received.spans.push((SystemTime::now(), span));
            }
        }
    });
    behave(shared.1).await
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    note(&shared, &headers, |received| {
        for resource in request.resource_metrics {
            received.resources.extend(resource.resource.map(|resource| resource.attributes));
            for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                received.metrics.push((SystemTime::now(), metric));
            }
        }
    });
    behave(shared.1).await
}

async fn track(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    let envelopes: Vec<Value> = serde_json::from_str(&text).unwrap();
    note(&shared, &headers, |received| {
        received.envelopes.extend(envelopes);
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        received.authorizations.push(authorization);
    });
    behave(shared.1).await
}

/// An attribute as text.
pub fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|known| known.key == name)?;
    Some(match found.value.as_ref()? {
        AnyValue { value: Some(any_value::Value::StringValue(text)) } => text.clone(),
        AnyValue { value: Some(any_value::Value::IntValue(number)) } => number.to_string(),
        other => format!("{other:?}"),
    })
}

/// The attributes of each point of a metric, and its value: of a histogram, its count.
pub fn points(metric: &Metric) -> Vec<(Vec<KeyValue>, f64)> {
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
    let number = |value: Option<Number>| match value {
        Some(Number::AsDouble(value)) => value,
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        Some(Number::AsInt(value)) => value as f64,
        None => f64::NAN,
    };
    match metric.data.clone().unwrap() {
        Data::Gauge(gauge) => {
            gauge.data_points.into_iter().map(|p| (p.attributes, number(p.value))).collect()
        }
        Data::Sum(sum) => sum.data_points.into_iter().map(|p| (p.attributes, number(p.value))).collect(),
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        Data::Histogram(histogram) => {
            histogram.data_points.into_iter().map(|p| (p.attributes, p.count as f64)).collect()
        }
        other => panic!("{other:?}"),
    }
}
