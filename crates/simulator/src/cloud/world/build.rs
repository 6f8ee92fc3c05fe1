//! The world of a fleet at its start.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::WorldError;
use super::enrollment::{EnrollmentGroup, ProvisioningService};
use super::hub::Hub;
use super::names::Names;
use super::namespace::{Credential, Namespace, Policy, SystemData};
use super::state::State;
use crate::cloud::dates;
use crate::cloud::feeds::Feeds;
use crate::cloud::fleet::{self, Attestation, Fleet, FleetError};
use crate::cloud::pki::{self, Authority, PkiError};
use crate::cloud::provisioning::api_version::ApiVersion;

/// What every part of the start needs.
struct Builder<'a> {
    fleet: &'a Fleet,
    names: Names,
    now: OffsetDateTime,
}

impl State {
    /// Makes everything that a fleet names.
    pub(super) fn build(
        fleet: Fleet,
        seed: u64,
        now: OffsetDateTime,
        feeds: Arc<Feeds>,
    ) -> Result<Self, WorldError> {
        let mut builder = Builder { fleet: &fleet, names: Names::new(seed), now };
        let tenant_id = builder.names.guid();
        let (mut namespaces, mut hubs, mut services) = (Vec::new(), Vec::new(), Vec::new());
        for given in &fleet.namespaces {
            let namespace = builder.namespace(given, &tenant_id)?;
            for hub in &given.hubs {
                hubs.push(builder.hub(&namespace, hub));
            }
            for service in &given.provisioning_services {
                let subscription = service.subscription.as_deref().unwrap_or(&fleet.subscription);
                let group = service.resource_group.as_deref().unwrap_or(&given.resource_group);
                let linked = given.hubs.iter().map(|hub| hub.name.as_str()).collect::<Vec<_>>();
                let mut made = builder.service(&service.name, subscription, group, &linked);
                made.namespace_id = Some(namespace.id.clone());
                builder.groups(&mut made, &service.enrollment_groups)?;
                services.push(made);
            }
            namespaces.push(namespace);
        }
        for hub in &fleet.hubs {
            let subscription = hub.subscription.as_deref().unwrap_or(&fleet.subscription);
            hubs.push(builder.bare_hub(&hub.name, subscription, &hub.resource_group));
        }
        for service in &fleet.provisioning_services {
            let linked = service.hubs.iter().map(String::as_str).collect::<Vec<_>>();
            let mut made =
                builder.service(&service.name, &fleet.subscription, &service.resource_group, &linked);
            builder.groups(&mut made, &service.enrollment_groups)?;
            services.push(made);
        }
        let names = builder.names;
        Ok(Self { fleet, names, tenant_id, namespaces, hubs, services, operations: Vec::new(), feeds })
    }
}

impl Builder<'_> {
    fn namespace(&mut self, given: &fleet::Namespace, tenant_id: &str) -> Result<Namespace, PkiError> {
        let credential = match given.credential {
            false => None,
            true => {
                let mut credential = Credential::accepted(self.fleet.location.clone(), Map::new(), self.now);
                credential.complete(&mut self.names, self.now)?;
                credential.policies = self.policies(given, &credential)?;
                Some(credential)
            }
        };
        Ok(Namespace {
            id: format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.DeviceRegistry/namespaces/{}",
                self.fleet.subscription, given.resource_group, given.name
            ),
            name: given.name.clone(),
            subscription: self.fleet.subscription.clone(),
            resource_group: given.resource_group.clone(),
            location: self.fleet.location.clone(),
            tags: Map::new(),
            uuid: self.names.guid(),
            principal_id: self.names.guid(),
            tenant_id: tenant_id.to_owned(),
            provisioning_state: "Succeeded".to_owned(),
            system_data: SystemData::new(self.now),
            credential,
        })
    }

    fn policies(
        &mut self,
        given: &fleet::Namespace,
        credential: &Credential,
    ) -> Result<IndexMap<String, Policy>, PkiError> {
        let mut policies = IndexMap::new();
        for policy in &given.policies {
            let mut made = Policy {
                name: policy.name.clone(),
                leaf_validity_days: policy.leaf_validity_days,
                issuing_ca_validity_days: policy
                    .issuing_ca_validity_days
                    .unwrap_or(self.fleet.issuing_ca_validity_days),
                provisioning_state: policy.provisioning_state.clone(),
                location: self.fleet.location.clone(),
                tags: Map::new(),
                bring_your_own_root: policy.bring_your_own_root,
                authority: None,
                pending: None,
                system_data: SystemData::new(self.now),
            };
            if let Some(root) = &credential.root {
                made.renew(root, &mut self.names, self.now)?;
            }
            policies.insert(policy.name.to_ascii_lowercase(), made);
        }
        Ok(policies)
    }

    /// A linked hub, with the issuing CAs that it trusts from the start.
    fn hub(&mut self, namespace: &Namespace, given: &fleet::Hub) -> Hub {
        let subscription = given.subscription.as_deref().unwrap_or(&namespace.subscription);
        let group = given.resource_group.as_deref().unwrap_or(&namespace.resource_group);
        let mut hub = self.bare_hub(&given.name, subscription, group);
        hub.namespace_id = Some(namespace.id.clone());
        let trusts = |policy: &Policy| {
            given
                .trusts
                .as_ref()
                .is_none_or(|names| names.iter().any(|n| n.eq_ignore_ascii_case(&policy.name)))
        };
        for policy in namespace.policies().filter(|policy| trusts(policy)) {
            if let Some(authority) = policy.active_authority() {
                hub.push(&namespace.policy_id(&policy.name), authority, &mut self.names, self.now);
            }
        }
        hub
    }

    fn bare_hub(&mut self, name: &str, subscription: &str, resource_group: &str) -> Hub {
        Hub {
            id: format!(
                "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Devices/IotHubs/{name}"
            ),
            name: name.to_owned(),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            location: self.fleet.location.clone(),
            namespace_id: None,
            identity_id: identity_id(subscription, resource_group, name),
            etag: self.names.hub_etag(),
            certificates: Vec::new(),
        }
    }

    fn service(
        &mut self,
        name: &str,
        subscription: &str,
        resource_group: &str,
        hubs: &[&str],
    ) -> ProvisioningService {
        ProvisioningService {
            id: format!(
                "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Devices/provisioningServices/{name}"
            ),
            name: name.to_owned(),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            location: self.fleet.location.clone(),
            namespace_id: None,
            identity_id: identity_id(subscription, resource_group, name),
            hubs: hubs.iter().map(|hub| format!("{hub}.azure-devices.net")).collect(),
            id_scope: self.names.id_scope(),
            groups: BTreeMap::new(),
            registrations: BTreeMap::new(),
        }
    }

    fn groups(
        &mut self,
        service: &mut ProvisioningService,
        given: &[fleet::EnrollmentGroup],
    ) -> Result<(), WorldError> {
        for group in given {
            let document = self.document(service, group)?;
            let written = EnrollmentGroup::written(
                None,
                &group.name,
                document,
                ApiVersion::NEWEST,
                &mut self.names,
                self.now,
            )
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
        group: &fleet::EnrollmentGroup,
    ) -> Result<Map<String, Value>, PkiError> {
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
        put("enrollmentGroupId", group.name.clone().into());
        put("attestation", self.attestation(service, group)?);
        put("capabilities", json!({"iotEdge": false}));
        put("iotHubHostName", Value::Null);
        if let Some(policy) = &group.policy {
            put("credentialPolicyName", policy.clone().into());
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

fn identity_id(subscription: &str, resource_group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}-identity"
    )
}
