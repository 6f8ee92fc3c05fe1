//! A server for tests: a closure answers each request, and every request is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::Ambient;
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use loopback::Server;
use serde_json::Value;
use time::OffsetDateTime;

use crate::credential::{AccessToken, TokenSource};
use crate::error::Error;
use crate::http::{Http, RetryPolicy};
use crate::{Azure, Cloud};

/// The token that [`Fake::azure`] sends.
pub(crate) const TOKEN: &str = "token-of-the-test";

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// How many requests came before this one.
    pub(crate) number: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::text(status, body.to_string())
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self::bytes(status, body.into().into_bytes())
    }

    pub(crate) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

pub(crate) struct Fake {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _server: Server,
}

impl Fake {
    /// Starts a server whose answers are made by `answer` from the request and its own origin.
    pub(crate) async fn start(answer: impl Fn(&Seen, &str) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let handler = move |own: String, method: Method, uri: Uri, headers: HeaderMap, body: Body| {
            let (log, answer) = (log.clone(), answer.clone());
            async move {
                let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
                let request = {
                    let mut log = log.lock().unwrap();
                    let request = Seen {
                        method,
                        path: uri.path().to_owned(),
                        query: uri.query().unwrap_or_default().to_owned(),
                        headers,
                        body: String::from_utf8(body.to_vec()).unwrap(),
                        number: log.len(),
                    };
                    log.push(request.clone());
                    request
                };
                let reply = answer(&request, &own);
                let mut response = Response::builder().status(reply.status);
                for (name, value) in reply.headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(reply.body)).unwrap()
            }
        };
        let router = |origin: &str| {
            let own = origin.to_owned();
            Router::new()
                .fallback(move |method, uri, headers, body| handler(own.clone(), method, uri, headers, body))
        };
        let server = Server::start(router).await.unwrap();
        Self { origin: server.origin().to_owned(), seen, _server: server }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Method and path of every request.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// The clients of a cloud that is this server.
    pub(crate) fn azure(&self) -> Azure {
        Azure::new(http(), Cloud::new(Some(&self.origin)).unwrap(), Arc::new(FixedToken))
    }
}

/// A client of its own per test, because connections belong to the runtime of a test; with pauses that tests can afford.
pub(crate) fn http() -> Http {
    let policy = RetryPolicy {
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(10),
        ..RetryPolicy::default()
    };
    Http::new(policy, Ambient::of_system()).unwrap()
}

/// Gives [`TOKEN`] for every scope.
pub(crate) struct FixedToken;

#[async_trait]
impl TokenSource for FixedToken {
    async fn token(&self, _scope: &str) -> Result<AccessToken, Error> {
        Ok(AccessToken::new(TOKEN, OffsetDateTime::now_utc() + time::Duration::HOUR))
    }
}
