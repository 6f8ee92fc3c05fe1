//! Which api-versions each resource type answers: data, from `azure-wire-facts.md` §0 and §1.1.

use axum::response::Response;
use serde_json::json;

use super::{ArmRequest, ok};
use crate::cloud::arm_error::ArmError;
use crate::cloud::world::World;

/// A resource type, or an action that came later than its resource.
struct ResourceType {
    provider: &'static str,
    name: &'static str,
    versions: &'static [&'static str],
    /// Actions have versions of their own here but are not listed as types.
    is_action: bool,
}

const REGISTRY: &str = "Microsoft.DeviceRegistry";
const DEVICES: &str = "Microsoft.Devices";
const CREDENTIALS: &[&str] = &["2026-03-01-preview", "2025-11-01-preview"];
const SINCE_2026: &[&str] = &["2026-03-01-preview"];
const HUBS: &[&str] = &["2026-05-01-preview", "2026-03-01-preview", "2025-08-01-preview"];

/// Generation A. Generation B adds `namespaces/certificateAuthorities` and newer versions.
const TYPES: &[ResourceType] = &[
    resource(REGISTRY, "namespaces", &["2026-03-01-preview", "2025-11-01-preview", "2025-10-01"]),
    resource(REGISTRY, "namespaces/credentials", CREDENTIALS),
    action(REGISTRY, "namespaces/credentials/synchronize", CREDENTIALS),
    resource(REGISTRY, "namespaces/credentials/policies", CREDENTIALS),
    action(REGISTRY, "namespaces/credentials/policies/revokeIssuer", SINCE_2026),
    action(REGISTRY, "namespaces/credentials/policies/activateBringYourOwnRoot", SINCE_2026),
    resource(REGISTRY, "locations", &["2026-03-01-preview", "2025-11-01-preview", "2025-10-01"]),
    resource(
        REGISTRY,
        "locations/operationStatuses",
        &["2026-03-01-preview", "2025-11-01-preview", "2025-10-01"],
    ),
    resource(DEVICES, "IotHubs", HUBS),
    resource(DEVICES, "IotHubs/certificates", HUBS),
    resource(DEVICES, "provisioningServices", &["2025-02-01-preview"]),
];

const fn resource(
    provider: &'static str,
    name: &'static str,
    versions: &'static [&'static str],
) -> ResourceType {
    ResourceType { provider, name, versions, is_action: false }
}

const fn action(
    provider: &'static str,
    name: &'static str,
    versions: &'static [&'static str],
) -> ResourceType {
    ResourceType { provider, name, versions, is_action: true }
}

/// Whether the request's type exists and answers its api-version.
///
/// # Errors
/// 404 for an unknown type; 400 for a missing or unknown api-version, with those that would do.
pub(super) fn check(request: &ArmRequest) -> Result<(), ArmError> {
    let asked = request.types.join("/");
    let found = TYPES.iter().find(|known| {
        known.provider.eq_ignore_ascii_case(&request.provider) && known.name.eq_ignore_ascii_case(&asked)
    });
    let Some(known) = found else {
        return Err(ArmError::new(
            http::StatusCode::NOT_FOUND,
            "InvalidResourceType",
            format!(
                "The resource type '{asked}' could not be found in the namespace '{}'.",
                request.provider
            ),
        ));
    };
    let supported = known.versions.join(", ");
    if request.api_version.is_empty() {
        return Err(ArmError::bad_request(
            "MissingApiVersionParameter",
            format!(
                "The api-version query parameter (?api-version=) is required. Supported are '{supported}'."
            ),
        ));
    }
    if !known.versions.iter().any(|version| version.eq_ignore_ascii_case(&request.api_version)) {
        return Err(ArmError::bad_request(
            "InvalidApiVersionParameter",
            format!(
                "The api-version '{}' is invalid for the resource type '{}/{}'. The supported versions are '{supported}'.",
                request.api_version, known.provider, known.name
            ),
        ));
    }
    Ok(())
}

/// `GET /subscriptions/{s}/providers/{provider}`: the resource types and their api-versions, from which a client can
/// tell the generation of the device registry (`azure-wire-facts.md` §10c.1).
pub(super) fn describe_provider(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let Some(provider) =
        TYPES.iter().map(|known| known.provider).find(|name| name.eq_ignore_ascii_case(&request.provider))
    else {
        return Err(ArmError::new(
            http::StatusCode::NOT_FOUND,
            "InvalidResourceNamespace",
            format!("The resource namespace '{}' is invalid.", request.provider),
        ));
    };
    if request.method != http::Method::GET || request.resource_group.is_some() {
        return Err(ArmError::method_not_allowed(&request.method, &request.path));
    }
    if request.api_version.is_empty() {
        return Err(ArmError::bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    let location = world.lock().fleet.location.clone();
    let types: Vec<_> = TYPES
        .iter()
        .filter(|known| known.provider == provider && !known.is_action)
        .map(|known| {
            json!({"resourceType": known.name, "locations": [location], "apiVersions": known.versions,
                   "capabilities": "SupportsTags, SupportsLocation"})
        })
        .collect();
    ok(json!({
        "id": format!("/subscriptions/{}/providers/{provider}", request.subscription),
        "namespace": provider,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
        "registrationState": "Registered",
    }))
}
