//! Which api-versions each resource type answers: data, from `azure-wire-facts.md` §0, §1.1 and `bicep-types.md`.

use axum::response::Response;
use serde_json::json;

use super::{ArmRequest, ok};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Generation;

/// A resource type, or an action that came later than its resource.
struct ResourceType {
    provider: &'static str,
    name: &'static str,
    /// Newest first, each with the generation that it belongs to.
    versions: &'static [(&'static str, Generation)],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A resource that has a location of its own at the top of its provider.
    Located,
    /// Another resource type.
    Nested,
    /// Actions have versions of their own here but are not listed as types.
    Action,
}

const A: Generation = Generation::Credentials;
const B: Generation = Generation::CertificateAuthorities;
const ANY: Generation = Generation::Both;

const REGISTRY: &str = "Microsoft.DeviceRegistry";
const DEVICES: &str = "Microsoft.Devices";
const NAMESPACES: &[(&str, Generation)] = &[
    ("2026-11-02-preview", B),
    ("2026-11-01", B),
    ("2026-04-01", ANY),
    ("2026-03-01-preview", A),
    ("2025-11-01-preview", A),
    ("2025-10-01", ANY),
];
const CREDENTIALS: &[(&str, Generation)] = &[("2026-03-01-preview", A), ("2025-11-01-preview", A)];
const SINCE_2026: &[(&str, Generation)] = &[("2026-03-01-preview", A)];
const AUTHORITIES: &[(&str, Generation)] = &[("2026-11-02-preview", B), ("2026-11-01", B)];
const HUBS: &[(&str, Generation)] = &[
    ("2026-11-01", B),
    ("2026-10-01-preview", B),
    ("2026-05-01-preview", A),
    ("2026-03-01-preview", A),
    ("2025-08-01-preview", A),
];
const SERVICES: &[(&str, Generation)] = &[
    ("2026-11-01", B),
    ("2026-08-31", ANY),
    ("2026-06-01-preview", B),
    ("2026-03-01-preview", A),
    ("2025-02-01-preview", A),
];

const TYPES: &[ResourceType] = &[
    of(REGISTRY, "namespaces", NAMESPACES, Kind::Located),
    of(REGISTRY, "namespaces/credentials", CREDENTIALS, Kind::Nested),
    of(REGISTRY, "namespaces/credentials/synchronize", CREDENTIALS, Kind::Action),
    of(REGISTRY, "namespaces/credentials/policies", CREDENTIALS, Kind::Nested),
    of(REGISTRY, "namespaces/credentials/policies/revokeIssuer", SINCE_2026, Kind::Action),
    of(REGISTRY, "namespaces/credentials/policies/activateBringYourOwnRoot", SINCE_2026, Kind::Action),
    of(REGISTRY, "namespaces/certificateAuthorities", AUTHORITIES, Kind::Nested),
    of(REGISTRY, "namespaces/certificateAuthorities/activate", AUTHORITIES, Kind::Action),
    of(REGISTRY, "namespaces/certificateAuthorities/revokeAndRotate", AUTHORITIES, Kind::Action),
    of(REGISTRY, "namespaces/certificateAuthorities/certificatePolicies", AUTHORITIES, Kind::Nested),
    of(REGISTRY, "locations", NAMESPACES, Kind::Nested),
    of(REGISTRY, "locations/operationStatuses", NAMESPACES, Kind::Nested),
    of(REGISTRY, "locations/asyncOperationStatuses", AUTHORITIES, Kind::Nested),
    of(DEVICES, "IotHubs", HUBS, Kind::Located),
    of(DEVICES, "IotHubs/certificates", HUBS, Kind::Nested),
    of(DEVICES, "provisioningServices", SERVICES, Kind::Located),
];

const fn of(
    provider: &'static str,
    name: &'static str,
    versions: &'static [(&'static str, Generation)],
    kind: Kind,
) -> ResourceType {
    ResourceType { provider, name, versions, kind }
}

impl ResourceType {
    /// The versions of a cloud that offers these generations.
    fn offered(&self, cloud: Generation) -> Vec<&'static str> {
        let is_offered = |of: Generation| of == ANY || cloud == ANY || of == cloud;
        self.versions.iter().filter(|(_, of)| is_offered(*of)).map(|(version, _)| *version).collect()
    }
}

/// The generation that a version of a resource type belongs to; both for one that belongs to neither.
pub(crate) fn generation(request: &ArmRequest) -> Generation {
    let asked = request.types.join("/");
    let mut known = TYPES.iter().filter(|known| is(known, request, &asked)).flat_map(|known| known.versions);
    known
        .find(|(version, _)| version.eq_ignore_ascii_case(&request.api_version))
        .map_or(ANY, |(_, generation)| *generation)
}

fn is(known: &ResourceType, request: &ArmRequest, asked: &str) -> bool {
    known.provider.eq_ignore_ascii_case(&request.provider) && known.name.eq_ignore_ascii_case(asked)
}

/// Whether the request's type exists and answers its api-version.
///
/// ARM has three answers for a wrong version, and each names the right ones: for a version that no provider has; for
/// one that a type with a location does not have; for one that another type does not have.
///
/// # Errors 404 for an unknown type; 400 or 404 for a missing or unknown api-version, with the right ones.
pub(crate) fn check(cloud: &Cloud, request: &ArmRequest) -> Result<(), ArmError> {
    let (generations, location) = {
        let world = cloud.lock();
        (world.fleet.offered(), world.fleet.location.to_ascii_lowercase().replace(' ', ""))
    };
    let asked = request.types.join("/");
    let found = TYPES
        .iter()
        .map(|known| (known, known.offered(generations)))
        .find(|(known, offered)| is(known, request, &asked) && !offered.is_empty());
    let Some((known, offered)) = found else {
        return Err(ArmError::new(
            http::StatusCode::NOT_FOUND,
            "InvalidResourceType",
            format!(
                "The resource type '{asked}' could not be found in the namespace '{}' for api version '{}'.",
                request.provider, request.api_version
            ),
        ));
    };
    if request.api_version.is_empty() {
        return Err(ArmError::bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    let same = |version: &&str| version.eq_ignore_ascii_case(&request.api_version);
    if offered.iter().any(same) {
        return Ok(());
    }
    let anywhere = TYPES.iter().flat_map(|known| known.versions).map(|(version, _)| version);
    if !anywhere.clone().any(same) {
        let mut all: Vec<&str> = anywhere.copied().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        return Err(ArmError::bad_request(
            "InvalidApiVersionParameter",
            format!(
                "The api-version '{}' is invalid. The supported versions are '{}'.",
                request.api_version,
                all.join(",")
            ),
        ));
    }
    Err(match known.kind {
        Kind::Located => ArmError::bad_request(
            "NoRegisteredProviderFound",
            format!(
                "No registered resource provider found for location '{location}' and API version '{}' for type '{}'. \
                 The supported api-versions are '{}'. The supported locations are '{location}'.",
                request.api_version,
                known.name,
                offered.join(", ")
            ),
        ),
        Kind::Nested | Kind::Action => ArmError::new(
            http::StatusCode::NOT_FOUND,
            "InvalidResourceType",
            format!(
                "The resource type '{}' could not be found in the namespace '{}' for api version '{}'. \
                 The supported api-versions are '{}'.",
                known.name,
                known.provider,
                request.api_version,
                offered.join(",")
            ),
        ),
    })
}

/// `GET /subscriptions/{s}/providers/{provider}`: the resource types and their api-versions, from which a client can
/// tell the generation of the device registry (`azure-wire-facts.md` §10c.1).
pub(crate) fn describe_provider(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
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
    let (generations, location) = {
        let world = cloud.lock();
        (world.fleet.offered(), world.fleet.location.clone())
    };
    let types: Vec<_> = TYPES
        .iter()
        .filter(|known| known.provider == provider && known.kind != Kind::Action)
        .map(|known| (known, known.offered(generations)))
        .filter(|(_, offered)| !offered.is_empty())
        .map(|(known, offered)| {
            json!({"resourceType": known.name, "locations": [location], "apiVersions": offered,
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

#[cfg(test)]
mod tests {
    use crate::fleet::Generation;
    use crate::testing::*;
    use serde_json::{Value, json};

    async fn versions(served: &Served, name: &str) -> Value {
        let answer = served.get("/subscriptions/S/providers/Microsoft.DeviceRegistry", "2021-04-01").await;
        let types = answer.body["resourceTypes"].as_array().unwrap().clone();
        let found = types.into_iter().find(|one| one["resourceType"] == name);
        found.map_or(Value::Null, |one| one["apiVersions"].clone())
    }

    #[tokio::test]
    async fn a_cloud_offers_what_its_namespaces_need_unless_the_fleet_says_otherwise() {
        const AUTHORITIES: &str = "namespaces/certificateAuthorities";
        let a = Served::start().await;
        assert_eq!(versions(&a, AUTHORITIES).await, Value::Null);
        assert_eq!(
            versions(&a, "namespaces").await,
            json!(["2026-04-01", "2026-03-01-preview", "2025-11-01-preview", "2025-10-01"])
        );
        let both = Served::both().await;
        assert_eq!(versions(&both, AUTHORITIES).await, json!(["2026-11-02-preview", "2026-11-01"]));
        assert_eq!(
            versions(&both, "namespaces/credentials/policies").await,
            json!(["2026-03-01-preview", "2025-11-01-preview"])
        );
        let b = Served::both_with(|fleet| fleet.offers = Some(Generation::CertificateAuthorities)).await;
        assert_eq!(versions(&b, "namespaces/credentials").await, Value::Null);
        let gone = b.get(&policy_id("default"), ADR).await;
        assert_eq!((gone.status, &gone.body["error"]["code"]), (404, &json!("InvalidResourceType")));
        assert_eq!(b.get(NAMESPACE, ADR_B).await.status, 200);
    }

    #[tokio::test]
    async fn a_version_that_does_not_do_is_refused_with_those_that_would() {
        let served = Served::start().await;
        for (path, version, status, code, listed) in [
            (NAMESPACE.to_owned(), "2030-01-01", 400, "InvalidApiVersionParameter", "2026-11-01,"),
            (
                NAMESPACE.to_owned(),
                "2026-11-01",
                400,
                "NoRegisteredProviderFound",
                "2026-04-01, 2026-03-01-preview,",
            ),
            (HUB_A.to_owned(), "2026-11-01", 400, "NoRegisteredProviderFound", "2026-05-01-preview, "),
            (
                policy_id("default"),
                "2025-10-01",
                404,
                "InvalidResourceType",
                "2026-03-01-preview,2025-11-01-preview",
            ),
            (authority_id("any"), "2026-11-01", 404, "InvalidResourceType", "certificateauthorities"),
        ] {
            let answer = served.get(&path, version).await;
            let (found, message) = (&answer.body["error"]["code"], answer.body["error"]["message"].as_str());
            assert_eq!((answer.status, found.as_str()), (status, Some(code)), "{answer:?}");
            assert!(message.unwrap().contains(listed) && message.unwrap().contains(version), "{message:?}");
        }
    }
}
