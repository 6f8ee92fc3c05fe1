//! The small world in migration: credentials and certificate authorities side by side.

use serde_json::{Value, json};

use super::{NAMESPACE, Served};
use crate::fleet::Fleet;

const FLEET: &str = r#"
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
        let mut fleet = Fleet::from_toml(FLEET).unwrap();
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
