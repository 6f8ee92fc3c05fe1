//! The enrollment groups of a fleet.

use serde_json::{Map, Value, json};
use time::Duration;

use super::Builder;
use crate::dates;
use crate::fleet::{self, Attestation, FleetError};
use crate::pki::{self, Authority, PkiError};
use crate::provisioning::api_version::ApiVersion;
use crate::provisioning::reference;
use crate::world::WorldError;
use crate::world::enrollment::{EnrollmentGroup, ProvisioningService, Write};

impl Builder<'_> {
    /// The groups of one service. `namespace`: the name of the one that it is linked to.
    pub(super) fn groups(
        &mut self,
        service: &mut ProvisioningService,
        namespace: Option<&str>,
        given: &[fleet::EnrollmentGroup],
    ) -> Result<(), WorldError> {
        for group in given {
            let document = self.document(service, namespace, group)?;
            let version = match group.certificate_policy {
                Some(_) => ApiVersion::V2026_11_02Preview,
                None => ApiVersion::V2025_07_01Preview,
            };
            let write = Write { version, unknown_reference: self.fleet.unknown_reference, now: self.now };
            let written = EnrollmentGroup::written(None, &group.name, document, &write, &mut self.names)
                .map_err(|error| FleetError::Value {
                    place: format!("enrollment_group {:?}", group.name),
                    problem: error.to_string(),
                })?;
            service.groups.insert(group.name.to_ascii_lowercase(), written);
        }
        Ok(())
    }

    fn document(
        &self,
        service: &ProvisioningService,
        namespace: Option<&str>,
        group: &fleet::EnrollmentGroup,
    ) -> Result<Map<String, Value>, PkiError> {
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
        put("enrollmentGroupId", group.name.clone().into());
        put("attestation", self.attestation(service, group)?);
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
        &self,
        service: &ProvisioningService,
        group: &fleet::EnrollmentGroup,
    ) -> Result<Value, PkiError> {
        Ok(match group.attestation {
            Attestation::SymmetricKey => json!({"type": "symmetricKey"}),
            Attestation::Tpm => json!({"type": "tpm", "tpm": {"endorsementKey": "AToAAQALAAMAsgAgg3GX"}}),
            Attestation::X509Ca => json!({"type": "x509", "x509": {"caReferences": {
                "primary": format!("{}-ca", service.name), "secondary": null}}}),
            Attestation::X509Signing => {
                let name = format!("{} signing", group.name);
                let signing = Authority::root(&name, self.now, self.now + Duration::days(3650))?;
                json!({"type": "x509", "x509": {"signingCertificates": {"primary": signing_certificate(&signing)}}})
            }
        })
    }
}

fn signing_certificate(authority: &Authority) -> Value {
    use base64::Engine as _;
    json!({
        "certificate": base64::engine::general_purpose::STANDARD.encode(authority.der()),
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
