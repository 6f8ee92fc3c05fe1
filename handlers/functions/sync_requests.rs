//! `sync-requests`: submit a sync request over HTTP, ask what became of it, and list the last ones; for people as pages.

use certificate_management::report::RequestEntry;
use certificate_management::request::{self, FieldError, Requester, Submission, SyncRequest};
use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::api::accept::Media;
use crate::api::problem::{Code, Problem};
use crate::api::{self, Operation};
use crate::application::Application;
use crate::page::links::{From, Links};
use crate::synchronization::submission::{self, SubmitError};
use crate::synchronization::{listing, records};
use crate::views::{self, PageNumber, RequestList, RequestView};
use crate::{dry_run, page, telemetry};

/// How much of the caller's name the record keeps, in characters.
const LONGEST_PERSON: usize = 256;
/// How much of an id that does not exist is repeated, in characters.
const SHOWN_ID: usize = 128;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "sync-requests",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        // All: the host answers 404 for a method that is not listed, and the caller is told 405 instead.
        methods: &[],
        route: Some("sync-requests/{id?}"),
    },
    outputs: &[],
};

/// What the address of all requests has.
pub const OF_ALL: [Operation; 2] = [
    Operation { method: Method::GET, media: &[Media::Json, Media::Page] },
    Operation { method: Method::POST, media: &[Media::Json] },
];
/// What the address of one request has.
pub const OF_ONE: [Operation; 1] = [Operation { method: Method::GET, media: &[Media::Json, Media::Page] }];

/// Answers one HTTP request.
///
/// # Errors Never for a mistake of the caller: that is an HTTP status. Only when the trigger's data cannot be parsed.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let request = invocation.http("req")?;
    let response = answer(application, &invocation, &request).await;
    tracing::info!(http.request.method = %request.method, http.response.status_code = response.status().as_u16(), "answered");
    Ok(Reply::success().http("res", response.header(header::VARY, "Accept")))
}

async fn answer(application: &Application, invocation: &Invocation, request: &HttpRequest) -> HttpReply {
    let id = request.params.get("id").filter(|id| !id.is_empty());
    let (operations, from) = match id {
        Some(_) => (OF_ONE.as_slice(), From::Below),
        None => (OF_ALL.as_slice(), From::Top),
    };
    let links = Links::with_key(request.query.get("code")).from(from);
    let media = match api::admit(request, operations) {
        Ok(media) => media,
        Err(problem) => return problem.reply(Media::Json, &links),
    };
    let answered = match id {
        Some(id) => progress(application, id, media, &links).await,
        None if request.method == Method::POST => submit(application, invocation, request).await,
        None => list(application, request, media, &links).await,
    };
    answered.unwrap_or_else(|problem| problem.reply(media, &links))
}

async fn submit(
    application: &Application,
    invocation: &Invocation,
    http_request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let given = http_request.headers.get("Idempotency-Key");
    if let Some(problem) = given.and_then(wrong_key) {
        return Err(Problem::of_field("Idempotency-Key", problem));
    }
    let request_id = given.map_or_else(|| application.fleet.ambient.ulid().to_string(), str::to_owned);
    let body = http_request.body.as_deref().unwrap_or_default();
    let Submission { mut request, is_dry_run } = Submission::read(body, &request_id)
        .map_err(|fields| Problem::of_fields(Code::InvalidRequest, fields))?;
    if application.fleet.configuration.namespace(&request.namespace_id).is_none() {
        return Err(not_configured(&request));
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
            let view = json!(RequestView::of(&application.fleet, &record));
            Ok(HttpReply::json(StatusCode::ACCEPTED, &view).header(header::LOCATION, path))
        }
        Err(different @ SubmitError::DifferentRequest(_)) => {
            Err(Problem::new(Code::RequestIdTaken, "Idempotency-Key", different.to_string()))
        }
        Err(SubmitError::NotConfigured(_)) => Err(not_configured(&request)),
        Err(unavailable) => {
            tracing::warn!("{unavailable}");
            let (code, target) = match unavailable {
                SubmitError::Queue(_) => (Code::QueueUnavailable, "queue"),
                _ => (Code::RecordsUnavailable, "records"),
            };
            let message = "the request was not taken; send it again with the same Idempotency-Key";
            Err(Problem::new(code, target, message))
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

/// Answers a dry run.
async fn foresee(
    application: &Application,
    request: &SyncRequest,
    given: Option<&str>,
) -> Result<HttpReply, Problem> {
    match dry_run::planned(&application.fleet, request).await {
        Ok((verdict, rows)) => {
            let document = json!(dry_run::document(request, given, &verdict, &rows));
            Ok(HttpReply::json(StatusCode::OK, &document).header(header::CACHE_CONTROL, "no-store"))
        }
        Err(unreadable) => {
            tracing::warn!("there is no plan: {unreadable}");
            let message = "the namespace cannot be read just now, so there is no plan; ask again";
            Err(Problem::new(Code::NamespaceUnreadable, "namespaceId", message))
        }
    }
}

async fn progress(
    application: &Application,
    id: &str,
    media: Media,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let record = records::request(&application.store, id).await.map_err(unreadable)?;
    let Some(record) = record else {
        let id: String = id.chars().take(SHOWN_ID).collect();
        let message = format!("there is no request `{id}`; the records of requests are kept for 90 days");
        return Err(Problem::new(Code::NoSuchRequest, "id", message));
    };
    Ok(match media {
        Media::Page => {
            let next_step = |reason| views::next_step_of(&application.fleet, &record, reason);
            shown(page::of_request(&record, links, next_step)?)
        }
        _ => HttpReply::json(StatusCode::OK, &json!(RequestView::of(&application.fleet, &record))),
    }
    .header(header::CACHE_CONTROL, "no-store"))
}

async fn list(
    application: &Application,
    request: &HttpRequest,
    media: Media,
    links: &Links,
) -> Result<HttpReply, Problem> {
    let number = api::page_number(request)?;
    let page = listing::page(&application.store, number).await.map_err(unreadable)?;
    let Some(page) = page else {
        let message = format!("there is no page {number} of requests; the first one says how many there are");
        return Err(Problem::new(Code::NoSuchPage, "page", message));
    };
    let list = RequestList {
        page: PageNumber { number: page.number, of: page.of },
        requests: page.records.iter().map(RequestEntry::of).collect(),
        broken: page.broken,
        is_cut: page.is_cut,
    };
    Ok(match media {
        Media::Page => shown(page::of_requests(&list, links)?),
        _ => HttpReply::json(StatusCode::OK, &json!(list)),
    }
    .header(header::CACHE_CONTROL, "no-store"))
}

fn shown(page: String) -> HttpReply {
    HttpReply::text(StatusCode::OK, page::MEDIA_TYPE, page)
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    tracing::warn!("{error}");
    Problem::new(Code::RecordsUnavailable, "records", "the records cannot be read just now; ask again")
}

/// Refuses the request at once, without a record: a retry after the configuration was corrected is a fresh request.
fn not_configured(request: &SyncRequest) -> Problem {
    let problem = format!("policysync.toml has no namespace {}", request.namespace_id);
    Problem::of_fields(
        Code::NamespaceNotConfigured,
        vec![FieldError { field: "namespaceId".to_owned(), problem }],
    )
}
