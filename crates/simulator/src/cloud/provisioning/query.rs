//! `POST /enrollmentGroups/query`, with paging by header (`azure-wire-facts.md` §3, §10a).

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::ServiceRequest;
use super::error::{ServiceError, answer};
use crate::cloud::world::World;

const CONTINUATION: &str = "x-ms-continuation";
const MAX_ITEM_COUNT: &str = "x-ms-max-item-count";

/// All groups, page by page in the order of their ids. A continuation names the last id, so that it stays right when
/// groups come and go. `x-ms-max-item-count` is a maximum: the page size of the fleet holds as well.
pub(super) fn query(world: &World, request: &ServiceRequest) -> Result<Response, ServiceError> {
    understood(request)?;
    let asked = match request.header(MAX_ITEM_COUNT) {
        None => None,
        Some(text) => match text.trim().parse::<i64>() {
            // Clients send -1 for "as many as you like".
            Ok(-1) => None,
            Ok(count) if count > 0 => usize::try_from(count).ok(),
            _ => return Err(ServiceError::new(400_000, format!("{MAX_ITEM_COUNT} is not a count."))),
        },
    };
    let after = match request.header(CONTINUATION).filter(|token| !token.is_empty()) {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| ServiceError::new(400_000, format!("{CONTINUATION} is not valid.")))?,
    };
    let mut state = world.lock();
    let most = asked.unwrap_or(usize::MAX).min(state.fleet.page_size as usize);
    let Some(service) = state.service_mut(&request.service) else {
        return Err(ServiceError::new(404_000, "There is no such provisioning service."));
    };
    let mut rest = service.groups.iter().filter(|(id, _)| id.as_str() > after.as_str());
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let continuation = rest.next().and(page.last()).map(|(id, _)| URL_SAFE_NO_PAD.encode(id));
    let groups: Vec<Value> = page.iter().map(|(_, group)| group.shown(request.version)).collect();
    let mut response = answer(StatusCode::OK, &Value::Array(groups));
    let headers = response.headers_mut();
    headers.insert("x-ms-item-type", HeaderValue::from_static("enrollmentGroup"));
    headers.insert(MAX_ITEM_COUNT, HeaderValue::from(page.len()));
    if let Some(token) = continuation.and_then(|token| HeaderValue::from_str(&token).ok()) {
        headers.insert(CONTINUATION, token);
    }
    Ok(response)
}

/// Only the query for everything, as the command line and the samples send it. Whether a `WHERE` works is not
/// documented (`azure-wire-facts.md` §3), so it is refused rather than answered with a guess.
fn understood(request: &ServiceRequest) -> Result<(), ServiceError> {
    let body = request.object()?;
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let words: Vec<String> = query.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["select", "*"] | ["select", "*", "from", "enrollmentgroups" | "enrollments"] => Ok(()),
        _ => Err(ServiceError::new(400_000, format!("The query {query:?} is not supported."))),
    }
}
