//! `sync-requests`: submit a sync request over HTTP, and ask what became of it.

use certificate_management::request::{self, FieldError, RequestRecord, SyncRequest};
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::application::Application;
use crate::synchronization::records;
use crate::synchronization::submission::{self, SubmitError};
use crate::telemetry;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "sync-requests",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        methods: &["get", "post"],
        route: Some("sync-requests/{id?}"),
    },
    outputs: &[],
};

/// Answers one HTTP request.
///
/// # Errors
/// Never for what a caller did: that is an HTTP status. Only when the trigger's data cannot be understood.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let request = invocation.http("req")?;
    let id = request.params.get("id").filter(|id| !id.is_empty());
    let response = match (request.method.clone(), id) {
        (Method::POST, None) => submit(application, &invocation, &request).await,
        (Method::GET, Some(id)) => progress(application, id).await,
        (Method::GET, None) => error(StatusCode::NOT_FOUND, "name a request: GET /api/sync-requests/{id}"),
        (_, _) => error(
            StatusCode::METHOD_NOT_ALLOWED,
            "POST /api/sync-requests submits, GET /api/sync-requests/{id} shows",
        ),
    };
    tracing::info!(http.request.method = %request.method, http.response.status_code = response.status().as_u16(), "answered");
    Ok(Reply::success().http("res", response))
}

async fn submit(application: &Application, invocation: &Invocation, http_request: &HttpRequest) -> HttpReply {
    let given = http_request.headers.get("Idempotency-Key");
    if given.is_some_and(|key| !request::is_request_id(key)) {
        let problem = "it must be 1 to 128 letters, digits, `-`, `_`, `.` or `:`".to_owned();
        return invalid(&[FieldError { field: "Idempotency-Key".to_owned(), problem }]);
    }
    let request_id = given.map_or_else(|| Ulid::generate().to_string(), str::to_owned);
    let body = http_request.body.as_deref().unwrap_or_default();
    let mut request = match SyncRequest::from_submission(body, &request_id) {
        Ok(request) => request,
        Err(errors) => return invalid(&errors),
    };
    if request.traceparent.is_none() {
        request.traceparent = telemetry::traceparent().or_else(|| invocation.trace.traceparent.clone());
    }
    match submission::submit(application, &request).await {
        Ok(record) => {
            let path = format!("{}/{request_id}", http_request.path().trim_end_matches('/'));
            HttpReply::json(StatusCode::ACCEPTED, &view(&record)).header(header::LOCATION, path)
        }
        Err(different @ SubmitError::DifferentRequest(_)) => {
            error(StatusCode::CONFLICT, &different.to_string())
        }
        Err(unavailable) => {
            tracing::warn!("{unavailable}");
            error(
                StatusCode::SERVICE_UNAVAILABLE,
                "the request was not taken; send it again with the same Idempotency-Key",
            )
            .header(header::RETRY_AFTER, "5")
        }
    }
}

async fn progress(application: &Application, id: &str) -> HttpReply {
    match records::request(&application.store, id).await {
        Ok(Some(record)) => {
            HttpReply::json(StatusCode::OK, &view(&record)).header(header::CACHE_CONTROL, "no-store")
        }
        Ok(None) => error(
            StatusCode::NOT_FOUND,
            &format!("there is no request `{}`", id.chars().take(128).collect::<String>()),
        ),
        Err(unavailable) => {
            tracing::warn!("{unavailable}");
            error(StatusCode::SERVICE_UNAVAILABLE, "the records cannot be read just now")
                .header(header::RETRY_AFTER, "5")
        }
    }
}

/// What a caller sees of a request.
pub fn view(record: &RequestRecord) -> Value {
    json!({
        "requestId": record.request.request_id,
        "namespaceId": record.request.namespace_id,
        "outcome": record.outcome,
        "reason": record.reason,
        "detail": record.detail,
        "nextStep": record.reason.map(certificate_management::reason::Reason::next_step),
        "hubs": record.hubs,
    })
}

fn invalid(errors: &[FieldError]) -> HttpReply {
    let body = json!({"error": {"code": "invalid-request", "message": "the request was not taken", "fields": errors}});
    HttpReply::json(StatusCode::BAD_REQUEST, &body)
}

fn error(status: StatusCode, message: &str) -> HttpReply {
    HttpReply::json(status, &json!({"error": {"message": message}}))
}
