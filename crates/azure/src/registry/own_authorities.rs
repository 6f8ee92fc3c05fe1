//! Issuing CAs that the customer's own root signs, of both generations, with the requests that wait for a signature
//! (`ca-lifecycle-facts.md` §1.3, §1.5).

use certificate_management::ArmId;
use certificate_management::model::ProvisioningState;
use serde_json::Value;

use super::provisioning_state;
use crate::members::{arm_id, at, boolean, owned, text};

/// An issuing CA that the customer's own root signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAuthority {
    /// Its ARM id: of the certificate authority, or of the policy in the first generation.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// Whether Azure finished making it. That says nothing about its activation.
    pub provisioning_state: ProvisioningState,
    /// `PendingActivation`, `Active`, `ActiveButPendingRenewal`, or what the service says.
    pub status: String,
    /// The request that the service shows, PEM. An active authority may still show the one that was signed.
    pub signing_request: Option<String>,
}

impl OwnAuthority {
    /// Whether it waits for a certificate: its first, or the next one.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        ["PendingActivation", "ActiveButPendingRenewal"]
            .iter()
            .any(|status| status.eq_ignore_ascii_case(&self.status))
    }
}

/// Reads a certificate authority; `None` for one with another issuer.
pub(super) fn of_authority(namespace: &ArmId, body: &Value) -> Option<OwnAuthority> {
    let issuer = at(body, &["properties", "issuer"])?;
    text(issuer, &["issuerType"]).filter(|kind| kind.eq_ignore_ascii_case("External"))?;
    read(&|name| namespace.child("certificateAuthorities", name), body, issuer)
}

/// Reads a policy of the first generation; `None` for one under Microsoft's root.
pub(super) fn of_policy(namespace: &ArmId, body: &Value) -> Option<OwnAuthority> {
    let path = ["properties", "certificate", "certificateAuthorityConfiguration", "bringYourOwnRoot"];
    let own = at(body, &path).filter(|own| boolean(own, &["enabled"]) != Some(false))?;
    read(&|name| namespace.child("credentials", "default").child("policies", name), body, own)
}

fn read(id_of: &dyn Fn(&str) -> ArmId, body: &Value, own: &Value) -> Option<OwnAuthority> {
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()))?;
    Some(OwnAuthority {
        id: id.unwrap_or_else(|| id_of(&name)),
        provisioning_state: provisioning_state(body),
        status: owned(own, &["status"]).unwrap_or_default(),
        // Microsoft's example has a backslash and an `n` for each line end.
        signing_request: text(own, &["certificateSigningRequest"]).map(|text| text.replace("\\n", "\n")),
        name,
    })
}

#[cfg(test)]
mod tests {
    use certificate_management::generation::NamespaceGeneration;
    use certificate_management::model::Namespace;
    use serde_json::json;

    use super::*;
    use crate::fake::{Fake, Reply};

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[tokio::test]
    async fn authorities_of_both_generations_are_read_also_without_a_policy() {
        let fake = Fake::start(|seen, _| {
            let tail = seen.path.strip_prefix(NAMESPACE).unwrap_or_default();
            let value = match tail {
                "/certificateAuthorities" => json!([
                    {"name": "root", "properties": {"certificateAuthorityType": "Root"}},
                    {"name": "lines", "properties": {"issuer": {"issuerType": "Microsoft"}}},
                    {"name": "partner", "properties": {"provisioningState": "Succeeded", "issuer": {"issuerType": "External",
                        "certificateSigningRequest": "-----BEGIN\\nx", "thumbprint": "A1B2", "status": "PendingActivation"}}},
                    {"name": "bare", "properties": {"issuer": {"issuerType": "external"}}}
                ]),
                "/credentials/default/policies" => {
                    let own = |own: Value| json!({"certificate": {"certificateAuthorityConfiguration": {"bringYourOwnRoot": own}}});
                    json!([
                        {"name": "plain", "properties": {}},
                        {"name": "off", "properties": own(json!({"enabled": false}))},
                        {"name": "welders", "properties": own(json!({"enabled": true, "status": "Active", "certificateSigningRequest": ""}))}
                    ])
                }
                _ => return Reply::status(500),
            };
            Reply::json(200, json!({ "value": value }))
        })
        .await;
        let id = ArmId::parse(NAMESPACE).unwrap();
        let namespace = Namespace {
            id: id.clone(),
            location: String::new(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: NamespaceGeneration::Migrating,
            links: Vec::new(),
        };
        let found = fake.azure().registry().own_authorities(&namespace).await.unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|own| {
                (own.name.as_str(), own.status.as_str(), own.signing_request.as_deref(), own.is_pending())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("welders", "Active", None, false),
                ("partner", "PendingActivation", Some("-----BEGIN\nx"), true),
                ("bare", "", None, false)
            ]
        );
        assert_eq!(found[1].id, id.child("certificateAuthorities", "partner"));
        assert_eq!(found[0].id, id.child("credentials", "default").child("policies", "welders"));
    }
}
