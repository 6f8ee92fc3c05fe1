//! The enrollment groups of a fleet, as the service would have stored them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::api_version::ApiVersion;
use super::document::{self, Write};
use super::reference;
use crate::dates;
use crate::fleet::{self, Attestation, FleetError};
use crate::pki::{self, Authority, PkiError};
use crate::world::{World, WorldError};

/// Writes the groups of the world's fleet.
///
/// # Errors
/// When the service would not take a group, or a certificate could not be made.
pub(crate) fn write_groups(world: &mut World, now: OffsetDateTime) -> Result<(), WorldError> {
    let fleet = world.fleet.clone();
    for namespace in &fleet.namespaces {
        for service in &namespace.provisioning_services {
            write(world, &service.name, Some(&namespace.name), &service.enrollment_groups, now)?;
        }
    }
    for service in &fleet.provisioning_services {
        write(world, &service.name, None, &service.enrollment_groups, now)?;
    }
    Ok(())
}

/// The groups of one service. `namespace`: the name of the one that it is linked to.
fn write(
    world: &mut World,
    service: &str,
    namespace: Option<&str>,
    given: &[fleet::EnrollmentGroup],
    now: OffsetDateTime,
) -> Result<(), WorldError> {
    let World { services, names, fleet, .. } = world;
    let Some(made) = services.iter_mut().find(|made| made.name == service) else { return Ok(()) };
    for group in given {
        let version = match group.certificate_policy {
            Some(_) => ApiVersion::V2026_11_02Preview,
            None => ApiVersion::V2025_07_01Preview,
        };
        let how = Write { version, unknown_reference: fleet.unknown_reference, now };
        let document = document(service, namespace, group, now)?;
        let written = document::written(None, &group.name, document, &how, names).map_err(|error| {
            FleetError::Value {
                place: format!("enrollment_group {:?}", group.name),
                problem: error.to_string(),
            }
        })?;
        made.groups.insert(group.name.to_ascii_lowercase(), written);
    }
    Ok(())
}

fn document(
    service: &str,
    namespace: Option<&str>,
    group: &fleet::EnrollmentGroup,
    now: OffsetDateTime,
) -> Result<Map<String, Value>, PkiError> {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("enrollmentGroupId", group.name.clone().into());
    put("attestation", attestation(service, group, now)?);
    put("capabilities", json!({"iotEdge": false}));
    put("iotHubHostName", Value::Null);
    if let Some(policy) = &group.policy {
        put(reference::CREDENTIAL_POLICY, policy.clone().into());
    }
    if let (Some(namespace), Some(authority), Some(policy)) =
        (namespace, &group.certificate_authority, &group.certificate_policy)
    {
        put(reference::NAMESPACE, namespace.into());
        put(reference::CERTIFICATE_AUTHORITY, authority.clone().into());
        put(reference::CERTIFICATE_POLICY, policy.clone().into());
    }
    put("initialTwin", json!({"tags": group.tags, "properties": {"desired": {}}}));
    put("provisioningStatus", if group.enabled { "enabled" } else { "disabled" }.into());
    put("reprovisionPolicy", json!({"updateHubAssignment": true, "migrateDeviceData": true}));
    put("allocationPolicy", "hashed".into());
    let hubs: Vec<String> = group.hubs.iter().map(|hub| format!("{hub}.azure-devices.net")).collect();
    put("iotHubs", hubs.into());
    Ok(document)
}

fn attestation(
    service: &str,
    group: &fleet::EnrollmentGroup,
    now: OffsetDateTime,
) -> Result<Value, PkiError> {
    Ok(match group.attestation {
        Attestation::SymmetricKey => json!({"type": "symmetricKey"}),
        Attestation::Tpm => json!({"type": "tpm", "tpm": {"endorsementKey": "AToAAQALAAMAsgAgg3GX"}}),
        Attestation::X509Ca => json!({"type": "x509", "x509": {"caReferences": {
            "primary": format!("{service}-ca"), "secondary": null}}}),
        Attestation::X509Signing => {
            let name = format!("{} signing", group.name);
            let signing = Authority::root(&name, now, now + Duration::days(3650))?;
            json!({"type": "x509", "x509": {"signingCertificates": {"primary": signing_certificate(&signing)}}})
        }
    })
}

fn signing_certificate(authority: &Authority) -> Value {
    json!({
        "certificate": STANDARD.encode(authority.der()),
        "info": {
            "subjectName": authority.subject(),
            "sha1Thumbprint": pki::sha1_thumbprint(authority.der()),
            "sha256Thumbprint": pki::sha256_thumbprint(authority.der()),
            "issuerName": authority.subject(),
            "notBeforeUtc": dates::milliseconds(authority.not_before()),
            "notAfterUtc": dates::milliseconds(authority.not_after()),
            "version": 3,
        },
    })
}
