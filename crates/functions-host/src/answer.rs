//! The three answers that leave this process.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde_json::json;

use crate::definition::{Definition, Trigger};
use crate::http_reply::HttpReply;
use crate::reply::Reply;
use crate::sent::Sent;
use crate::unsuccessful::Unsuccessful;

/// `error.code` of the answer to a client whose request is larger than is taken (413).
pub const BODY_TOO_LARGE: &str = "body-too-large";
/// `error.code` of the answer to a client for whose body there is no room now (503).
pub const BUSY: &str = "busy";

/// The answer to `GET /`, which depends on nothing. The host takes any answer for readiness, and waits for one before
/// the first invocation.
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

/// Turns the failure of an HTTP function's invocation into a response for the client where that is possible, so that
/// the client does not get the bare 500 that the host makes of a failed invocation. Other failures stay failures.
pub(crate) fn to_client(definition: &Definition, error: Unsuccessful) -> Result<Reply, Unsuccessful> {
    let Trigger::Http { response, .. } = definition.trigger else { return Err(error) };
    let (code, message) = match error {
        Unsuccessful::BodyTooLarge { .. } => {
            (BODY_TOO_LARGE, "the request is larger than this function takes")
        }
        Unsuccessful::Busy => (BUSY, "too many requests are being handled; send it again"),
        other => return Err(other),
    };
    tracing::warn!(reason = error.reason(), "an HTTP request was not taken: {}", error.message());
    let body = json!({"error": {"code": code, "message": message, "target": "body"}});
    let reply = HttpReply::json(error.status(), &body);
    let is_busy = error.status() == StatusCode::SERVICE_UNAVAILABLE;
    Ok(Reply::success().http(response, if is_busy { reply.header(RETRY_AFTER, "5") } else { reply }))
}

/// Exactly `application/json`: the host takes no other media type with `json` in its name.
fn with_type(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
