//! The three answers that leave this process.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;

use crate::reply::Reply;
use crate::sent::Sent;
use crate::unsuccessful::Unsuccessful;

/// To `GET /`: made without looking at anything. The host takes any answer for readiness, and waits for one before the
/// first invocation.
pub(crate) fn ready() -> Response {
    with_type(Body::from(Bytes::from_static(br#"{"status":"ready"}"#)))
}

pub(crate) fn success(reply: &Reply) -> Response {
    with_type(Body::new(Sent::new(reply.to_bytes(), reply.sent())))
}

pub(crate) fn failure(error: &Unsuccessful, invocation: &str) -> Response {
    let body = json!({ "error": { "reason": error.reason(), "message": error.message(), "invocationId": invocation } });
    let mut response = with_type(Body::from(body.to_string()));
    *response.status_mut() = error.status();
    if let Ok(phrase) = hyper::ext::ReasonPhrase::try_from(error.reason().as_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

/// Exactly `application/json`: the host takes no other media type with `json` in its name.
fn with_type(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
