//! Builds each recorded request of the real host again from its cause, and compares it as it stands on the wire:
//! request line, headers with their order and case, sizes of the chunks, text of the body.
//!
//! A test is named after its case. Ports, ids and times are those of the recording. One case cannot be the same byte
//! for byte: see [`timer::timer_retry_fixed_delay_attempt1`].

mod batch_of_messages;
mod event_grid;
mod event_hub;
mod http;
mod messages;
mod polls;
mod single_message;
mod timer;

use bytes::BytesMut;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::app::{self, AppSettings, Function};
use crate::envelope::{self, Attempt, Payload};
use crate::exchange;
use crate::newtonsoft::{self, Token};
use crate::wire::{Incoming, Outgoing};
use crate::zone::Zone;

/// A recorded request.
struct Capture {
    name: String,
    file: Value,
}

impl Capture {
    fn load(name: &str) -> Self {
        let path = format!("{}/../../tests/fixtures/captured/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(file["case"], name);
        Self { name: name.to_owned(), file }
    }

    fn body(&self) -> &Value {
        &self.file["body"]
    }

    fn text(&self) -> &str {
        self.file["bodyText"].as_str().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.file["headers"].as_array().unwrap();
        headers.iter().find(|header| header[0] == name).map(|header| header[1].as_str().unwrap())
    }

    /// The body of this invocation, with the times and ids of the recording.
    fn body_of(&self, function: &Function, payload: &Payload, retry: Option<Token>, zone: &Zone) -> String {
        let sys = &self.body()["Metadata"]["sys"];
        let now = sys["UtcNow"].as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let random = sys["RandGuid"].as_str().and_then(|text| Uuid::parse_str(text).ok());
        let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let attempt = Attempt { now, random: random.unwrap_or_default(), retry };
        envelope::write(&function.name, payload, &attempt, zone)
    }

    /// The request that carries a body, to the address of the recording.
    fn request(&self, function: &Function, body: String) -> Outgoing {
        let id = Uuid::parse_str(self.header("X-Azure-Functions-InvocationId").unwrap()).unwrap();
        let traced = self.header("traceparent").is_some();
        exchange::envelope_request(&function.name, self.header("Host").unwrap(), id, traced, body)
    }

    /// Checks that an invocation is sent as recorded.
    fn check(&self, function: &Function, payload: &Payload, retry: Option<Token>, zone: &Zone) {
        let body = self.body_of(function, payload, retry, zone);
        self.compare(&self.request(function, body));
    }

    /// Compares a request with the recorded one.
    fn compare(&self, request: &Outgoing) {
        let seen = Seen::of(request);
        let name = &self.name;
        assert_eq!(seen.line, self.file["requestLine"].as_str().unwrap(), "{name}");
        assert_eq!(seen.headers(self), self.file["headers"], "{name}");
        assert_eq!(seen.body, self.text(), "{name}");
        assert_eq!(seen.framing, self.file["framing"], "{name}");
    }
}

/// A request as it stands on the wire.
struct Seen {
    line: String,
    headers: Vec<(String, String)>,
    framing: Value,
    body: String,
}

impl Seen {
    /// Reads the bytes that the client would write.
    fn of(request: &Outgoing) -> Self {
        let bytes = request.to_bytes();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut rest = &bytes[end + 4..];
        let has = |wanted: &str| headers.iter().any(|(name, _)| name == wanted);
        let (framing, body) = if has("Transfer-Encoding") {
            let mut chunks = Vec::new();
            let mut body = Vec::new();
            while chunks.last() != Some(&0) {
                let end = rest.iter().position(|byte| *byte == b'\r').unwrap();
                let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
                body.extend_from_slice(&rest[end + 2..end + 2 + size]);
                rest = rest[end + 2 + size..].strip_prefix(b"\r\n").unwrap();
                chunks.push(size);
            }
            assert!(rest.is_empty(), "something follows the last chunk");
            (json!({"framing": "chunked", "chunks": chunks}), body)
        } else if has("Content-Length") {
            (json!({"framing": "content-length", "length": rest.len()}), rest.to_vec())
        } else {
            (json!({"framing": "none", "length": rest.len()}), rest.to_vec())
        };
        Self { line, headers, framing, body: String::from_utf8(body).unwrap() }
    }

    /// The headers in their order; a trace is new each time, so of that only the form is compared.
    fn headers(&self, capture: &Capture) -> Value {
        let headers = self.headers.iter().map(|(name, value)| {
            if name != "traceparent" {
                return json!([name, value]);
            }
            let widths: Vec<_> = value.split('-').map(str::len).collect();
            assert!(
                widths == [2, 32, 16, 2] && value.starts_with("00-") && value.ends_with("-01"),
                "{value}"
            );
            json!([name, capture.header(name)])
        });
        headers.collect()
    }
}

/// The function `name` with one binding, as it is read from a folder.
fn function(name: &str, trigger: &str) -> Function {
    let root = tempfile::tempdir().unwrap();
    let host = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;
    std::fs::write(root.path().join("host.json"), host).unwrap();
    std::fs::create_dir(root.path().join(name)).unwrap();
    let text = format!(r#"{{"bindings":[{{{trigger}}}]}}"#);
    std::fs::write(root.path().join(name).join("function.json"), text).unwrap();
    let mut app = app::load(root.path(), &AppSettings::default()).unwrap();
    assert_eq!(app.broken, []);
    app.functions.pop().unwrap()
}

/// The `RetryContext` of a first attempt.
fn first_attempt() -> Option<Token> {
    let text = r#"{"RetryCount":0,"MaxRetryCount":2,"Exception":null,"Instance":null,"State":{}}"#;
    newtonsoft::parse(text, &Zone::Utc).ok()
}

/// Shows that the recorded requests are not ambiguous to a handler's own HTTP parser.
#[tokio::test]
async fn the_bytes_of_a_request_are_read_back_as_they_were_written() {
    let capture = Capture::load("sb.batch.string.plaintext");
    let function = function("sync-job", r#""type":"eventGridTrigger","name":"e""#);
    let bytes = capture.request(&function, capture.text().to_owned()).to_bytes();
    let mut buffer = BytesMut::new();
    let mut incoming = Incoming::new(bytes.as_slice(), &mut buffer);
    let head = incoming.request_head().await.unwrap().unwrap();
    assert_eq!(incoming.request_body(&head.headers).await.unwrap(), capture.text().as_bytes());
}

#[test]
fn every_recorded_request_has_its_test() {
    let sources = [
        include_str!("captured/batch_of_messages.rs"),
        include_str!("captured/event_grid.rs"),
        include_str!("captured/event_hub.rs"),
        include_str!("captured/http.rs"),
        include_str!("captured/polls.rs"),
        include_str!("captured/single_message.rs"),
        include_str!("captured/timer.rs"),
    ];
    let folder = format!("{}/../../tests/fixtures/captured", env!("CARGO_MANIFEST_DIR"));
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap().strip_suffix(".json").unwrap().to_owned());
    let names: Vec<String> = names.collect();
    let missing: Vec<_> = names
        .iter()
        .filter(|name| *name != "reply-outcomes")
        .filter(|name| !sources.iter().any(|source| source.contains(&format!("\"{name}\""))))
        .collect();
    assert_eq!(names.len(), 35);
    assert!(missing.is_empty(), "{missing:?}");
}
