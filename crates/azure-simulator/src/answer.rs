//! Makes answers in the form that all services share.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An answer with a JSON body.
#[must_use]
pub fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response {
    answer(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer with a body of a known type.
#[must_use]
pub fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// RFC 3339, UTC.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    // RFC 3339 only refuses years past 9999, which the type does not hold without its large-dates feature.
    at.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}
