//! `sync-requests`: submit a sync request over HTTP, and ask what became of it.

use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::reason::Reason;
use certificate_management::request::{
    self, FieldError, MAX_SUBMISSION, RequestRecord, Requester, SyncRequest,
};
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::application::Application;
use crate::dry_run;
use crate::fleet::Fleet;
use crate::synchronization::records;
use crate::synchronization::submission::{self, SubmitError};
use crate::telemetry;

/// How much of the caller's name the record keeps, in characters.
const LONGEST_PERSON: usize = 256;

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
/// # Errors Never for a mistake of the caller: that is an HTTP status. Only when the trigger's data cannot be parsed.
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
    if let Some(problem) = given.and_then(wrong_key) {
        return invalid(&[FieldError { field: "Idempotency-Key".to_owned(), problem: problem.to_owned() }]);
    }
    let request_id = given.map_or_else(|| application.fleet.ambient.ulid().to_string(), str::to_owned);
    let body = http_request.body.as_deref().unwrap_or_default();
    let Submission { mut request, is_dry_run } = match Submission::read(body, &request_id) {
        Ok(submission) => submission,
        Err(errors) => return invalid(&errors),
    };
    if application.fleet.configuration.namespace(&request.namespace_id).is_none() {
        return not_configured(&request);
    }
    if let Some(person) = application.signs_in.then(|| signed_in(http_request)).flatten() {
        (request.requested_by, request.requester) = (Some(person), Requester::SignedIn);
    }
    if request.traceparent.is_none() {
        request.traceparent = telemetry::traceparent().or_else(|| invocation.trace.traceparent.clone());
    }
    if is_dry_run {
        return foresee(application, &request, given).await;
    }
    match submission::submit(application, &request).await {
        Ok(record) => {
            let path = format!("{}/{request_id}", http_request.path().trim_end_matches('/'));
            HttpReply::json(StatusCode::ACCEPTED, &view(&application.fleet, &record))
                .header(header::LOCATION, path)
        }
        Err(different @ SubmitError::DifferentRequest(_)) => {
            error(StatusCode::CONFLICT, &different.to_string())
        }
        Err(SubmitError::NotConfigured(_)) => not_configured(&request),
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

/// What is wrong with an Idempotency-Key, if anything.
fn wrong_key(key: &str) -> Option<&'static str> {
    if request::is_reserved_id(key) {
        return Some(
            "keys of this form are made by Policysync itself (automatic-…, look-…, a ULID with a colon)",
        );
    }
    (!request::is_request_id(key)).then_some("it must be 1 to 128 letters, digits, `-`, `_`, `.` or `:`")
}

/// The caller, as the platform's sign-in says: the name, and the id, which no other account can take over. The platform
/// sets these headers itself and removes those that a caller sends (`X-MS-CLIENT-PRINCIPAL-*`, App Service
/// authentication).
fn signed_in(request: &HttpRequest) -> Option<String> {
    let header = |name| request.headers.get(name).map(str::trim).filter(|value| !value.is_empty());
    let person = match (header("X-MS-CLIENT-PRINCIPAL-NAME"), header("X-MS-CLIENT-PRINCIPAL-ID")) {
        (Some(name), Some(id)) if name != id => format!("{name} ({id})"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => return None,
    };
    Some(person.chars().take(LONGEST_PERSON).collect())
}

/// A submitted body: a request, and whether it is a dry run.
struct Submission {
    request: SyncRequest,
    is_dry_run: bool,
}

impl Submission {
    fn read(body: &str, request_id: &str) -> Result<Self, Vec<FieldError>> {
        // A body that is too long is refused before it is parsed.
        let parsed =
            (body.len() <= MAX_SUBMISSION).then(|| serde_json::from_str::<Value>(body).ok()).flatten();
        let Some(Value::Object(mut members)) = parsed else {
            let request = SyncRequest::from_submission(body, request_id)?;
            return Ok(Self { request, is_dry_run: false });
        };
        let (is_dry_run, wrong) = match members.shift_remove("dryRun") {
            None | Some(Value::Null) => (false, None),
            Some(Value::Bool(flag)) => (flag, None),
            Some(_) => {
                let problem = "it must be true or false".to_owned();
                (true, Some(FieldError { field: "dryRun".to_owned(), problem }))
            }
        };
        match (SyncRequest::from_submission(&Value::Object(members).to_string(), request_id), wrong) {
            (Ok(request), None) => Ok(Self { request, is_dry_run }),
            (read, wrong) => Err(read.err().into_iter().flatten().chain(wrong).collect()),
        }
    }
}

/// Answers a dry run.
async fn foresee(application: &Application, request: &SyncRequest, given: Option<&str>) -> HttpReply {
    match dry_run::planned(&application.fleet, request).await {
        Ok((verdict, rows)) => {
            let document = dry_run::document(request, given, &verdict, &rows);
            HttpReply::json(StatusCode::OK, &document).header(header::CACHE_CONTROL, "no-store")
        }
        Err(unreadable) => {
            tracing::warn!("there is no plan: {unreadable}");
            error(
                StatusCode::SERVICE_UNAVAILABLE,
                "the namespace cannot be read just now, so there is no plan",
            )
            .header(header::RETRY_AFTER, "5")
        }
    }
}

async fn progress(application: &Application, id: &str) -> HttpReply {
    match records::request(&application.store, id).await {
        Ok(Some(record)) => HttpReply::json(StatusCode::OK, &view(&application.fleet, &record))
            .header(header::CACHE_CONTROL, "no-store"),
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

/// What to do about the outcome of a request, where it has a reason.
pub fn next_step(fleet: &Fleet, record: &RequestRecord) -> Option<String> {
    let situation = match fleet.configuration.namespace(&record.request.namespace_id) {
        Some(configuration) => Situation::of(configuration, fleet.kill_switch, Caller::App),
        None => Situation::of_fleet(fleet.kill_switch, Caller::App),
    };
    record.reason.map(|reason| next_step::of(reason, &situation))
}

/// The record of a request as a caller sees it.
pub fn view(fleet: &Fleet, record: &RequestRecord) -> Value {
    json!({
        "requestId": record.request.request_id,
        "namespaceId": record.request.namespace_id,
        "outcome": record.outcome,
        "reason": record.reason,
        "requestedBy": record.request.requested_by,
        "requester": record.requester,
        "detail": record.detail,
        "nextStep": next_step(fleet, record),
        "hubs": record.hubs,
    })
}

/// Refuses the request at once, without a record: a retry after the configuration was corrected is a fresh request.
fn not_configured(request: &SyncRequest) -> HttpReply {
    let problem = format!("policysync.toml has no namespace {}", request.namespace_id);
    let fields = [FieldError { field: "namespaceId".to_owned(), problem }];
    let body = json!({"error": {
        "code": Reason::NamespaceNotConfigured,
        "message": "the request was not taken",
        "fields": fields,
    }});
    HttpReply::json(StatusCode::UNPROCESSABLE_ENTITY, &body)
}

fn invalid(errors: &[FieldError]) -> HttpReply {
    let body = json!({"error": {"code": "invalid-request", "message": "the request was not taken", "fields": errors}});
    HttpReply::json(StatusCode::BAD_REQUEST, &body)
}

fn error(status: StatusCode, message: &str) -> HttpReply {
    HttpReply::json(status, &json!({"error": {"message": message}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn a_dry_run_is_told_from_a_request_and_nothing_else_is_taken_for_one() {
        let read = |more: &str| Submission::read(&format!(r#"{{"namespaceId":"{ID}"{more}}}"#), "r");
        assert!(!read("").unwrap().is_dry_run);
        assert!(!read(r#","dryRun":false"#).unwrap().is_dry_run);
        assert!(read(r#","dryRun":true"#).unwrap().is_dry_run);
        for (more, field) in [(r#","dryRun":"yes""#, "dryRun"), (r#","dryrun":true"#, "dryrun")] {
            assert_eq!(read(more).err().unwrap()[0].field, field);
        }
    }
}
