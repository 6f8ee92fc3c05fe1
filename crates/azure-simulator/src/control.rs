//! `/simulator/...`: lets people and tests change the simulated world from outside (`contracts.md` §4).
//!
//! These requests are not logged, not throttled, and meet no faults. Every refusal names the member that is wrong.

mod lifecycle;
mod queues;
pub(crate) mod state;

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};
use axum::{Json, Router};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use time::Duration;

use super::answer::timestamp;
use super::arm_error::ArmError;
use super::clock::Clock;
use super::cloud::Cloud;
use super::custom_topics;
use super::device_endpoints::DeviceEndpoints;
use super::faults::{self, Faults};
use super::log::Log;
use super::service_bus::Queues;

/// Largest body of a request, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// A clock further ahead than this is a mistake; dates end with the year 9999.
const FURTHEST: Duration = Duration::days(365 * 1000);

/// The endpoints, for the answer to a request for another one. `docs/simulator.md` says more of each.
const ENDPOINTS: [(&str, &str); 22] = [
    ("GET /simulator/state", "namespaces with their provisioning services, hubs and policies"),
    ("GET /simulator/log", "every request but those to /simulator, in order of arrival"),
    ("GET /simulator/clock", "the simulated time"),
    ("POST /simulator/clock", r#"{"advanceSeconds":n} pushes it forward"#),
    ("GET /simulator/faults", "installed faults and what is left of each"),
    (
        "PUT /simulator/faults",
        r#"{"faults":[{"method","path","status","retryAfter","times",...}]} replaces all"#,
    ),
    ("DELETE /simulator/faults", "removes all"),
    ("GET /simulator/permissions", "what no caller may do"),
    ("PUT /simulator/permissions", r#"{"notActions":[],"notDataActions":[]} replaces it"#),
    (
        "POST /simulator/rotate",
        r#"{"policyId"} renews an issuing CA: of a policy, or of a certificate authority named by its id or its policy's"#,
    ),
    (
        "POST /simulator/renew",
        r#"{"id"} begins the renewal that the service does before a certificate ends: hubs trust both for a while"#,
    ),
    (
        "POST /simulator/expire",
        r#"{"id","secondsBefore"} pushes the clock to so long before the end of that certificate; 0 by default"#,
    ),
    ("PUT /simulator/provisioning-state", r#"{"id","state"} of any resource of the device registry"#),
    (
        "POST /simulator/operation-ends",
        r#"{"id","code","message"} lets the next operation on a resource fail; without a code it is canceled"#,
    ),
    ("PUT /simulator/hub-role", r#"{"id","granted"}: the role of the namespace's identity on a hub"#),
    ("GET /simulator/lifecycle", "what the sources do not agree on, as in a fleet file"),
    ("PUT /simulator/lifecycle", "replaces it"),
    ("POST /simulator/events", "publishes an event or a list of events, CloudEvents or Event Grid schema"),
    ("GET /simulator/queues", "how many messages each queue holds"),
    ("GET /simulator/queues/{queue}/messages", "what they are, without touching them"),
    ("GET /identity", "a token of the managed identity"),
    ("POST /eventgrid/{topic}/api/events", "a custom topic"),
];

/// The parts of the simulator that the control surface reaches.
#[derive(Debug, Clone)]
pub struct Control {
    /// The clock of the whole cloud.
    pub clock: Clock,
    /// The request log.
    pub log: Arc<Log>,
    /// The installed faults.
    pub faults: Arc<Faults>,
    /// The queues.
    pub queues: Arc<Queues>,
    /// The resources.
    pub cloud: Arc<Cloud>,
    /// Where devices connect.
    pub device_endpoints: Arc<DeviceEndpoints>,
}

/// Everything under `/simulator`.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/simulator/state", get(resources))
        .route("/simulator/log", get(log))
        .route("/simulator/clock", get(now).post(advance))
        .route("/simulator/faults", get(installed).put(install).delete(clear))
        .route("/simulator/permissions", get(permissions).put(leave_out))
        .route("/simulator/rotate", post(rotate))
        .route("/simulator/renew", post(lifecycle::renew))
        .route("/simulator/expire", post(lifecycle::expire))
        .route("/simulator/provisioning-state", put(lifecycle::set_state))
        .route("/simulator/operation-ends", post(lifecycle::end_operation))
        .route("/simulator/hub-role", put(lifecycle::set_role))
        .route("/simulator/lifecycle", get(lifecycle::choices).put(lifecycle::choose))
        .route("/simulator/events", post(publish))
        .route("/simulator/queues", get(queues::counts))
        .route("/simulator/queues/{queue}/messages", get(queues::messages))
        .route("/simulator", any(unknown))
        .route("/simulator/", any(unknown))
        .route("/simulator/{*rest}", any(unknown))
        .with_state(control)
}

async fn resources(State(control): State<Control>) -> Response {
    Json(state::state(&control.cloud, &control.device_endpoints)).into_response()
}

async fn log(State(control): State<Control>) -> Response {
    let dropped = control.log.dropped();
    let mut answer = Json(control.log.entries()).into_response();
    answer.headers_mut().insert(HeaderName::from_static("x-simulator-dropped"), HeaderValue::from(dropped));
    answer
}

async fn now(State(control): State<Control>) -> Response {
    Json(json!({"now": timestamp(control.clock.now())})).into_response()
}

async fn advance(State(control): State<Control>, request: Request) -> Response {
    let step = match only_member(request, "advanceSeconds").await {
        Ok(step) => step,
        Err(refusal) => return *refusal,
    };
    let step = step.as_f64().filter(|seconds| *seconds >= 0.0).and_then(Duration::checked_seconds_f64);
    let Some(step) = step.filter(|step| control.clock.advanced().saturating_add(*step) <= FURTHEST) else {
        return refuse("advanceSeconds must be a number of seconds, 0 or more, within a thousand years.");
    };
    push(&control, step).await
}

/// Pushes the clock, lets receivers look again, and answers the time.
async fn push(control: &Control, step: Duration) -> Response {
    if let Err(error) = control.clock.push(step) {
        let message =
            format!("The clock stays where it is, since those who follow it could not be told: {error}.");
        return ArmError::new(StatusCode::INTERNAL_SERVER_ERROR, "ClockNotFollowed", message).into_response();
    }
    control.queues.wake();
    now(State(control.clone())).await
}

async fn installed(State(control): State<Control>) -> Response {
    Json(control.faults.to_json()).into_response()
}

async fn install(State(control): State<Control>, request: Request) -> Response {
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    match faults::read(&body) {
        Ok(faults) => {
            control.faults.replace(faults);
            installed(State(control)).await
        }
        Err(error) => refuse(&error.to_string()),
    }
}

async fn permissions(State(control): State<Control>) -> Response {
    Json(control.cloud.permissions().left_out()).into_response()
}

async fn leave_out(State(control): State<Control>, request: Request) -> Response {
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    match serde_json::from_value(body) {
        Ok(left_out) => {
            control.cloud.permissions().leave_out(left_out);
            permissions(State(control)).await
        }
        Err(error) => refuse(&error.to_string()),
    }
}

async fn clear(State(control): State<Control>) -> Response {
    control.faults.replace(Vec::new());
    installed(State(control)).await
}

async fn rotate(State(control): State<Control>, request: Request) -> Response {
    let policy_id = match only_member(request, "policyId").await {
        Ok(Value::String(policy_id)) => policy_id,
        Ok(_) => return refuse("policyId must be the ARM id of a policy or of a certificate authority."),
        Err(refusal) => return *refusal,
    };
    match control.cloud.rotate(&policy_id) {
        Ok(()) => Json(json!({"policyId": policy_id})).into_response(),
        Err(error) => ArmError::from(error).into_response(),
    }
}

async fn publish(State(control): State<Control>, request: Request) -> Response {
    let body = match json_body(request).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    match custom_topics::events(body) {
        Ok(events) => {
            let published = events.len();
            for event in events {
                control.cloud.feeds().publish(event);
            }
            Json(json!({"published": published})).into_response()
        }
        Err(error) => refuse(&error.to_string()),
    }
}

async fn unknown() -> Response {
    let exists: Map<String, Value> =
        ENDPOINTS.iter().map(|(what, does)| ((*what).to_owned(), json!(does))).collect();
    let body = json!({
        "error": {"code": "NotFound", "message": "There is no such thing at /simulator; see exists."},
        "exists": exists,
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

async fn json_body(request: Request) -> Result<Value, Box<Response>> {
    let body = to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|_| Box::new(refuse("The body cannot be read, or is larger than 4 MB.")))?;
    serde_json::from_slice(&body)
        .map_err(|error| Box::new(refuse(&format!("The body is not JSON: {error}."))))
}

/// The value of the one member that the body must have.
async fn only_member(request: Request, name: &str) -> Result<Value, Box<Response>> {
    let body = json_body(request).await?;
    let members = body.as_object().cloned().unwrap_or_default();
    if let Some(other) = members.keys().find(|member| *member != name) {
        return Err(Box::new(refuse(&format!("{other} is unknown; the body has one member, {name}."))));
    }
    members.get(name).cloned().ok_or_else(|| Box::new(refuse(&format!("{name} is required."))))
}

fn refuse(message: &str) -> Response {
    ArmError::bad_request("BadRequest", message).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/simulator.md");

    /// What the router above serves, `METHOD PATH`, but for the answers to unknown paths.
    fn routes() -> BTreeSet<String> {
        let source = include_str!("control.rs");
        let lines =
            source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split_once("\", "));
        let methods = |handlers: &str| {
            let known = ["get(", "put(", "post(", "delete("];
            let named = known.into_iter().filter(|method| handlers.contains(method));
            named.map(|method| method.trim_end_matches('(').to_uppercase()).collect::<Vec<_>>()
        };
        lines
            .flat_map(|(path, handlers)| {
                methods(handlers).into_iter().map(move |method| format!("{method} {path}"))
            })
            .collect()
    }

    #[test]
    fn the_page_and_the_answer_to_an_unknown_path_name_what_the_router_serves_and_nothing_else() {
        let routes = routes();
        assert!(routes.len() > 15, "{routes:?}");
        let own = ENDPOINTS.iter().map(|(name, _)| (*name).to_owned());
        let own: BTreeSet<String> = own.filter(|name| name.contains(" /simulator/")).collect();
        assert_eq!(own, routes);
        let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        let page: BTreeSet<String> =
            rows.map(|(name, _)| name.to_owned()).filter(|name| name.contains(" /simulator/")).collect();
        assert_eq!(page, routes);
    }
}
