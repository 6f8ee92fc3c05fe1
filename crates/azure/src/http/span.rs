//! The span of one attempt of a call, in the words of the semantic conventions for HTTP clients.
//!
//! Each attempt is a request of its own on the wire, so each has a span of its own; waiting for the budget or before
//! another attempt is outside of it. A URL is shown without its query, since operation URLs and SAS tokens are secrets.

use tracing::Span;
use tracing::field::{Empty, display};

use super::{Answer, Call};
use crate::error::Error;

/// Opens the span of attempt number `attempt`, counted from 1.
pub(super) fn open(call: &Call, attempt: u32) -> Span {
    let url = &call.url;
    let span = tracing::info_span!(
        "call",
        otel.kind = "client",
        otel.name = %call.method,
        http.request.method = %call.method,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        url.full = %format_args!("{}://{}{}", url.scheme(), crate::authority::authority(url), url.path()),
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    );
    if attempt > 1 {
        span.record("http.request.resend_count", attempt - 1);
    }
    span
}

/// Records how the attempt ended: a status from 400 is an error of the call, and so is no answer at all.
pub(super) fn complete(span: &Span, result: &Result<Answer, Error>) {
    let status = result.as_ref().map_or_else(Error::status, |answer| Some(answer.status.as_u16()));
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    match (result, status) {
        (Err(error), _) => span.record("error.type", error.metric_label()),
        (Ok(_), Some(refused @ 400..)) => span.record("error.type", display(refused)),
        (Ok(_), _) => return,
    };
    span.record("otel.status_code", "ERROR");
}
