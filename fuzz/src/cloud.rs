//! An Azure in this process: a transport under the real clients that answers each call with the next part of an input. No
//! socket, no thread, and a clock that moves when nothing else can.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ambient::{Ambient, Clock, Randomness};
use async_trait::async_trait;
use azure::http::RetryPolicy;
use azure::http::transport::{Incoming, Outgoing, Transport, TransportFailure};
use azure::{AccessToken, Azure, Cloud, Error, Http, TokenSource};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::input::{first_line, text};

/// The one address of this Azure.
pub const ORIGIN: &str = "https://azure.example";
/// The same as a host name.
pub const HOST: &str = "azure.example";
/// The time in it.
pub const NOW: OffsetDateTime = datetime!(2026-11-23 05:00:00 UTC);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Success with this body.
    #[must_use]
    pub fn ok(body: &[u8]) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_vec() }
    }

    /// Another status, without a body.
    #[must_use]
    pub fn status(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// A part of an input: the body of a success, or, where it begins with `HTTP 404`, a status with a header a line, an empty
    /// line and the body.
    #[must_use]
    pub fn read(part: &[u8]) -> Self {
        let (line, mut rest) = first_line(part);
        let status = line.strip_prefix("HTTP ").and_then(|status| status.trim().parse::<u16>().ok());
        let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) else {
            return Self::ok(part);
        };
        let mut headers = HeaderMap::new();
        loop {
            let (line, after) = first_line(rest);
            rest = after;
            let Some((name, value)) = line.split_once(':') else { break };
            let name = HeaderName::from_bytes(name.trim().as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
                headers.append(name, value);
            }
        }
        Self { status, headers, body: rest.to_vec() }
    }

    /// The status.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        self.status
    }

    /// The body as text.
    #[must_use]
    pub fn body(&self) -> String {
        text(&self.body).into_owned()
    }
}

/// Something that answers calls.
pub trait Service: Send + Sync {
    /// The answer to a call.
    fn answer(&self, call: &Outgoing) -> Answer;
}

/// Answers with the same answers again and again, in their order.
#[derive(Debug)]
pub struct Script {
    answers: Vec<Answer>,
    given: AtomicUsize,
}

impl Script {
    /// The parts of an input as answers.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        Self { answers: parts.iter().map(|part| Answer::read(part)).collect(), given: AtomicUsize::new(0) }
    }
}

impl Service for Script {
    fn answer(&self, _call: &Outgoing) -> Answer {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        match self.answers.len() {
            0 => Answer::status(StatusCode::NOT_FOUND),
            many => self.answers[number % many].clone(),
        }
    }
}

/// A call that was made: its method, path with query, and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The body, as text.
    pub body: String,
}

/// The calls that were made, in their order.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<Made>>>);

impl Calls {
    /// What was called so far.
    #[must_use]
    pub fn made(&self) -> Vec<Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct InProcess {
    service: Box<dyn Service>,
    calls: Calls,
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        // Each call carries a token or a signature.
        let origin = request.url.origin().ascii_serialization();
        assert_eq!(origin, ORIGIN, "a call left the cloud: {}", request.url);
        self.calls.0.lock().unwrap_or_else(PoisonError::into_inner).push(Made {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            body: text(&request.body).into_owned(),
        });
        let Answer { status, headers, body } = self.service.answer(&request);
        let body = stream::iter([Ok(Bytes::from(body))]).boxed();
        Ok(Incoming { status, headers, length: None, body })
    }
}

struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self, _scope: &str) -> Result<AccessToken, Error> {
        Ok(AccessToken::new("token-of-the-fuzzer", NOW + time::Duration::HOUR))
    }
}

/// A time that stands still, and the same randomness each time.
#[must_use]
pub fn ambient() -> Ambient {
    Ambient { clock: Clock::of(|| NOW), randomness: Randomness::of_seed(0) }
}

/// The real clients over a service, and the calls that they make.
///
/// # Panics
/// Later, when a call leaves the cloud.
#[must_use]
pub fn clients(service: impl Service + 'static) -> (Azure, Calls) {
    let calls = Calls::default();
    let transport = InProcess { service: Box::new(service), calls: calls.clone() };
    let http = Http::over(Arc::new(transport), RetryPolicy::default(), ambient());
    let cloud = Cloud::new(Some(ORIGIN)).expect("it is an address");
    (Azure::new(http, cloud, Arc::new(AnyToken)), calls)
}

/// Runs a future to its end. Pauses take no time.
///
/// # Panics
/// When the operating system gives no runtime.
pub fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_body_or_an_answer_with_its_head() {
        assert_eq!(Answer::read(b"{}\n"), Answer::ok(b"{}\n"));
        let answer = Answer::read(b"HTTP 429\nRetry-After: 7\n\n{}");
        assert_eq!((answer.status.as_u16(), answer.body()), (429, "{}".to_owned()));
        assert_eq!(answer.headers["retry-after"], "7");
        assert_eq!(Answer::read(b"HTTP 99\n"), Answer::ok(b"HTTP 99\n"));
    }

    #[test]
    #[should_panic(expected = "a call left the cloud")]
    fn a_call_elsewhere_is_seen() {
        let transport = InProcess { service: Box::new(Script::of(&[])), calls: Calls::default() };
        let url = "https://elsewhere.example/".parse().unwrap();
        let call = Outgoing { method: http::Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        drop(wait(transport.send(call)));
    }
}
