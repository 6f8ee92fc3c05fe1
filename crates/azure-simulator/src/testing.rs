//! Two small worlds behind their routers on a loopback port, for tests: one of generation A, and one in migration, with
//! credentials and certificate authorities side by side.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::control;
use crate::device_endpoints::DeviceEndpoints;
use crate::fleet::Fleet;
use crate::{provisioning, resource_manager, start};

const FLEET: &str = r#"
subscription = "S"
location = "East US 2"
page_size = 2

[[namespace]]
name = "contoso"
resource_group = "R"

[[namespace.policy]]
name = "default"
leaf_validity_days = 30

[[namespace.policy]]
name = "short-lived"
leaf_validity_days = 7
issuing_ca_validity_days = 20

[[namespace.hub]]
name = "hub-a"

[[namespace.hub]]
name = "hub-b"
subscription = "S2"
resource_group = "R2"

[[namespace.provisioning_service]]
name = "contoso-dps"

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
policy = "short-lived"
tags = { site = "a" }

[[namespace.provisioning_service.enrollment_group]]
name = "packing"
attestation = "x509-ca"

[[namespace.provisioning_service.enrollment_group]]
name = "trucks"
attestation = "x509-signing"
hubs = ["hub-a"]

[[hub]]
name = "plain"
resource_group = "R"

[[provisioning_service]]
name = "plain-dps"
resource_group = "R"
"#;

pub(crate) const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
pub(crate) const HUB_A: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/hub-a";
pub(crate) const HUB_B: &str =
    "/subscriptions/S2/resourceGroups/R2/providers/Microsoft.Devices/IotHubs/hub-b";
pub(crate) const ADR: &str = "2026-03-01-preview";
pub(crate) const HUBS: &str = "2025-08-01-preview";
pub(crate) const DPS: &str = "2025-07-01-preview";

/// A cloud that listens.
pub(crate) struct Served {
    pub cloud: Arc<Cloud>,
    pub device_endpoints: DeviceEndpoints,
    pub base_url: String,
    client: reqwest::Client,
    _server: loopback::Server,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Served {
    /// The small world.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The small world with changes.
    pub(crate) async fn with(change: impl FnOnce(&mut Fleet)) -> Self {
        let mut fleet = Fleet::from_toml(FLEET).unwrap();
        change(&mut fleet);
        Self::of(fleet).await
    }

    /// Any world.
    pub(crate) async fn of(fleet: Fleet) -> Self {
        let cloud = start::cloud(fleet, Clock::default(), 1).unwrap();
        let device_endpoints = DeviceEndpoints::new(cloud.clock().now()).unwrap();
        let router =
            resource_manager::router(Arc::clone(&cloud)).merge(provisioning::router(Arc::clone(&cloud)));
        let server = loopback::Server::start(|_| router).await.unwrap();
        let base_url = server.origin().to_owned();
        cloud.set_base_url(base_url.clone());
        Self { cloud, device_endpoints, base_url, client: reqwest::Client::new(), _server: server }
    }

    /// What exists, as `GET /simulator/state` shows it.
    pub(crate) fn state(&self) -> Value {
        control::state::state(&self.cloud, &self.device_endpoints)
    }

    /// Opens the device endpoints of the hubs.
    pub(crate) async fn open_device_endpoints(&self) {
        self.device_endpoints.open(&self.cloud).await.unwrap();
    }

    /// One call. `target` is a path with its query, or a whole URL of this server.
    pub(crate) async fn call(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let url = match target.starts_with("http") {
            true => target.to_owned(),
            false => format!("{}{target}", self.base_url),
        };
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str, version: &str) -> Answer {
        self.call(Method::GET, &format!("{path}?api-version={version}"), &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, version: &str, body: Option<Value>) -> Answer {
        self.call(Method::POST, &format!("{path}?api-version={version}"), &[], body).await
    }

    pub(crate) async fn put(&self, path: &str, version: &str, body: Value) -> Answer {
        self.call(Method::PUT, &format!("{path}?api-version={version}"), &[], Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, version: &str) -> Answer {
        self.call(Method::DELETE, &format!("{path}?api-version={version}"), &[], None).await
    }

    /// Pushes the simulated clock forward.
    pub(crate) fn wait(&self, seconds: i64) {
        self.cloud.clock().advance(Duration::seconds(seconds));
    }

    /// The sync of the namespace, from its start to its end.
    pub(crate) async fn synchronize(&self) -> Answer {
        let started = self.post(&format!("{NAMESPACE}/credentials/default/synchronize"), ADR, None).await;
        assert_eq!(started.status, 202, "{started:?}");
        self.wait(3);
        self.call(Method::GET, started.header("location").unwrap(), &[], None).await
    }

    /// `properties` of the certificate that a policy has on a hub, with the certificate's name.
    pub(crate) async fn hub_certificate(&self, hub: &str, policy: &str) -> Option<(String, Value)> {
        let list = self.get(&format!("{hub}/certificates"), HUBS).await;
        let id = policy_id(policy);
        let mut found = list.body["value"].as_array().unwrap().iter().filter(|certificate| {
            certificate["properties"]["PolicyResourceId"].as_str().unwrap().eq_ignore_ascii_case(&id)
        });
        let certificate = found.next()?;
        assert!(found.next().is_none(), "one certificate per policy");
        Some((certificate["name"].as_str().unwrap().to_owned(), certificate["properties"].clone()))
    }

    /// The primary key of a symmetric-key group.
    pub(crate) async fn group_key(&self, group: &str) -> String {
        let path = format!("/dps/contoso-dps/enrollmentGroups/{group}/attestationmechanism");
        let answer = self.post(&path, DPS, None).await;
        answer.body["symmetricKey"]["primaryKey"].as_str().unwrap().to_owned()
    }

    /// The address of a hub's endpoint, and the PEM of the CA that signed its certificate.
    pub(crate) fn device_endpoint(&self, hub_host_name: &str) -> (SocketAddr, String) {
        let state = self.state();
        let hubs = state["hubs"].as_array().unwrap();
        let hub = hubs.iter().find(|hub| hub["hostName"] == hub_host_name).unwrap();
        let address = hub["deviceEndpoint"].as_str().unwrap().parse().unwrap();
        (address, state["deviceServerCertificateAuthority"].as_str().unwrap().to_owned())
    }
}

pub(crate) fn policy_id(policy: &str) -> String {
    format!("{NAMESPACE}/credentials/default/policies/{policy}")
}

/// Signs a signing request as a customer does: the chain with the customer's root, PEM.
pub(crate) fn sign(request: &str) -> String {
    sign_with(request, |_| {})
}

/// The same with changes of the signed certificate.
pub(crate) fn sign_with(request: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let mut root = rcgen::CertificateParams::default();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&key).unwrap().pem();
    let mut request = rcgen::CertificateSigningRequestParams::from_pem(request).unwrap();
    change(&mut request.params);
    let signed = request.signed_by(&rcgen::Issuer::new(root, key)).unwrap().pem();
    signed + &root_pem
}

/// The least body of a symmetric-key group.
pub(crate) fn group(id: &str) -> Value {
    json!({"enrollmentGroupId": id, "attestation": {"type": "symmetricKey"}})
}

const BOTH: &str = r#"
subscription = "S"
location = "East US 2"
page_size = 2
push_seconds = 60

[[namespace]]
name = "contoso"
resource_group = "R"
generation = "both"

[[namespace.policy]]
name = "default"
leaf_validity_days = 30

[[namespace.certificate_authority]]
name = "factory-ica"
type = "issuing"
validity_days = 20
policy = { name = "short-lived", leaf_validity_days = 7 }

[[namespace.certificate_authority]]
name = "factory-root"
type = "root"

[[namespace.certificate_authority]]
name = "partner-ica"
type = "external"
policy = { name = "partner", leaf_validity_days = 10 }

[[namespace.hub]]
name = "hub-a"

[[namespace.hub]]
name = "hub-b"
subscription = "S2"
resource_group = "R2"

[[namespace.provisioning_service]]
name = "contoso-dps"

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
certificate_authority = "factory-ica"
certificate_policy = "short-lived"

[[namespace.provisioning_service.enrollment_group]]
name = "legacy"
policy = "default"

[[hub]]
name = "plain"
resource_group = "R"

[[provisioning_service]]
name = "plain-dps"
resource_group = "R"
"#;

pub(crate) const ADR_B: &str = "2026-11-01";
pub(crate) const HUBS_B: &str = "2026-10-01-preview";
pub(crate) const DPS_B: &str = "2026-11-01";
pub(crate) const SERVICE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/contoso-dps";

impl Served {
    /// The small world in migration.
    pub(crate) async fn both() -> Self {
        Self::both_with(|_| {}).await
    }

    /// The same with changes.
    pub(crate) async fn both_with(change: impl FnOnce(&mut Fleet)) -> Self {
        let mut fleet = Fleet::from_toml(BOTH).unwrap();
        change(&mut fleet);
        Self::of(fleet).await
    }

    /// `properties` of the certificate that a certificate authority has on a hub, with the certificate's name.
    pub(crate) async fn authority_on(&self, hub: &str, authority: &str) -> Option<(String, Value)> {
        let list = self.get(&format!("{hub}/certificates"), HUBS_B).await;
        let id = authority_id(authority);
        let mut found = list.body["value"].as_array().unwrap().iter().filter(|certificate| {
            certificate["properties"]["certificateAuthorityResourceId"]
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(&id))
        });
        let certificate = found.next()?;
        assert!(found.next().is_none(), "one certificate per certificate authority");
        Some((certificate["name"].as_str().unwrap().to_owned(), certificate["properties"].clone()))
    }

    /// `properties` of a certificate authority.
    pub(crate) async fn authority(&self, name: &str) -> Value {
        self.get(&authority_id(name), ADR_B).await.body["properties"].clone()
    }
}

pub(crate) fn authority_id(name: &str) -> String {
    format!("{NAMESPACE}/certificateAuthorities/{name}")
}

pub(crate) fn certificate_policy_id(authority: &str, policy: &str) -> String {
    format!("{}/certificatePolicies/{policy}", authority_id(authority))
}

/// The body of an issuing CA that the namespace's root signs.
pub(crate) fn issuing() -> Value {
    json!({"location": "East US 2", "properties": {"certificateAuthorityType": "ICA", "keyType": "ECC",
        "issuer": {"issuerType": "Microsoft", "certificateAuthorityResourceId": authority_id("factory-root")}}})
}
