//! The registration API that devices call (`azure-wire-facts.md` §4).
//!
//! Devices of symmetric-key groups prove themselves with a key that is derived from the group's; devices with X.509
//! attestation would need a TLS client certificate, which plain HTTP has not, so they cannot register here.

mod issuer;
pub(crate) mod sas;

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

use super::dates;
use super::pki::{Authority, DeviceRequest, PkiError};
use super::provisioning::error::{ServiceError, answer};
use super::world::World;
use super::world::enrollment::{EnrollmentGroup, ProvisioningService, Registration};
use super::world::names::is_enrollment_group_id;
use super::world::state::State as WorldState;

/// The last one knows no certificate signing requests. That those of the service API are of this API too is inferred.
const VERSIONS: [&str; 4] = ["2026-11-02-preview", "2026-11-01", "2025-07-01-preview", "2021-06-01"];

/// `/{idScope}/registrations/...`
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/{id_scope}/registrations/{registration_id}/register", put(register))
        .route("/{id_scope}/registrations/{registration_id}/operations/{operation_id}", get(operation))
}

async fn register(
    State(world): State<Arc<World>>,
    Path((id_scope, registration_id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = world.clock().now();
    let call = Call { world: &world, id_scope, registration_id, query, headers };
    call.register(&body, now).unwrap_or_else(|error| error.respond(now))
}

async fn operation(
    State(world): State<Arc<World>>,
    Path((id_scope, registration_id, operation_id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = world.clock().now();
    let call = Call { world: &world, id_scope, registration_id, query, headers };
    call.operation(&operation_id, now).unwrap_or_else(|error| error.respond(now))
}

/// A call of a device.
struct Call<'a> {
    world: &'a World,
    id_scope: String,
    registration_id: String,
    query: Option<String>,
    headers: HeaderMap,
}

/// Where a device goes and who signs its certificate.
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
        let decision = self.decide(&body)?;
        let request = self.signing_request(&body)?;
        // Signed without the lock: it is the slowest thing here.
        let mut result = self.outcome(&decision, request.as_ref(), now)?;
        let mut state = self.world.lock();
        let operation_id = format!("5.{}.{}", state.names.hex(), state.names.guid());
        let finishes = now + Duration::seconds(i64::from(state.fleet.registration_seconds));
        result["operationId"] = operation_id.clone().into();
        if let Some(payload) = body.get("payload") {
            result["registrationState"]["payload"] = payload.clone();
        }
        result["registrationState"]["etag"] = state.names.guid().into();
        let retry_after = state.fleet.registration_seconds;
        let service = found(&mut state, &self.id_scope)?;
        if let Some(earlier) = service.registrations.get(&self.registration_id) {
            let created = earlier.result["registrationState"]["createdDateTimeUtc"].clone();
            result["registrationState"]["createdDateTimeUtc"] = created;
        }
        let registration = Registration { operation_id: operation_id.clone(), finishes, result };
        service.registrations.insert(self.registration_id.clone(), registration);
        Ok(assigning(&operation_id, retry_after))
    }

    fn operation(&self, operation_id: &str, now: OffsetDateTime) -> Result<Response, ServiceError> {
        self.check_version()?;
        let mut state = self.world.lock();
        let retry_after = state.fleet.registration_seconds;
        let service = found(&mut state, &self.id_scope)?;
        self.authenticated(service)?;
        let registration = service
            .registrations
            .get(&self.registration_id)
            .filter(|registration| registration.operation_id == operation_id)
            .ok_or_else(|| ServiceError::new(404_000, "There is no such operation."))?;
        if now < registration.finishes {
            return Ok(assigning(operation_id, retry_after));
        }
        Ok(answer(StatusCode::OK, &registration.result))
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
        let token = sas::Token::parse(header.unwrap_or_default())
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
            .find(|group| group.symmetric_keys().any(|key| token.is_signed_with(key, &self.registration_id)))
            .ok_or_else(|| refuse("No enrollment group has a key that the signature was made with."))
    }

    fn decide(&self, body: &Map<String, Value>) -> Result<Decision, ServiceError> {
        let own = body.get("registrationId").and_then(Value::as_str);
        if own != Some(&self.registration_id) || !is_enrollment_group_id(&self.registration_id) {
            return Err(ServiceError::new(400_000, "registrationId is not valid or not that of the path."));
        }
        let state = self.world.lock();
        let (services, namespaces) = (&state.services, &state.namespaces);
        let service = services.iter().find(|service| service.id_scope.eq_ignore_ascii_case(&self.id_scope));
        let service = service.ok_or_else(|| no_scope(&self.id_scope))?;
        let group = self.authenticated(service)?;
        if !group.is_enabled() {
            return Err(ServiceError::unauthorized("The enrollment group is disabled."));
        }
        let own_hubs = group.hubs();
        let hubs: Vec<&str> = match own_hubs.is_empty() {
            true => service.hubs.iter().map(String::as_str).collect(),
            false => own_hubs,
        };
        if hubs.is_empty() || group.allocation_policy() == "custom" {
            return Err(ServiceError::new(
                400_000,
                "No hub can be chosen: there is none, or by custom allocation.",
            ));
        }
        let place = stable_hash(&self.registration_id) % hubs.len() as u64;
        let hub = hubs[usize::try_from(place).unwrap_or_default()].to_owned();
        let id = group.id.clone();
        let link = service.link.as_ref();
        let namespace = link.and_then(|link| namespaces.iter().find(|namespace| link.is_to(&namespace.id)));
        let issuer = group.reference().map(|reference| issuer::of(namespace, reference));
        if issuer.is_some() && namespace.is_some_and(|namespace| namespace.provisioning_state == "Failed") {
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

    /// The body of the finished operation.
    fn outcome(
        &self,
        decision: &Decision,
        request: Option<&DeviceRequest>,
        now: OffsetDateTime,
    ) -> Result<Value, ServiceError> {
        let mut registration = json!({
            "registrationId": self.registration_id,
            "createdDateTimeUtc": dates::milliseconds(now),
            "lastUpdatedDateTimeUtc": dates::milliseconds(now),
            "symmetricKey": {"enrollmentGroupId": decision.group},
        });
        let chain = match (request, &decision.issuer) {
            (Some(request), Some(Ok((authority, days)))) => {
                let made = authority.issue_device_certificate(request, now, *days);
                made.map_err(|error: PkiError| ServiceError::new(500_000, error.to_string()))?
            }
            (Some(_), Some(Err(problem))) => {
                registration["status"] = "failed".into();
                registration["errorCode"] = 400_000.into();
                registration["errorMessage"] = problem.clone().into();
                return Ok(json!({"status": "failed", "registrationState": registration}));
            }
            _ => Vec::new(),
        };
        registration["assignedHub"] = decision.hub.clone().into();
        registration["deviceId"] = self.registration_id.clone().into();
        registration["status"] = "assigned".into();
        registration["substatus"] = "initialAssignment".into();
        if !chain.is_empty() {
            let chain: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
            registration["issuedCertificateChain"] = chain.into();
        }
        Ok(json!({"status": "assigned", "registrationState": registration}))
    }
}

fn found<'a>(state: &'a mut WorldState, id_scope: &str) -> Result<&'a mut ProvisioningService, ServiceError> {
    let service = state.services.iter_mut().find(|service| service.id_scope.eq_ignore_ascii_case(id_scope));
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
