//! Takes one request to a service and brings its answer back: `reqwest` in production. Another implementation of
//! [`Transport`] replaces it as a whole; deadlines, budgets, retries and limits stay above it.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

use super::client::chain;
use crate::error::{ErrorKind, Sent};

/// A request as it goes out.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers, but for those that the transport knows best: the host, and the length of the body.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// An answer as it comes in: the body is still on its way.
pub struct Incoming {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// How long the body will be, in bytes, where the service says so.
    pub length: Option<u64>,
    /// The parts of the body. After an error nothing comes.
    pub body: BoxStream<'static, Result<Bytes, TransportFailure>>,
}

/// Why a request has no answer, or an answer not its whole body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportFailure {
    /// `Invalid`, `Unavailable` or `Timeout`.
    pub kind: ErrorKind,
    /// Whether the request can have left this machine, which decides whether a write may be repeated.
    pub sent: Sent,
    /// What happened. It names neither query nor headers.
    pub message: String,
}

/// Sends requests. Dropping the future gives a request up; the service may carry it out all the same.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request once, and follows no redirect. Answers when the head of the answer has come.
    ///
    /// # Errors
    /// When there is no answer.
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure>;
}

/// The transport of production.
pub(super) struct Reqwest(pub(super) reqwest::Client);

#[async_trait]
impl Transport for Reqwest {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let Outgoing { method, url, headers, body } = request;
        let sent = self.0.request(method, url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(|error| failure(&error))?;
        let (status, length) = (response.status(), response.content_length());
        let headers = std::mem::take(response.headers_mut());
        let body = stream::try_unfold(response, |mut response| async move {
            let chunk = response.chunk().await.map_err(|error| failure(&error))?;
            Ok(chunk.map(|chunk| (chunk, response)))
        });
        Ok(Incoming { status, headers, length, body: body.boxed() })
    }
}

/// What a failed transfer means: whether the request can have left this machine decides whether a write may be repeated.
fn failure(error: &reqwest::Error) -> TransportFailure {
    let (kind, sent) = if error.is_builder() {
        (ErrorKind::Invalid, Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Unavailable, Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Sent::Maybe)
    } else {
        (ErrorKind::Unavailable, Sent::Maybe)
    };
    TransportFailure { kind, sent, message: chain(error) }
}
