//! Requests as the real host (4.1037) sent them, recorded byte for byte, and delivered again in the same framing.

use functions_host::{Definition, Invocation, Reply, Router, TraceContext, Trigger};
use serde_json::Value;
use tokio::sync::mpsc;

use super::client::{Answer, chunked, request};
use super::served::Served;

pub struct Fixture {
    pub function: String,
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub chunks: Vec<usize>,
    pub body: String,
}

impl Fixture {
    pub fn read(name: &str) -> Self {
        let recorded = read(name);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let line = text(&recorded["requestLine"]);
        let headers = recorded["headers"].as_array().expect("headers");
        let chunks = recorded["framing"]["chunks"].as_array().into_iter().flatten();
        let chunks: Vec<usize> =
            chunks.map(|size| usize::try_from(size.as_u64().expect("a size")).expect("small")).collect();
        let body = text(&recorded["bodyText"]);
        // The stack traces in this request were shortened after its framing had been recorded.
        if name != "timer.retry.fixedDelay.attempt1" && !chunks.is_empty() {
            assert_eq!(chunks.iter().sum::<usize>(), body.len(), "{name}: the recorded chunks are the body");
        }
        Self {
            function: line.split(' ').nth(1).expect("a path").trim_start_matches('/').to_owned(),
            line,
            headers: headers.iter().map(|header| (text(&header[0]), text(&header[1]))).collect(),
            chunks,
            body,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        &header.unwrap_or_else(|| panic!("no header {name}")).1
    }

    /// The exact bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = if self.chunks.is_empty() {
            self.body.clone().into_bytes()
        } else {
            chunked(self.body.as_bytes(), &self.chunks)
        };
        request(&self.line, &headers, &body)
    }
}

pub fn read(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/captured/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// What a function saw of a recorded request, and what the host got for it.
pub struct Delivered<T> {
    pub value: T,
    pub id: String,
    pub trace: TraceContext,
    pub answer: Answer,
}

/// Sends a recorded request over a socket to a function with that trigger, which decodes it and answers success.
pub async fn deliver<T: Send + 'static>(
    name: &str,
    trigger: Trigger,
    decode: impl Fn(&Invocation) -> T + Send + Sync + 'static,
) -> Delivered<T> {
    let fixture = Fixture::read(name);
    let definition = Definition { name: fixture.function.clone().leak(), trigger, outputs: &[] };
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let served = Served::new(Router::new().function(definition, move |invocation| {
        let decoded = (decode(&invocation), invocation.id.clone(), invocation.trace.clone());
        assert!(sender.send(decoded).is_ok(), "the test waits");
        async { Ok(Reply::success()) }
    }));
    let answer = served.connect().await.exchange(&fixture.bytes()).await;
    answer.assert_success();
    let (value, id, trace) = receiver.recv().await.expect("the function ran");
    assert_eq!(id, fixture.header("X-Azure-Functions-InvocationId"));
    Delivered { value, id, trace, answer }
}
