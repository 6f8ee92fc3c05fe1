//! The data plane of DPS: the service API under `/dps/{name}` (enrollment groups), and beside it the registration API
//! for devices (`device_api`).

mod api_version;
mod bulk;
mod device_api;
mod diagnostics;
mod document;
pub(crate) mod error;
mod groups;
mod paging;
mod query;
mod reference;
mod registration;
mod registrations;
pub(crate) mod start;

pub(crate) use device_api::issuer;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::cloud::Cloud;
use api_version::ApiVersion;
use error::ServiceError;

/// Largest request body that is read: ten groups of a bulk operation stay far below it.
const LARGEST_BODY: usize = 1024 * 1024;

/// `/dps/{name}/...` and `/{idScope}/registrations/...`.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Router::new()
        .route("/dps/{service}/{*path}", any(dispatch))
        .merge(device_api::routes())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(cloud)
}

/// A call of the service API.
pub(crate) struct ServiceRequest {
    service: String,
    version: ApiVersion,
    headers: HeaderMap,
    body: Bytes,
}

impl ServiceRequest {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as an object.
    fn object(&self) -> Result<Map<String, Value>, ServiceError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(ServiceError::new(400_000, "The request body is not a JSON object.")),
        }
    }
}

/// The operation that a call names, of `azure-wire-facts.md` §3.
#[derive(Debug, PartialEq, Eq)]
enum Operation {
    Get(String),
    Upsert(String),
    Delete(String),
    AttestationMechanism(String),
    Query,
    Bulk,
    Registrations(String),
    Individuals,
}

impl Operation {
    /// Takes the path behind `/dps/{name}/` apart. Ids are percent-decoded; keywords match in any case.
    fn parse(method: &Method, path: &[String]) -> Result<Self, ServiceError> {
        let lower: Vec<String> = path.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let keywords: Vec<&str> = lower.iter().map(String::as_str).collect();
        let id = || path[1].clone();
        match (method.as_str(), keywords.as_slice()) {
            ("POST", ["enrollmentgroups"]) => Ok(Self::Bulk),
            ("POST", ["enrollmentgroups", "query"]) => Ok(Self::Query),
            ("POST", ["enrollmentgroups", _, "attestationmechanism"]) => Ok(Self::AttestationMechanism(id())),
            ("POST", ["registrations", _, "query"]) => Ok(Self::Registrations(id())),
            ("POST", ["enrollments", "query"]) => Ok(Self::Individuals),
            ("GET", ["enrollmentgroups", _]) => Ok(Self::Get(id())),
            ("PUT", ["enrollmentgroups", _]) => Ok(Self::Upsert(id())),
            ("DELETE", ["enrollmentgroups", _]) => Ok(Self::Delete(id())),
            (
                _,
                ["enrollmentgroups"]
                | ["enrollmentgroups", _]
                | ["enrollmentgroups", _, "attestationmechanism"]
                | ["registrations", _, "query"]
                | ["enrollments", "query"],
            ) => Err(ServiceError::new(405_000, format!("{method} is not answered here."))),
            _ => Err(ServiceError::new(404_000, "There is no such operation.")),
        }
    }

    /// As in a diagnostic record. `Get`, `Query` and `Upsert` are documented (`azure-wire-facts.md` §5).
    fn name(&self) -> &'static str {
        match self {
            Self::Get(_) => "Get",
            Self::Upsert(_) => "Upsert",
            Self::Delete(_) => "Delete",
            Self::AttestationMechanism(_) => "GetAttestationMechanism",
            Self::Query | Self::Registrations(_) | Self::Individuals => "Query",
            Self::Bulk => "BulkOperation",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Get(id)
            | Self::Upsert(id)
            | Self::Delete(id)
            | Self::AttestationMechanism(id)
            | Self::Registrations(id) => id,
            Self::Query | Self::Bulk | Self::Individuals => "",
        }
    }
}

async fn dispatch(
    State(cloud): State<Arc<Cloud>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let answer = || {
        let (service, path) = segments(&uri)?;
        let operation = Operation::parse(&method, &path)?;
        if cloud.lock().service_mut(&service).is_none() {
            return Err(ServiceError::new(404_000, format!("There is no provisioning service '{service}'.")));
        }
        let offered = cloud.lock().fleet.offered();
        let version = ApiVersion::parse(uri.query().unwrap_or_default(), offered);
        let outcome = version.and_then(|version| {
            let request = ServiceRequest { service: service.clone(), version, headers, body };
            perform(&cloud, &request, &operation, started)
        });
        if operation != Operation::Bulk || outcome.is_err() {
            let error = outcome.as_ref().err();
            diagnostics::record(&cloud, &service, operation.name(), operation.id(), error, started);
        }
        outcome
    };
    answer().unwrap_or_else(|error: ServiceError| error.respond(cloud.clock().now()))
}

fn perform(
    cloud: &Cloud,
    request: &ServiceRequest,
    operation: &Operation,
    started: Instant,
) -> Result<Response, ServiceError> {
    match operation {
        Operation::Get(id) => groups::get(cloud, request, id),
        Operation::Upsert(id) => groups::upsert(cloud, request, id),
        Operation::Delete(id) => groups::delete(cloud, request, id),
        Operation::AttestationMechanism(id) => groups::attestation_mechanism(cloud, request, id),
        Operation::Query => query::query(cloud, request),
        Operation::Individuals => query::individuals(cloud, request),
        Operation::Registrations(id) => registrations::query(cloud, request, id, cloud.clock().now()),
        Operation::Bulk => bulk::bulk(cloud, request, started),
    }
}

/// The service and the decoded segments behind it.
fn segments(uri: &Uri) -> Result<(String, Vec<String>), ServiceError> {
    let mut decoded = Vec::new();
    for segment in uri.path().trim_matches('/').split('/').skip(1) {
        match percent_decode_str(segment).decode_utf8() {
            Ok(text) => decoded.push(text.into_owned()),
            Err(_) => return Err(ServiceError::new(400_000, "The path is not UTF-8.")),
        }
    }
    let mut decoded = decoded.into_iter();
    let service = decoded.next().unwrap_or_default();
    Ok((service, decoded.collect()))
}

#[cfg(test)]
mod tests;
