//! What goes over the wire: a call made ready, and its answer. Neither shows headers, query or body in `Debug`.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::{DEFAULT_DEADLINE, DEFAULT_RESPONSE_LIMIT};
use crate::access_token::AccessToken;
use crate::budget::Pace;
use crate::error::{Error, attempted};

/// One call, made ready. `Debug` shows neither headers nor body.
#[derive(Clone)]
pub struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) repeatable: bool,
    pub(super) deadline: Duration,
    pub(super) response_limit: usize,
    pub(super) pace: Option<Pace>,
}

/// An answer with its whole body.
pub struct Answer {
    /// The status; [`super::Http::send`] returns 2xx only.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within the limit of the call.
    pub body: Bytes,
    /// How long the service asks to wait, as far as it is believed.
    pub(crate) retry_after: Option<Duration>,
    pub(super) attempted: String,
    /// Whether an earlier attempt of the same call may have taken effect.
    pub(super) in_doubt: bool,
}

impl Call {
    /// A call that asks for JSON. GET and HEAD are repeatable, everything else is not until it says so.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        let repeatable = method.is_safe();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            method,
            url,
            headers,
            body: Bytes::new(),
            repeatable,
            deadline: DEFAULT_DEADLINE,
            response_limit: DEFAULT_RESPONSE_LIMIT,
            pace: None,
        }
    }

    /// Sets a header.
    ///
    /// # Errors
    /// `Invalid` when the value cannot stand in a header; the value is not repeated.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let Ok(mut header) = HeaderValue::from_str(value) else {
            return Err(Error::invalid(
                self.attempted(),
                format!("the value for header `{name}` cannot be sent"),
            ));
        };
        header.set_sensitive(name == AUTHORIZATION);
        self.headers.insert(name, header);
        Ok(self)
    }

    /// Authorizes the call with a bearer token. Check the URL with [`crate::cloud::Cloud::admit`] first.
    ///
    /// # Errors
    /// `Invalid` when the token holds characters that no token has.
    pub fn bearer(self, token: &AccessToken) -> Result<Self, Error> {
        self.header(AUTHORIZATION, &format!("Bearer {}", token.secret()))
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        self.body = body.into();
        self
    }

    /// Sets a body of any type; set its `Content-Type` with [`Call::header`].
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends `Content-Length: 0`, which services want for a POST without a body (`azure-wire-facts.md` §10a).
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        self.body = Bytes::new();
        self
    }

    /// Says that sending this twice does the same as sending it once, so the client sends it again after a lost answer
    /// too.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Says which bucket each attempt draws from before it is made.
    #[must_use]
    pub(crate) fn paced(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Sets the deadline of the call with all its attempts and waits.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the largest body that a successful answer may have, in bytes.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    pub(super) fn attempted(&self) -> String {
        attempted(&self.method, &self.url)
    }
}

impl Answer {
    /// The body read as JSON.
    ///
    /// # Errors
    /// `Unreadable` with the place of the problem. The text around it is not repeated: it may hold a key.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            self.unreadable(format!(
                "the body is not as specified ({:?} error at {line}:{column})",
                error.classify()
            ))
        })
    }

    /// The text of a header; `None` when it is absent, empty or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|text| !text.is_empty())
    }

    pub(crate) fn attempted(&self) -> &str {
        &self.attempted
    }

    pub(crate) fn unreadable(&self, message: impl AsRef<str>) -> Error {
        Error::unreadable(&self.attempted, message).with_status(self.status.as_u16())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attempted())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {} with {} bytes", self.attempted, self.status, self.body.len())
    }
}
