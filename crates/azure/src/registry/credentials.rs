//! Generation A: one credential per namespace, named `default`, policies below it, and a sync that a client asks for
//! (`azure-wire-facts.md` §1.1 to §1.4).

use certificate_management::ArmId;
use certificate_management::model::{BringYourOwnRoot, IssuingCa, Policy, ProvisioningState};
use serde_json::Value;

use super::provisioning_state;
use crate::api_version::ApiVersion;
use crate::arm::{Arm, LongRunningOperation};
use crate::error::Error;
use crate::members::{arm_id, at, boolean, date, owned, thumbprint};
use crate::surprises::{Known, Surprises};

/// The members of a policy that this client reads, or knows and does not need.
const POLICY: Known = Known {
    kind: "policies",
    members: &[
        "provisioningState",
        "uuid",
        "certificate",
        "certificate.certificateAuthorityConfiguration",
        "certificate.certificateAuthorityConfiguration.keyType",
        "certificate.certificateAuthorityConfiguration.subject",
        "certificate.certificateAuthorityConfiguration.validityNotBefore",
        "certificate.certificateAuthorityConfiguration.validityNotAfter",
        "certificate.certificateAuthorityConfiguration.bringYourOwnRoot",
        "certificate.certificateAuthorityConfiguration.bringYourOwnRoot.enabled",
        "certificate.certificateAuthorityConfiguration.bringYourOwnRoot.certificateSigningRequest",
        "certificate.certificateAuthorityConfiguration.bringYourOwnRoot.issuingCertificateThumbprint",
        "certificate.certificateAuthorityConfiguration.bringYourOwnRoot.status",
        "certificate.leafCertificateConfiguration",
        "certificate.leafCertificateConfiguration.validityPeriodInDays",
    ],
    values: &[
        ("provisioningState", super::PROVISIONING_STATES),
        ("certificate.certificateAuthorityConfiguration.keyType", &["ECC"]),
        ("certificate.certificateAuthorityConfiguration.bringYourOwnRoot.status", super::OWN_ROOT_STATES),
    ],
};

pub(super) async fn policies(
    arm: &Arm,
    namespace: &ArmId,
    version: ApiVersion,
    surprises: &Surprises,
) -> Result<Vec<Policy>, Error> {
    let credential = credential(namespace);
    let bodies = bodies(arm, namespace, version).await?;
    for body in &bodies {
        surprises.notice(POLICY, at(body, &["properties"]).unwrap_or(&Value::Null));
    }
    Ok(bodies.iter().filter_map(|body| policy(&credential, body)).collect())
}

/// The state of the credential; `None` when there is none.
pub(super) async fn state(
    arm: &Arm,
    namespace: &ArmId,
    version: ApiVersion,
) -> Result<Option<ProvisioningState>, Error> {
    match arm.get(credential(namespace).as_str(), version).await {
        Ok(body) => Ok(Some(provisioning_state(&body))),
        Err(error) if super::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists the policies of a namespace as they are.
pub(super) async fn bodies(arm: &Arm, namespace: &ArmId, version: ApiVersion) -> Result<Vec<Value>, Error> {
    arm.list(&format!("{}/policies", credential(namespace)), version).await
}

pub(super) async fn synchronize(
    arm: &Arm,
    namespace: &ArmId,
    version: ApiVersion,
) -> Result<LongRunningOperation, Error> {
    arm.post_long_running(&format!("{}/synchronize", credential(namespace)), version).await
}

fn credential(namespace: &ArmId) -> ArmId {
    namespace.child("credentials", "default")
}

/// Reads a policy. Only a name is needed; everything else may be missing, as it is while a policy is being made.
fn policy(credential: &ArmId, body: &Value) -> Option<Policy> {
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()));
    let Some(name) = name else {
        tracing::warn!(credential.id = %credential, "a policy without a name was left out");
        return None;
    };
    let authority =
        at(body, &["properties", "certificate", "certificateAuthorityConfiguration"]).unwrap_or(&Value::Null);
    let leaf =
        at(body, &["properties", "certificate", "leafCertificateConfiguration"]).unwrap_or(&Value::Null);
    let own_root =
        at(authority, &["bringYourOwnRoot"]).filter(|root| boolean(root, &["enabled"]) != Some(false));
    Some(Policy {
        id: id.unwrap_or_else(|| credential.child("policies", &name)),
        name,
        provisioning_state: provisioning_state(body),
        issuing_ca: IssuingCa {
            id: None,
            subject: owned(authority, &["subject"]),
            not_before: date(authority, &["validityNotBefore"]),
            not_after: date(authority, &["validityNotAfter"]),
            thumbprint: own_root.and_then(|root| thumbprint(root, &["issuingCertificateThumbprint"])),
        },
        leaf_validity_days: at(leaf, &["validityPeriodInDays"])
            .and_then(Value::as_u64)
            .and_then(|days| u32::try_from(days).ok()),
        bring_your_own_root: own_root
            .map(|root| BringYourOwnRoot { status: owned(root, &["status"]).unwrap_or_default() }),
    })
}

#[cfg(test)]
mod tests {
    use certificate_management::configuration::ApiGeneration;
    use certificate_management::generation::NamespaceGeneration;
    use certificate_management::model::Namespace;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply};
    use crate::http::DEFAULT_DEADLINE;

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    fn namespace() -> ArmId {
        ArmId::parse(NAMESPACE).unwrap()
    }

    fn credentials_only() -> Namespace {
        Namespace {
            id: namespace(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: NamespaceGeneration::Credentials,
            links: Vec::new(),
        }
    }

    fn own_root_policy() -> Value {
        json!({
            "properties": {
                "provisioningState": "Succeeded",
                "certificate": {
                    "certificateAuthorityConfiguration": {
                        "keyType": "ECC",
                        "subject": "CN=5f1e0c7d2b9a48d6",
                        "validityNotBefore": "2026-03-01T08:15:30.5Z",
                        "validityNotAfter": "2031-03-01T08:15:30.1234567Z",
                        "bringYourOwnRoot": {
                            "enabled": true,
                            "certificateSigningRequest": "",
                            "issuingCertificateThumbprint": "0a:1b:2c:3d:4e:5f:60:71:82:93:a4:b5:c6:d7:e8:f9:0a:1b:2c:3d",
                            "status": "ActiveButPendingRenewal"
                        }
                    },
                    "leafCertificateConfiguration": {"validityPeriodInDays": 14}
                }
            },
            "id": format!("{NAMESPACE}/credentials/default/policies/welders"),
            "name": "welders",
            "type": "Microsoft.DeviceRegistry/namespaces/credentials/policies",
            "systemData": {"createdByType": "Application", "createdAt": "2026-02-13T19:38:09.5283958Z"}
        })
    }

    #[test]
    fn a_policy_of_a_customers_own_root_is_read() {
        let policy = policy(&credential(&namespace()), &own_root_policy()).unwrap();
        assert_eq!(policy.name, "welders");
        assert_eq!(policy.id, namespace().child("credentials", "default").child("policies", "welders"));
        assert_eq!(policy.provisioning_state, ProvisioningState::Succeeded);
        assert_eq!(policy.leaf_validity_days, Some(14));
        assert_eq!(policy.issuing_ca.subject.as_deref(), Some("CN=5f1e0c7d2b9a48d6"));
        assert_eq!(policy.issuing_ca.not_before, Some(datetime!(2026-03-01 08:15:30.5 UTC)));
        assert_eq!(policy.issuing_ca.not_after, Some(datetime!(2031-03-01 08:15:30.123_456_7 UTC)));
        assert_eq!(policy.issuing_ca.thumbprint.as_deref(), Some("0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D"));
        assert_eq!(policy.bring_your_own_root.unwrap().status, "ActiveButPendingRenewal");
    }

    #[test]
    fn a_policy_under_microsofts_root_has_no_own_root_and_no_thumbprint() {
        for own_root in [json!(null), json!({"enabled": false, "issuingCertificateThumbprint": "AB"})] {
            let mut body = own_root_policy();
            body["properties"]["certificate"]["certificateAuthorityConfiguration"]["bringYourOwnRoot"] =
                own_root;
            let policy = policy(&credential(&namespace()), &body).unwrap();
            assert_eq!(policy.bring_your_own_root, None);
            assert_eq!(policy.issuing_ca.thumbprint, None);
        }
    }

    #[test]
    fn missing_and_odd_parts_are_absent_and_unknown_ones_do_no_harm() {
        let odd = json!({
            "name": "new",
            "properties": {
                "provisioningState": "Migrating",
                "certificate": {
                    "certificateAuthorityConfiguration": {
                        "validityNotAfter": "soon",
                        "bringYourOwnRoot": {"enabled": true, "issuingCertificateThumbprint": "not hexadecimal"}
                    },
                    "leafCertificateConfiguration": {"validityPeriodInDays": "30"}
                },
                "invented": [1, {"by": "a later preview"}]
            }
        });
        let read = policy(&credential(&namespace()), &odd).unwrap();
        assert_eq!(read.id.as_str(), format!("{NAMESPACE}/credentials/default/policies/new"));
        assert_eq!(read.provisioning_state, ProvisioningState::Other("Migrating".to_owned()));
        assert_eq!((read.issuing_ca, read.leaf_validity_days), (IssuingCa::default(), None));
        assert_eq!(read.bring_your_own_root.unwrap().status, "");

        let bare = policy(&credential(&namespace()), &json!({"name": "bare"})).unwrap();
        assert_eq!(bare.provisioning_state, ProvisioningState::Other(String::new()));
        assert_eq!(policy(&credential(&namespace()), &json!({"properties": {}})), None);
    }

    #[tokio::test]
    async fn policies_are_listed_below_the_credential() {
        let fake =
            Fake::start(|_, _| Reply::json(200, json!({"value": [own_root_policy()], "nextLink": null})))
                .await;
        let policies = fake.azure().registry().policies(&credentials_only()).await.unwrap();
        assert_eq!(policies.len(), 1);
        assert_eq!(fake.calls(), [format!("GET {NAMESPACE}/credentials/default/policies")]);
        assert_eq!(fake.seen()[0].query, "api-version=2026-03-01-preview");
    }

    #[tokio::test]
    async fn a_sync_is_a_post_to_the_credential() {
        let fake = Fake::start(|_, origin| {
            Reply::status(202).header("location", format!("{origin}/operations/1")).header("Retry-After", 10)
        })
        .await;
        let operation = fake.azure().registry().synchronize(&namespace(), DEFAULT_DEADLINE).await.unwrap();
        assert_eq!(operation.retry_after_seconds, Some(10));
        assert_eq!(fake.calls(), [format!("POST {NAMESPACE}/credentials/default/synchronize")]);
    }

    #[tokio::test]
    async fn a_namespace_is_read_and_one_that_does_not_exist_is_not_found() {
        let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::json(
            200,
            json!({"id": NAMESPACE.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"), "name": "contoso",
                   "location": "westeurope", "properties": {"provisioningState": "Succeeded", "uuid": "u"}}),
        ),
        _ => Reply::json(404, json!({"error": {"code": "ResourceNotFound", "message": "No such namespace."}})),
    })
    .await;
        let registry = fake.azure().registry();
        let read = registry.namespace(&namespace(), ApiGeneration::Credentials).await.unwrap();
        assert_eq!((read.id, read.location.as_str()), (namespace(), "westeurope"));
        let error = registry.namespace(&namespace(), ApiGeneration::Credentials).await.unwrap_err();
        assert_eq!((error.kind(), error.service_code()), (ErrorKind::NotFound, Some("ResourceNotFound")));
    }
}
