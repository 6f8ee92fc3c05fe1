//! `/servicebus/{queue}/messages...`: the REST interface of Service Bus.
//!
//! | request | does | answers |
//! |---|---|---|
//! | `POST {queue}/messages` | send, one or a batch | 201 |
//! | `POST {queue}/messages/head?timeout=` | peek-lock | 201, 204 when nothing came |
//! | `DELETE {queue}/messages/head?timeout=` | receive and delete | 200, 204 |
//! | `PUT {queue}/messages/{id}/{lock}` | unlock | 200 |
//! | `POST {queue}/messages/{id}/{lock}` | renew the lock | 200 |
//! | `DELETE {queue}/messages/{id}/{lock}` | complete | 200 |
//!
//! `{queue}` may be followed by `/$deadletterqueue`. A queue that does not exist is 410, a lost lock 404, a message that
//! is too large 403 (`messaging-and-state.md` §2).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;

use super::queue::{Half, Locked};
use super::queues::{Handle, Queues};
use super::wire::{self, Rejection};
use crate::clock::Clock;
use crate::service;

/// How long a receive waits when it does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// The longest it may ask for.
const LONGEST_WAIT: u64 = 3600;
/// Longest body that is read, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The parts of the simulator that the interface needs.
#[derive(Debug, Clone)]
pub struct Rest {
    /// The queues.
    pub queues: Arc<Queues>,
    /// Dates refusals.
    pub clock: Clock,
    /// `http://host:port` of this simulator: a lock's address begins with it.
    pub base_url: Arc<str>,
}

/// Everything under `/servicebus/`.
pub fn router(rest: Rest) -> Router {
    Router::new().route("/servicebus/{*path}", any(handle)).with_state(rest)
}

/// The target of a path.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Messages { queue: String },
    Head { queue: String },
    Lock { queue: String, id: String, token: String },
}

fn target(path: &str) -> Option<Target> {
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(String::from);
    let segments: Vec<String> =
        path.strip_prefix("/servicebus/")?.split('/').map(decoded).collect::<Option<_>>()?;
    let at =
        segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("messages")).filter(|at| *at > 0)?;
    let queue = segments[..at].join("/");
    match &segments[at + 1..] {
        [] => Some(Target::Messages { queue }),
        [head] if head.eq_ignore_ascii_case("head") => Some(Target::Head { queue }),
        [id, token] => Some(Target::Lock { queue, id: id.clone(), token: token.clone() }),
        _ => None,
    }
}

async fn handle(State(rest): State<Rest>, request: Request) -> Response {
    let now = rest.clock.now();
    let Some(target) = target(request.uri().path()) else {
        return service::service_bus(StatusCode::BAD_REQUEST, "The path names no queue operation.", now);
    };
    let (Target::Messages { queue } | Target::Head { queue } | Target::Lock { queue, .. }) = &target;
    let Some(found) = rest.queues.find(queue) else {
        let detail = format!("The queue '{queue}' does not exist.");
        return service::service_bus(StatusCode::GONE, &detail, now);
    };
    let method = request.method().clone();
    let wait = timeout(request.uri().query().unwrap_or_default());
    match (&target, method) {
        (Target::Messages { .. }, Method::POST) => send(found, request, now).await,
        (Target::Head { queue }, Method::POST) => receive(&rest, found, queue, wait, false).await,
        (Target::Head { queue }, Method::DELETE) => receive(&rest, found, queue, wait, true).await,
        (Target::Lock { id, token, .. }, method) => settle(found, id, token, &method, now),
        _ => service::service_bus(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here.", now),
    }
}

async fn send(queue: Handle<'_>, request: Request, now: OffsetDateTime) -> Response {
    if queue.half() == Half::DeadLetters {
        let detail = "Messages cannot be sent to a dead letter queue.";
        return service::service_bus(StatusCode::BAD_REQUEST, detail, now);
    }
    let (parts, body) = request.into_parts();
    let limit = queue.settings().size_limit;
    let messages = match to_bytes(body, BODY_LIMIT.max(limit)).await {
        Ok(body) => wire::messages(&parts.headers, body, limit),
        Err(_) => Err(Rejection::TooLarge { size: BODY_LIMIT.max(limit), limit }),
    };
    match messages {
        Ok(messages) => {
            queue.send(messages);
            let mut answer = StatusCode::CREATED.into_response();
            if let Some(content_type) = parts.headers.get(header::CONTENT_TYPE) {
                answer.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
            }
            answer
        }
        Err(rejection @ Rejection::Malformed(_)) => {
            service::service_bus(StatusCode::BAD_REQUEST, &rejection.to_string(), now)
        }
        Err(rejection @ Rejection::TooLarge { .. }) => {
            service::service_bus(StatusCode::FORBIDDEN, &rejection.to_string(), now)
        }
    }
}

async fn receive(
    rest: &Rest,
    queue: Handle<'_>,
    name: &str,
    wait: Option<Duration>,
    delete: bool,
) -> Response {
    let Some(wait) = wait else {
        let detail = format!("timeout must be whole seconds from 0 to {LONGEST_WAIT}.");
        return service::service_bus(StatusCode::BAD_REQUEST, &detail, rest.clock.now());
    };
    let Some(locked) = queue.lock(1, wait).await.pop() else {
        return StatusCode::NO_CONTENT.into_response();
    };
    // Between the lock and this there is no await, so the lock cannot have been lost.
    if delete && !queue.complete(&locked.token) {
        return service::service_bus(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The message was lost.",
            rest.clock.now(),
        );
    }
    let mut answer = Response::new(Body::from(locked.message.content.body.clone()));
    *answer.headers_mut() = wire::describe(&locked, !delete);
    if !delete {
        *answer.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::from_str(&lock_address(&rest.base_url, name, &locked)) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
    }
    answer
}

fn lock_address(base_url: &str, queue: &str, locked: &Locked) -> String {
    let queue: Vec<String> =
        queue.split('/').map(|segment| utf8_percent_encode(segment, UNRESERVED).to_string()).collect();
    let id = utf8_percent_encode(&locked.message.message_id, UNRESERVED);
    format!("{base_url}/servicebus/{}/messages/{id}/{}", queue.join("/"), locked.token)
}

const UNRESERVED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'$');

fn timeout(query: &str) -> Option<Duration> {
    let given = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "timeout");
    match given {
        None => Some(DEFAULT_WAIT),
        Some((_, seconds)) => {
            seconds.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT).map(Duration::from_secs)
        }
    }
}

fn settle(queue: Handle<'_>, id: &str, token: &str, method: &Method, now: OffsetDateTime) -> Response {
    let named = queue
        .held(token)
        .is_some_and(|held| held.message.message_id == id || held.message.sequence_number.to_string() == id);
    let done = match *method {
        Method::PUT => named && queue.abandon(token),
        Method::DELETE => named && queue.complete(token),
        Method::POST => named && queue.renew(token).is_some(),
        _ => {
            return service::service_bus(
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not allowed here.",
                now,
            );
        }
    };
    if done {
        return StatusCode::OK.into_response();
    }
    let detail = "The lock is not known: it has expired, or the message was settled.";
    service::service_bus(StatusCode::NOT_FOUND, detail, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_queue_its_head_or_a_lock() {
        let queue = || "jobs".to_owned();
        assert_eq!(target("/servicebus/jobs/messages"), Some(Target::Messages { queue: queue() }));
        assert_eq!(target("/servicebus/jobs/Messages/Head"), Some(Target::Head { queue: queue() }));
        assert_eq!(
            target("/servicebus/jobs/$DeadLetterQueue/messages/head"),
            Some(Target::Head { queue: "jobs/$DeadLetterQueue".into() })
        );
        assert_eq!(
            target("/servicebus/jobs/messages/a%2Fb/token"),
            Some(Target::Lock { queue: queue(), id: "a/b".into(), token: "token".into() })
        );
        for none in ["/servicebus/messages", "/servicebus/jobs", "/servicebus/jobs/messages/head/a/b"] {
            assert_eq!(target(none), None, "{none}");
        }
    }

    #[test]
    fn a_timeout_is_whole_seconds() {
        assert_eq!(timeout(""), Some(DEFAULT_WAIT));
        assert_eq!(timeout("api-version=2017-04&timeout=5"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("timeout=-1"), None);
        assert_eq!(timeout("timeout=forever"), None);
    }
}
