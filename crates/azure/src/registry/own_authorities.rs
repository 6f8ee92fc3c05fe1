//! Issuing CAs that the customer's own root signs, of both generations, with the requests that wait for a signature
//! (`ca-lifecycle-facts.md` §1.3, §1.5).

use certificate_management::ArmId;
use certificate_management::generation::Generation;
use certificate_management::model::ProvisioningState;
use serde_json::Value;
use time::OffsetDateTime;

use super::provisioning_state;
use crate::members::{arm_id, at, boolean, date, owned, text, thumbprint};

/// An issuing CA that the customer's own root signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAuthority {
    /// Its ARM id: of the certificate authority, or of the policy in the first generation.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// The generation of the service that it belongs to.
    pub generation: Generation,
    /// Whether Azure finished making it. That says nothing about its activation.
    pub provisioning_state: ProvisioningState,
    /// `PendingActivation`, `Active`, `ActiveButPendingRenewal`, or what the service says.
    pub status: String,
    /// The request that the service shows, PEM. An active authority may still show the one that was signed.
    pub signing_request: Option<String>,
    /// Thumbprint of its certificate, upper-case hexadecimal. Whether that is SHA-1 or SHA-256 is not published, and an
    /// authority that was never activated may show one too (`ca-lifecycle-facts.md` §1.3, §6).
    pub thumbprint: Option<String>,
    /// End of the validity of the certificate that it works with.
    pub not_after: Option<OffsetDateTime>,
}

impl OwnAuthority {
    /// Whether it waits for a certificate: its first, or the next one.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        ["PendingActivation", "ActiveButPendingRenewal"]
            .iter()
            .any(|status| status.eq_ignore_ascii_case(&self.status))
    }

    /// By when its renewal must be activated: the end of the certificate that it works with. `None` where it waits for its
    /// first one, or the service does not say.
    #[must_use]
    pub fn renew_by(&self) -> Option<OffsetDateTime> {
        self.not_after.filter(|_| self.status.eq_ignore_ascii_case("ActiveButPendingRenewal"))
    }

    /// Whether it works, with the certificate that it shows. One whose renewal waits still does.
    #[must_use]
    pub fn is_active(&self) -> bool {
        ["Active", "ActiveButPendingRenewal"].iter().any(|status| status.eq_ignore_ascii_case(&self.status))
            && self.provisioning_state == ProvisioningState::Succeeded
    }
}

/// Reads a certificate authority; `None` for one with another issuer.
pub(super) fn of_authority(namespace: &ArmId, body: &Value) -> Option<OwnAuthority> {
    let properties = at(body, &["properties"])?;
    let issuer = at(properties, &["issuer"])?;
    text(issuer, &["issuerType"]).filter(|kind| kind.eq_ignore_ascii_case("External"))?;
    Some(OwnAuthority {
        thumbprint: thumbprint(issuer, &["thumbprint"]),
        not_after: date(properties, &["validityNotAfter"]),
        ..read(
            Generation::CertificateAuthorities,
            &|name| namespace.child("certificateAuthorities", name),
            body,
            issuer,
        )?
    })
}

/// Reads a policy of the first generation; `None` for one under Microsoft's root.
pub(super) fn of_policy(namespace: &ArmId, body: &Value) -> Option<OwnAuthority> {
    let authority = at(body, &["properties", "certificate", "certificateAuthorityConfiguration"])?;
    let own = at(authority, &["bringYourOwnRoot"]).filter(|own| boolean(own, &["enabled"]) != Some(false))?;
    Some(OwnAuthority {
        thumbprint: thumbprint(own, &["issuingCertificateThumbprint"]),
        not_after: date(authority, &["validityNotAfter"]),
        ..read(
            Generation::Credentials,
            &|name| namespace.child("credentials", "default").child("policies", name),
            body,
            own,
        )?
    })
}

/// What both generations show alike.
fn read(
    generation: Generation,
    id_of: &dyn Fn(&str) -> ArmId,
    body: &Value,
    own: &Value,
) -> Option<OwnAuthority> {
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()))?;
    Some(OwnAuthority {
        id: id.unwrap_or_else(|| id_of(&name)),
        generation,
        provisioning_state: provisioning_state(body),
        status: owned(own, &["status"]).unwrap_or_default(),
        // Microsoft's example has a backslash and an `n` for each line end.
        signing_request: text(own, &["certificateSigningRequest"]).map(|text| text.replace("\\n", "\n")),
        thumbprint: None,
        not_after: None,
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
        let works = found.iter().map(|own| (own.thumbprint.as_deref(), own.is_active())).collect::<Vec<_>>();
        assert_eq!(
            works,
            [(None, false), (Some("A1B2"), false), (None, false)],
            "a state that is not Succeeded is none"
        );
        assert_eq!(found[1].id, id.child("certificateAuthorities", "partner"));
        assert_eq!(found[0].id, id.child("credentials", "default").child("policies", "welders"));
    }

    #[tokio::test]
    async fn each_generation_has_an_action_of_its_own_for_the_same_chain() {
        let fake = Fake::start(|_, _| Reply::status(202)).await;
        let registry = fake.azure().registry();
        let id = ArmId::parse(NAMESPACE).unwrap();
        let of = |generation, id| OwnAuthority {
            id,
            name: String::new(),
            generation,
            provisioning_state: ProvisioningState::Succeeded,
            status: String::new(),
            signing_request: None,
            thumbprint: None,
            not_after: None,
        };
        let first =
            of(Generation::Credentials, id.child("credentials", "default").child("policies", "welders"));
        let second = of(Generation::CertificateAuthorities, id.child("certificateAuthorities", "partner"));
        for authority in [&first, &second] {
            registry.activate(authority, "-----BEGIN", crate::http::DEFAULT_DEADLINE).await.unwrap();
        }
        assert_eq!(
            fake.calls(),
            [
                format!("POST {NAMESPACE}/credentials/default/policies/welders/activateBringYourOwnRoot"),
                format!("POST {NAMESPACE}/certificateAuthorities/partner/activate")
            ]
        );
        for seen in fake.seen() {
            assert_eq!(seen.body, r#"{"certificateChain":"-----BEGIN"}"#);
        }
    }
}
