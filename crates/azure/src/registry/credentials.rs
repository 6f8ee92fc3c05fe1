//! Generation A: one credential per namespace, named `default`, policies below it, and a sync that is asked for
//! (`azure-wire-facts.md` §1.1 to §1.4).

use certificate_management::ArmId;
use certificate_management::model::{BringYourOwnRoot, IssuingCa, Policy};
use serde_json::Value;

use super::provisioning_state;
use crate::api_version::ApiVersion;
use crate::arm::{Arm, LongRunningOperation};
use crate::error::Error;
use crate::members::{arm_id, at, boolean, date, owned, thumbprint};
use crate::surprises::{Known, Surprises};

/// Members of a policy that are read, or known and not needed.
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
    let bodies: Vec<Value> = arm.list(&format!("{credential}/policies"), version).await?;
    for body in &bodies {
        surprises.notice(POLICY, at(body, &["properties"]).unwrap_or(&Value::Null));
    }
    Ok(bodies.iter().filter_map(|body| policy(&credential, body)).collect())
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
mod tests;
