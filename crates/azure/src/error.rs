//! The one error of this crate: what was attempted, what the service said, and whether trying again is of use.
//!
//! It is made at the border to the network and holds text only, so it can be cloned, shared by callers that waited
//! for the same thing, and logged. It never holds a header, a query string or a request body, since those are where
//! tokens, signatures and keys travel.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use url::Url;

use crate::pause;

/// Longest message that is kept of a service's answer, in characters.
const MESSAGE_LIMIT: usize = 500;

/// The kind of the failure: one for each choice that a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The resource does not exist (404, 410).
    NotFound,
    /// There is no valid token, or the service does not accept it (401).
    Unauthorized,
    /// The identity may not do this (403).
    Forbidden,
    /// Another operation or resource is in the way (409).
    Conflict,
    /// The resource was changed since it was read (412).
    PreconditionFailed,
    /// The request or the configuration is wrong (other 4xx, or refused before sending).
    Invalid,
    /// The service asks to wait: 429, or 503 with `Retry-After`.
    Throttled {
        /// How long the service asks to wait, at the most [`crate::LONGEST_PAUSE`]; `None` when it does not say.
        retry_after: Option<Duration>,
    },
    /// The service could not be reached or failed (5xx, connect error, reset).
    Unavailable,
    /// The deadline passed.
    Timeout,
    /// A body is larger than its limit.
    TooLarge,
    /// A URL points outside the configured cloud; nothing was sent to it.
    Untrusted,
    /// The answer is not as specified.
    Unreadable,
}

/// Whether the request may have reached the service. A write whose answer was lost is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sent {
    /// The request certainly did not reach the service.
    No,
    /// The request, or an earlier attempt of the same call, was sent or partly sent, and no answer came that settles
    /// it.
    Maybe,
    /// The service answered.
    Yes,
}

/// Why a call to Azure did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Detail>);

#[derive(Debug, Clone)]
struct Detail {
    kind: ErrorKind,
    sent: Sent,
    attempted: String,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    tracking_id: Option<String>,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        sent: Sent,
        attempted: impl Into<String>,
        message: impl AsRef<str>,
    ) -> Self {
        let kind = match kind {
            ErrorKind::Throttled { retry_after } => {
                ErrorKind::Throttled { retry_after: retry_after.map(pause::believed) }
            }
            kind => kind,
        };
        Self(Box::new(Detail {
            kind,
            sent,
            attempted: attempted.into(),
            status: None,
            code: None,
            message: bounded(message.as_ref()),
            tracking_id: None,
        }))
    }

    /// Refused before anything was sent: the request or the configuration is wrong.
    pub(crate) fn invalid(attempted: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::Invalid, Sent::No, attempted, message)
    }

    /// The caller's own deadline passed while it waited; the request may have reached the service.
    #[must_use]
    pub fn timed_out(attempted: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, Sent::Maybe, attempted, "no answer in time")
    }

    /// The service answered with something that is not as specified.
    pub(crate) fn unreadable(attempted: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::Unreadable, Sent::Yes, attempted, message)
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code.map(|code| bounded(&code));
        self
    }

    pub(crate) fn with_tracking_id(mut self, id: Option<String>) -> Self {
        self.0.tracking_id = id.map(|id| id.chars().filter(|c| c.is_ascii_graphic()).take(64).collect());
        self
    }

    pub(crate) fn with_sent(mut self, sent: Sent) -> Self {
        self.0.sent = sent;
        self
    }

    /// Says that an earlier attempt of the same call may have taken effect, although the last one did not.
    pub(crate) fn in_doubt(self) -> Self {
        if self.may_have_taken_effect() { self } else { self.with_sent(Sent::Maybe) }
    }

    /// Removes each of these texts, for a service that repeats in its message what it was sent.
    pub(crate) fn without(mut self, secrets: &[String]) -> Self {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            self.0.message = self.0.message.replace(secret.as_str(), "[redacted]");
        }
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Timeout)
    }

    /// How long the service asked to wait, at the most [`crate::LONGEST_PAUSE`], so that it can be added to any time.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.0.kind {
            ErrorKind::Throttled { retry_after } => retry_after,
            _ => None,
        }
    }

    /// The service's own code: ARM's `error.code`, DPS's `errorCode` (`azure-wire-facts.md` §1.6, §3).
    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Whether the service does not answer the API version of the call, or does not know its resource type: it is of
    /// another generation than was asked for. Its message names the versions that it has.
    #[must_use]
    pub fn rejects_api_version(&self) -> bool {
        const CODES: [&str; 5] = [
            "InvalidApiVersionParameter",
            "UnsupportedApiVersion",
            "NoRegisteredProviderFound",
            "InvalidResourceType",
            "MissingApiVersionParameter",
        ];
        let says_so =
            self.status() == Some(400) && self.message().to_ascii_lowercase().contains("api-version");
        says_so
            || self.service_code().is_some_and(|code| CODES.iter().any(|own| code.eq_ignore_ascii_case(own)))
    }

    /// The message of the service, or what happened; without the call. At most 500 characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Whether the request may have reached the service.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// Whether a write may have taken effect in spite of this error: its answer was lost or unreadable, or the
    /// service failed while it worked. A clear refusal (4xx, throttling) is not such a case.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self.0.sent {
            Sent::No => false,
            Sent::Maybe => true,
            Sent::Yes => matches!(
                self.0.kind,
                ErrorKind::Unavailable
                    | ErrorKind::Timeout
                    | ErrorKind::TooLarge
                    | ErrorKind::Untrusted
                    | ErrorKind::Unreadable
            ),
        }
    }

    /// A stable, low-cardinality name of the kind, for metrics.
    #[must_use]
    pub fn metric_label(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::NotFound => "not_found",
            ErrorKind::Unauthorized => "unauthorized",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::Conflict => "conflict",
            ErrorKind::PreconditionFailed => "precondition_failed",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Throttled { .. } => "throttled",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Timeout => "timeout",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::Untrusted => "untrusted",
            ErrorKind::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attempted)?;
        if let Some(status) = self.status {
            write!(f, " answered {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.tracking_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

/// Method, host and path: enough to know the call. The query is left out because operation URLs carry signatures.
pub(crate) fn attempted(method: &Method, url: &Url) -> String {
    format!("{method} {}{}", crate::authority::authority(url), url.path())
}

/// One line of at most [`MESSAGE_LIMIT`] characters: logs are lines, and a service may answer with a page.
fn bounded(text: &str) -> String {
    let flat = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let text = text.trim();
    match text.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => flat(&text[..end]) + "…",
        None => flat(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_at_most_500_characters() {
        let error = Error::invalid("GET host/path", format!("first\r\nsecond {}", "x".repeat(2_000)));
        assert!(error.message().starts_with("first  second"));
        assert_eq!(error.message().chars().count(), 501);
        assert!(error.message().ends_with('…'));
    }

    #[test]
    fn display_says_what_was_attempted_and_what_the_service_said_without_the_query() {
        let url =
            Url::parse("https://management.azure.com/subscriptions/S?api-version=1&sig=hidden").unwrap();
        let error =
            Error::new(ErrorKind::NotFound, Sent::Yes, attempted(&Method::GET, &url), "No such thing.")
                .with_status(404)
                .with_code(Some("ResourceNotFound".to_owned()))
                .with_tracking_id(Some("abc".to_owned()));
        assert_eq!(
            error.to_string(),
            "GET management.azure.com/subscriptions/S answered 404 ResourceNotFound: No such thing. (request id abc)"
        );
        assert!(!format!("{error:?}").contains("hidden"));
    }

    #[test]
    fn a_lost_answer_and_a_failing_service_may_have_taken_effect_and_a_refusal_has_not() {
        let error = |kind, sent| Error::new(kind, sent, "POST x", "");
        assert!(error(ErrorKind::Timeout, Sent::Maybe).may_have_taken_effect());
        assert!(error(ErrorKind::Unavailable, Sent::Yes).may_have_taken_effect());
        assert!(error(ErrorKind::Untrusted, Sent::Yes).may_have_taken_effect());
        assert!(!error(ErrorKind::Untrusted, Sent::No).may_have_taken_effect());
        assert!(!error(ErrorKind::Unavailable, Sent::No).may_have_taken_effect());
        assert!(!error(ErrorKind::Conflict, Sent::Yes).may_have_taken_effect());
        assert!(!error(ErrorKind::Throttled { retry_after: None }, Sent::Yes).may_have_taken_effect());
    }

    #[test]
    fn a_pause_that_is_asked_for_is_bounded_however_the_error_was_made() {
        for (asked, told) in [(Duration::MAX, 300), (Duration::from_secs(301), 300), (Duration::ZERO, 0)] {
            let kind = ErrorKind::Throttled { retry_after: Some(asked) };
            let error = Error::new(kind, Sent::Yes, "GET x", "");
            let told = Some(Duration::from_secs(told));
            assert_eq!(error.retry_after(), told);
            assert_eq!(error.kind(), ErrorKind::Throttled { retry_after: told });
        }
    }

    #[test]
    fn secrets_that_a_service_repeats_are_removed() {
        let error =
            Error::invalid("PUT x", "bad key c2VjcmV0!").without(&["c2VjcmV0".to_owned(), String::new()]);
        assert_eq!(error.message(), "bad key [redacted]!");
    }
}
