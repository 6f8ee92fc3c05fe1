//! A storage account with blobs, for records that several processes share: `/storage/{container}/{blob}`.
//!
//! The part of the Blob service that a store of small records needs: containers, whole block blobs with versions and
//! conditions, deletion, and lists by prefix in pages (REST reference of Azure Storage, "Put Blob", "Specifying
//! conditional headers", "List Blobs", and [`batch`] for deletions). Everything is in memory and gone with the
//! simulator.

mod batch;
mod list;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;

use super::answer::answer;
use super::clock::Clock;
use super::dates;

/// How many earlier versions of a blob can be read.
const KEPT_VERSIONS: usize = 4;
/// Largest blob that is taken: a record is 8 MiB at the most.
const LARGEST_BLOB: usize = 16 * 1024 * 1024;
const XML: &str = "application/xml";

#[derive(Clone)]
struct Blob {
    body: Bytes,
    content_type: String,
    etag: String,
    modified: OffsetDateTime,
    /// Headers `x-ms-meta-*`, as they were sent.
    metadata: Vec<(HeaderName, HeaderValue)>,
    /// The versions before it, the newest first.
    earlier: Vec<Blob>,
}

type Containers = BTreeMap<String, BTreeMap<String, Blob>>;

struct Account {
    containers: Mutex<(Containers, u64)>,
    clock: Clock,
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, (Containers, u64)> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An empty account under `/storage`.
pub fn router(clock: Clock) -> Router {
    Router::new()
        .route("/storage/{*path}", any(dispatch))
        .layer(DefaultBodyLimit::max(LARGEST_BLOB))
        .with_state(Arc::new(Account { containers: Mutex::default(), clock }))
}

/// A refusal as the Blob service words it: the code in a header and in the body.
pub(crate) fn refuse(status: StatusCode, code: &'static str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
    let mut refusal = answer(status, XML, body);
    refusal.headers_mut().insert("x-ms-error-code", HeaderValue::from_static(code));
    refusal
}

async fn dispatch(
    State(account): State<Arc<Account>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(path) = percent_decode_str(uri.path()).decode_utf8() else {
        return refuse(StatusCode::BAD_REQUEST, "InvalidUri");
    };
    let place = path.trim_start_matches("/storage/").trim_end_matches('/');
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut guard = account.lock();
    let (containers, writes) = &mut *guard;
    let (container, name) = match place.split_once('/') {
        Some((container, name)) => (container, name),
        None if query.get("restype").is_some_and(|kind| kind == "container") => {
            return match containers.get_mut(place) {
                Some(blobs)
                    if method == Method::POST && query.get("comp").is_some_and(|what| what == "batch") =>
                {
                    batch::delete(blobs, place, &headers, &body)
                }
                _ => of_container(containers, &method, place, &query),
            };
        }
        None => return refuse(StatusCode::BAD_REQUEST, "InvalidQueryParameterValue"),
    };
    let Some(blobs) = containers.get_mut(container) else {
        return refuse(StatusCode::NOT_FOUND, "ContainerNotFound");
    };
    match method {
        Method::PUT => {
            if let Some(refusal) = unmet(&headers, blobs.get(name)) {
                return refusal;
            }
            *writes += 1;
            let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let blob = Blob {
                body,
                content_type: content_type.unwrap_or("application/octet-stream").to_owned(),
                etag: format!("\"0x{writes:016X}\""),
                // The users of the account judge the age of records by this date.
                modified: account.clock.callers_now(),
                metadata: metadata(&headers),
                earlier: blobs.remove(name).map(Blob::with_earlier).unwrap_or_default(),
            };
            let stored = described(StatusCode::CREATED, &blob, Bytes::new());
            blobs.insert(name.to_owned(), blob);
            stored
        }
        Method::GET | Method::HEAD => match asked(blobs.get(name), query.get("versionid")) {
            Some(blob) if is_known(&headers, blob) => described(StatusCode::NOT_MODIFIED, blob, Bytes::new()),
            Some(blob) => described(StatusCode::OK, blob, blob.body.clone()),
            None => refuse(StatusCode::NOT_FOUND, "BlobNotFound"),
        },
        Method::DELETE => match unmet(&headers, blobs.get(name)) {
            Some(refusal) => refusal,
            None if blobs.remove(name).is_some() => answer(StatusCode::ACCEPTED, XML, Bytes::new()),
            None => refuse(StatusCode::NOT_FOUND, "BlobNotFound"),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb"),
    }
}

/// The refusal of a condition that does not hold.
fn unmet(headers: &HeaderMap, existing: Option<&Blob>) -> Option<Response> {
    let condition = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let failed = || Some(refuse(StatusCode::PRECONDITION_FAILED, "ConditionNotMet"));
    match (condition(header::IF_MATCH), existing) {
        (Some("*"), Some(_)) | (None, _) => {}
        (Some(wanted), Some(blob)) if wanted == blob.etag => {}
        (Some(_), _) => return failed(),
    }
    match (condition(header::IF_NONE_MATCH), existing) {
        (Some("*"), Some(_)) => Some(refuse(StatusCode::CONFLICT, "BlobAlreadyExists")),
        (Some(wanted), Some(blob)) if wanted == blob.etag => failed(),
        _ => None,
    }
}

/// The id of a version, as an account that keeps versions tells it: the time of the write, with seven decimals
/// (`messaging-and-state.md` §3.7).
fn version_id(modified: OffsetDateTime) -> String {
    let (date, time) = (modified.date(), modified.time());
    let (hour, minute, second) = time.as_hms();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{:07}Z", time.nanosecond() / 100)
}

impl Blob {
    /// This version and those before it, as those before a newer one.
    fn with_earlier(mut self) -> Vec<Self> {
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.insert(0, self);
        earlier.truncate(KEPT_VERSIONS);
        earlier
    }
}

/// The version that is asked for; without an id the newest.
fn asked<'b>(blob: Option<&'b Blob>, id: Option<&String>) -> Option<&'b Blob> {
    let Some(id) = id else { return blob };
    let mut versions = blob.into_iter().chain(blob.into_iter().flat_map(|blob| &blob.earlier));
    versions.find(|version| version_id(version.modified) == *id)
}

/// Whether the caller has it already, so that a GET needs no body (REST reference of Azure Storage, "Specifying conditional headers").
fn is_known(headers: &HeaderMap, blob: &Blob) -> bool {
    headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == blob.etag.as_str())
}

/// What the writer has noted beside the blob (REST reference of Azure Storage, "Set Blob Metadata").
fn metadata(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let is_note = |(name, _): &(&HeaderName, &HeaderValue)| name.as_str().starts_with("x-ms-meta-");
    headers.iter().filter(is_note).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn described(status: StatusCode, blob: &Blob, body: Bytes) -> Response {
    let mut described = answer(status, "application/octet-stream", body);
    let modified = dates::rfc_1123(blob.modified);
    let version = version_id(blob.modified);
    for (name, value) in [
        (HeaderName::from_static("x-ms-version-id"), version.as_str()),
        (header::CONTENT_TYPE, blob.content_type.as_str()),
        (header::ETAG, blob.etag.as_str()),
        (header::LAST_MODIFIED, modified.as_str()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            described.headers_mut().insert(name, value);
        }
    }
    described.headers_mut().extend(blob.metadata.iter().cloned());
    described
}

fn of_container(
    containers: &mut Containers,
    method: &Method,
    container: &str,
    query: &BTreeMap<String, String>,
) -> Response {
    let lists = query.get("comp").is_some_and(|what| what == "list");
    match (method.as_str(), containers.get(container)) {
        ("PUT", Some(_)) => refuse(StatusCode::CONFLICT, "ContainerAlreadyExists"),
        ("PUT", None) => {
            containers.insert(container.to_owned(), BTreeMap::new());
            answer(StatusCode::CREATED, XML, Bytes::new())
        }
        ("GET", Some(blobs)) if lists => answer(StatusCode::OK, XML, list::page(blobs, query)),
        ("GET" | "HEAD", Some(_)) => answer(StatusCode::OK, XML, Bytes::new()),
        ("GET" | "HEAD", None) => refuse(StatusCode::NOT_FOUND, "ContainerNotFound"),
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb"),
    }
}
