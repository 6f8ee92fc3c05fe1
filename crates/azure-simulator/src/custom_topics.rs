//! Event Grid custom topics: `POST /eventgrid/{topic}/api/events`, as a publisher sees the real endpoint.
//!
//! Every published event goes to the one feed of the simulator, under any name of the topic: there is one subscriber.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::arm_error::ArmError;
use super::feeds::Feeds;

/// Largest body of a request, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Why an event is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A member that every event of its schema has is absent or has a value that it cannot have.
    #[error("{place}{member}: {problem}")]
    Member {
        /// `event ` and its position when there are several.
        place: String,
        /// Name of the member.
        member: &'static str,
        /// What would be right.
        problem: &'static str,
    },
    /// It is neither an event nor a list of events.
    #[error("the body must be an event or a list of events")]
    NotEvents,
}

/// The endpoint of every topic.
pub fn router(feeds: Arc<Feeds>) -> Router {
    Router::new().route("/eventgrid/{topic}/api/events", post(publish)).with_state(feeds)
}

async fn publish(State(feeds): State<Arc<Feeds>>, request: Request) -> Response {
    let refuse =
        |status: StatusCode, message: &str| ArmError::new(status, "BadRequest", message).into_response();
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "A request may carry 1 MB of events.");
    };
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "The body is not JSON.");
    };
    if body.is_object() && body.get("specversion").is_none() {
        return refuse(StatusCode::BAD_REQUEST, "Events in the Event Grid schema are sent as a list.");
    }
    match events(body) {
        Ok(events) => {
            for event in events {
                feeds.publish(event);
            }
            StatusCode::OK.into_response()
        }
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// One event or a list of them, in the schema of `CloudEvents` 1.0 or of Event Grid.
///
/// # Errors
/// Names the first member that an event lacks. Then none of them should be published.
pub fn events(body: Value) -> Result<Vec<Value>, EventError> {
    let (several, events) = match body {
        Value::Array(events) => (true, events),
        event @ Value::Object(_) => (false, vec![event]),
        _ => return Err(EventError::NotEvents),
    };
    for (index, event) in events.iter().enumerate() {
        let members = event.as_object().ok_or(EventError::NotEvents)?;
        check(members).map_err(|(member, problem)| EventError::Member {
            place: if several { format!("event {index}: ") } else { String::new() },
            member,
            problem,
        })?;
    }
    Ok(events)
}

fn check(event: &Map<String, Value>) -> Result<(), (&'static str, &'static str)> {
    let required: &[&str] = if event.contains_key("specversion") {
        &["id", "source", "type"]
    } else {
        &["id", "eventType", "subject", "eventTime"]
    };
    for member in required {
        if event.get(*member).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err((member, "is required and must be a text that is not empty"));
        }
    }
    if event.get("specversion").is_some_and(|version| version != "1.0") {
        return Err(("specversion", "must be 1.0"));
    }
    for member in ["eventTime", "time"] {
        let readable =
            |text: &Value| text.as_str().is_some_and(|text| OffsetDateTime::parse(text, &Rfc3339).is_ok());
        if event.get(member).is_some_and(|value| !readable(value)) {
            return Err((member, "must be an RFC 3339 time"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blamed(body: Value) -> String {
        events(body).unwrap_err().to_string()
    }

    #[test]
    fn both_schemas_are_taken_alone_or_in_a_list() {
        let cloud = json!({"specversion":"1.0","id":"1","source":"/contoso","type":"T","data":null});
        let grid =
            json!({"id":"2","eventType":"T","subject":"s","eventTime":"2026-11-23T05:00:00Z","data":{}});
        assert_eq!(events(cloud.clone()), Ok(vec![cloud.clone()]));
        assert_eq!(events(json!([cloud, grid])), Ok(vec![cloud, grid]));
    }

    #[test]
    fn what_an_event_lacks_is_named_with_its_place() {
        assert!(blamed(json!({"specversion":"1.0","id":"1","type":"T"})).starts_with("source:"));
        assert!(
            blamed(json!({"specversion":"0.3","id":"1","source":"a","type":"T"})).starts_with("specversion:")
        );
        let good = json!({"id":"2","eventType":"T","subject":"s","eventTime":"2026-11-23T05:00:00Z"});
        assert!(
            blamed(json!([good, {"id":"2","eventType":"T","subject":"s"}]))
                .starts_with("event 1: eventTime:")
        );
        assert_eq!(events(json!("text")), Err(EventError::NotEvents));
    }
}
