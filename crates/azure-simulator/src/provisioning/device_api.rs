//! The registration API that devices call (`azure-wire-facts.md` §4).
//!
//! Devices of symmetric-key groups prove themselves with a key that is derived from the group's; devices with X.509
//! attestation would need a TLS client certificate, which plain HTTP has not, so they cannot register here.

pub(crate) mod issuer;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::error::{ServiceError, answer};
use super::registration;
use crate::cloud::Cloud;
use crate::device_token::Token;
use crate::pki::{Authority, DeviceRequest, PkiError};
use crate::resource_names::is_enrollment_group_id;
use crate::world::World;
use crate::world::enrollment::{Assignment, EnrollmentGroup, ProvisioningService, Registration};
use crate::world::resource::{ProvisioningState, Verbatim};

/// The last one knows no certificate signing requests. It is inferred that this API has the versions of the service
/// API.
const VERSIONS: [&str; 4] = ["2026-11-02-preview", "2026-11-01", "2025-07-01-preview", "2021-06-01"];

/// `/{idScope}/registrations/...`
pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/{id_scope}/registrations/{registration_id}/register", put(register))
        .route("/{id_scope}/registrations/{registration_id}/operations/{operation_id}", get(operation))
}

async fn register(
    State(cloud): State<Arc<Cloud>>,
    Path((id_scope, registration_id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = cloud.clock().now();
    let call = Call { cloud: &cloud, id_scope, registration_id, query, headers };
    call.register(&body, now).unwrap_or_else(|error| error.respond(now))
}

async fn operation(
    State(cloud): State<Arc<Cloud>>,
    Path((id_scope, registration_id, operation_id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = cloud.clock().now();
    let call = Call { cloud: &cloud, id_scope, registration_id, query, headers };
    call.operation(&operation_id, now).unwrap_or_else(|error| error.respond(now))
}

/// A call of a device.
struct Call<'a> {
    cloud: &'a Cloud,
    id_scope: String,
    registration_id: String,
    query: Option<String>,
    headers: HeaderMap,
}

/// The hub of a device, and the issuer of its certificate.
struct Decision {
    group: String,
    hub: String,
    /// The issuing CA and the validity in days, or why there is none though the group has a policy.
    issuer: Option<Result<(Arc<Authority>, u32), String>>,
}

impl Call<'_> {
    fn register(&self, body: &[u8], now: OffsetDateTime) -> Result<Response, ServiceError> {
        self.check_version()?;
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| ServiceError::new(400_000, "The request body is not a JSON object."))?;
        let decision = self.decide(&body, now)?;
        let request = self.signing_request(&body)?;
        // Signs without the lock, since this is the slowest step.
        let (group, assignment) = assign(decision, request.as_ref(), now)?;
        let mut world = self.cloud.lock();
        let operation_id = format!("5.{}.{}", world.names.hex(), world.names.guid());
        let etag = world.names.guid();
        let retry_after = world.fleet.registration_seconds;
        let service = found(&mut world, &self.id_scope)?;
        let earlier = service.registrations.get(&self.registration_id);
        let registration = Registration {
            operation_id: operation_id.clone(),
            finishes: now + Duration::seconds(i64::from(retry_after)),
            group,
            created: earlier.map_or(now, |earlier| earlier.created),
            updated: now,
            etag,
            payload: body.get("payload").map(|payload| Verbatim::new(&payload.to_string())),
            assignment,
        };
        service.registrations.insert(self.registration_id.clone(), registration);
        Ok(assigning(&operation_id, retry_after))
    }

    fn operation(&self, operation_id: &str, now: OffsetDateTime) -> Result<Response, ServiceError> {
        self.check_version()?;
        let mut world = self.cloud.lock();
        let retry_after = world.fleet.registration_seconds;
        let service = found(&mut world, &self.id_scope)?;
        self.authenticated(service)?;
        let registration = service
            .registrations
            .get(&self.registration_id)
            .filter(|registration| registration.operation_id == operation_id)
            .ok_or_else(|| ServiceError::new(404_000, "There is no such operation."))?;
        if now < registration.finishes {
            return Ok(assigning(operation_id, retry_after));
        }
        Ok(answer(StatusCode::OK, &registration::operation(&self.registration_id, registration)))
    }

    fn check_version(&self) -> Result<(), ServiceError> {
        let query = self.query.as_deref().unwrap_or_default();
        let known = url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
            name.eq_ignore_ascii_case("api-version") && VERSIONS.contains(&value.as_ref())
        });
        match known {
            true => Ok(()),
            false => Err(ServiceError::new(400_000, format!("The api-version is not one of {VERSIONS:?}."))),
        }
    }

    /// The group under whose key the device's signature verifies. Tokens expire by real time: a device's clock does
    /// not follow the simulated one.
    fn authenticated<'s>(
        &self,
        service: &'s ProvisioningService,
    ) -> Result<&'s EnrollmentGroup, ServiceError> {
        let refuse = |problem: &str| ServiceError::unauthorized(problem);
        let header = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = Token::parse(header.unwrap_or_default())
            .ok_or_else(|| refuse("A shared access signature of the registration is required."))?;
        if !token.is_for(&self.id_scope, &self.registration_id) {
            return Err(refuse("The shared access signature is for something else."));
        }
        if token.expiry <= OffsetDateTime::now_utc().unix_timestamp() {
            return Err(refuse("The shared access signature has expired."));
        }
        service
            .groups
            .values()
            .find(|group| {
                group.symmetric_keys.iter().any(|key| token.is_signed_with(key, &self.registration_id))
            })
            .ok_or_else(|| refuse("No enrollment group has a key that the signature was made with."))
    }

    fn decide(&self, body: &Map<String, Value>, now: OffsetDateTime) -> Result<Decision, ServiceError> {
        let own = body.get("registrationId").and_then(Value::as_str);
        if own != Some(&self.registration_id) || !is_enrollment_group_id(&self.registration_id) {
            return Err(ServiceError::new(400_000, "registrationId is not valid or not that of the path."));
        }
        let world = self.cloud.lock();
        let (services, namespaces) = (&world.services, &world.namespaces);
        let service = services.iter().find(|service| service.id_scope.eq_ignore_ascii_case(&self.id_scope));
        let service = service.ok_or_else(|| no_scope(&self.id_scope))?;
        let group = self.authenticated(service)?;
        if !group.is_enabled {
            return Err(ServiceError::unauthorized("The enrollment group is disabled."));
        }
        let hubs = if group.hubs.is_empty() { &service.hubs } else { &group.hubs };
        if hubs.is_empty() || group.is_custom_allocated {
            return Err(ServiceError::new(
                400_000,
                "No hub can be chosen: there is none, or by custom allocation.",
            ));
        }
        let place = stable_hash(&self.registration_id) % hubs.len() as u64;
        let hub = hubs[usize::try_from(place).unwrap_or_default()].clone();
        let id = group.id.clone();
        let link = service.link.as_ref();
        let namespace = link.and_then(|link| namespaces.iter().find(|namespace| link.is_to(&namespace.id)));
        let issuer = group.policy.as_ref().map(|reference| issuer::of(namespace, reference, now));
        if issuer.is_some()
            && namespace.is_some_and(|namespace| namespace.provisioning_state == ProvisioningState::Failed)
        {
            return Err(ServiceError::new(
                403_000,
                "The Device Registry Namespace does not admit this device.",
            ));
        }
        Ok(Decision { group: id, hub, issuer })
    }

    fn signing_request(&self, body: &Map<String, Value>) -> Result<Option<DeviceRequest>, ServiceError> {
        let Some(text) = body.get("csr").and_then(Value::as_str) else { return Ok(None) };
        let invalid = |problem: String| ServiceError::new(400_000, problem);
        let der = STANDARD.decode(text).map_err(|_| invalid("csr is not base64 of DER.".to_owned()))?;
        let parsed = DeviceRequest::parse(&der, &self.registration_id);
        parsed.map(Some).map_err(|error| invalid(error.to_string()))
    }
}

/// Signs the certificate that the device asked for. Also returns the id of its group.
fn assign(
    decision: Decision,
    request: Option<&DeviceRequest>,
    now: OffsetDateTime,
) -> Result<(String, Assignment), ServiceError> {
    let Decision { group, hub, issuer } = decision;
    let chain = match (request, issuer) {
        (Some(request), Some(Ok((authority, days)))) => {
            let made = authority.issue_device_certificate(request, now, days);
            made.map_err(|error: PkiError| ServiceError::new(500_000, error.to_string()))?
        }
        (Some(_), Some(Err(problem))) => return Ok((group, Assignment::Unsigned(problem))),
        _ => Vec::new(),
    };
    Ok((group, Assignment::Assigned { hub, chain }))
}

fn found<'a>(world: &'a mut World, id_scope: &str) -> Result<&'a mut ProvisioningService, ServiceError> {
    let service = world.services.iter_mut().find(|service| service.id_scope.eq_ignore_ascii_case(id_scope));
    service.ok_or_else(|| no_scope(id_scope))
}

fn no_scope(id_scope: &str) -> ServiceError {
    ServiceError::new(404_000, format!("There is no id scope '{id_scope}'."))
}

fn assigning(operation_id: &str, retry_after: u32) -> Response {
    let body = json!({"operationId": operation_id, "status": "assigning"});
    let mut response = answer(StatusCode::ACCEPTED, &body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// FNV-1a: the same device goes to the same hub, in every run.
fn stable_hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
