//! Generation B: certificate authorities, a root and issuing ones, each issuing one with its certificate policies; and the
//! links of the namespace, over which the service pushes the authorities (`azure-wire-facts.md` §2.3, §2.4).

use certificate_management::ArmId;
use certificate_management::authority::{self, AuthorityType, Issuer};
use certificate_management::generation::{Link, LinkError, LinkState};
use certificate_management::model::{BringYourOwnRoot, IssuingCa, Policy, ProvisioningState};
use futures::future::try_join_all;
use serde_json::Value;

use super::provisioning_state;
use crate::api_version::ApiVersion;
use crate::arm::Arm;
use crate::error::Error;
use crate::members::{arm_id, at, date, owned, text, thumbprint};
use crate::surprises::{Known, Surprises};

/// A certificate authority that signs device certificates. The namespace's root signs none and has no policies.
pub(super) struct Authority {
    name: String,
    provisioning_state: ProvisioningState,
    issuing_ca: IssuingCa,
    external: Option<BringYourOwnRoot>,
}

/// The members of a certificate authority that this client reads, or knows and does not need.
const AUTHORITY: Known = Known {
    kind: "certificateAuthorities",
    members: &[
        "provisioningState",
        "uuid",
        "certificateAuthorityType",
        "keyType",
        "issuer",
        "issuer.issuerType",
        "issuer.certificateAuthorityResourceId",
        "issuer.certificateSigningRequest",
        "issuer.thumbprint",
        "issuer.status",
        "subject",
        "validityNotBefore",
        "validityNotAfter",
    ],
    values: &[
        ("provisioningState", super::PROVISIONING_STATES),
        ("certificateAuthorityType", &["Root", "ICA"]),
        ("keyType", &["ECC"]),
        ("issuer.issuerType", &["Microsoft", "External"]),
        ("issuer.status", super::OWN_ROOT_STATES),
    ],
};

/// Members of a certificate policy.
const POLICY: Known = Known {
    kind: "certificatePolicies",
    members: &["provisioningState", "uuid", "certificate", "certificate.validityPeriodInDays"],
    values: &[("provisioningState", super::PROVISIONING_STATES)],
};

/// Members of an endpoint of the namespace.
const ENDPOINT: Known = Known {
    kind: "namespaces endpoints",
    members: &[
        "endpointType",
        "resourceId",
        "inboundCallerIdentity",
        "inboundCallerIdentity.type",
        "inboundCallerIdentity.userAssignedIdentity",
        "linkingState",
        "linkingError",
        "linkingError.code",
        "linkingError.message",
        "linkingError.target",
        "linkingError.details",
        "linkingError.additionalInfo",
        "address",
        "deviceAddress",
        "provisioning",
        "provisioning.availability",
        "provisioning.allocationWeight",
    ],
    values: &[("linkingState", &["Succeeded", "InProgress", "Failed"])],
};

/// Lists the certificate authorities of a namespace, its root included.
pub(super) async fn authorities(
    arm: &Arm,
    namespace: &ArmId,
    version: ApiVersion,
) -> Result<Vec<Value>, Error> {
    arm.list(&format!("{namespace}/certificateAuthorities"), version).await
}

/// Lists the certificate policies of the issuing ones among `authorities`.
pub(super) async fn policies(
    arm: &Arm,
    namespace: &ArmId,
    authorities: &[Value],
    version: ApiVersion,
    surprises: &Surprises,
) -> Result<Vec<Policy>, Error> {
    let issuing: Vec<Authority> =
        authorities.iter().filter_map(|body| authority(namespace, body, surprises)).collect();
    let lists = issuing.iter().map(|authority| async move {
        let path = format!("{namespace}/certificateAuthorities/{}/certificatePolicies", authority.name);
        let bodies: Vec<Value> = arm.list(&path, version).await?;
        Ok::<_, Error>(
            bodies.iter().filter_map(|body| policy(namespace, authority, body, surprises)).collect(),
        )
    });
    let found: Vec<Vec<Policy>> = try_join_all(lists).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Reads an issuing certificate authority; `None` for a root, and for one without a name.
pub(super) fn authority(namespace: &ArmId, body: &Value, surprises: &Surprises) -> Option<Authority> {
    surprises.notice(AUTHORITY, at(body, &["properties"]).unwrap_or(&Value::Null));
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()));
    let Some(name) = name else {
        tracing::warn!(namespace.id = %namespace, "a certificate authority without a name was left out");
        return None;
    };
    let properties = at(body, &["properties"]).unwrap_or(&Value::Null);
    if text(properties, &["certificateAuthorityType"]).is_some_and(|kind| kind.eq_ignore_ascii_case("Root")) {
        return None;
    }
    let issuer = at(properties, &["issuer"]).unwrap_or(&Value::Null);
    let is_external = text(issuer, &["issuerType"]).is_some_and(|kind| kind.eq_ignore_ascii_case("External"));
    Some(Authority {
        provisioning_state: provisioning_state(body),
        issuing_ca: IssuingCa {
            id: Some(id.unwrap_or_else(|| namespace.child("certificateAuthorities", &name))),
            subject: owned(properties, &["subject"]),
            not_before: date(properties, &["validityNotBefore"]),
            not_after: date(properties, &["validityNotAfter"]),
            thumbprint: thumbprint(issuer, &["thumbprint"]),
        },
        external: is_external
            .then(|| BringYourOwnRoot { status: owned(issuer, &["status"]).unwrap_or_default() }),
        name,
    })
}

/// Reads a certificate authority of any type as a resource; `None` for one without a name.
pub(super) fn resource(namespace: &ArmId, body: &Value) -> Option<authority::Authority> {
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()))?;
    let properties = at(body, &["properties"]).unwrap_or(&Value::Null);
    let issuer = at(properties, &["issuer"]).unwrap_or(&Value::Null);
    let says = |value: Option<&str>, word: &str| value.is_some_and(|text| text.eq_ignore_ascii_case(word));
    let is_external = says(text(issuer, &["issuerType"]), "External");
    Some(authority::Authority {
        id: id.unwrap_or_else(|| namespace.child("certificateAuthorities", &name)),
        name,
        kind: match says(text(properties, &["certificateAuthorityType"]), "Root") {
            true => AuthorityType::Root,
            false => AuthorityType::Issuing,
        },
        issuer: if is_external { Issuer::External } else { Issuer::Microsoft },
        provisioning_state: provisioning_state(body),
        status: owned(issuer, &["status"]).filter(|_| is_external),
        subject: owned(properties, &["subject"]),
        not_after: date(properties, &["validityNotAfter"]),
    })
}

/// Reads a certificate policy. Its state is that of the policy or of its authority, whichever is less finished.
pub(super) fn policy(
    namespace: &ArmId,
    authority: &Authority,
    body: &Value,
    surprises: &Surprises,
) -> Option<Policy> {
    surprises.notice(POLICY, at(body, &["properties"]).unwrap_or(&Value::Null));
    let id = arm_id(body, &["id"]);
    let name = owned(body, &["name"]).or_else(|| id.as_ref().map(|id| id.name().to_owned()));
    let Some(name) = name else {
        tracing::warn!(namespace.id = %namespace, "a certificate policy without a name was left out");
        return None;
    };
    let own_state = provisioning_state(body);
    let below =
        namespace.child("certificateAuthorities", &authority.name).child("certificatePolicies", &name);
    Some(Policy {
        id: id.unwrap_or(below),
        name: format!("{}/{name}", authority.name),
        provisioning_state: match own_state {
            ProvisioningState::Succeeded => authority.provisioning_state.clone(),
            unfinished => unfinished,
        },
        issuing_ca: authority.issuing_ca.clone(),
        leaf_validity_days: at(body, &["properties", "certificate", "validityPeriodInDays"])
            .and_then(Value::as_u64)
            .and_then(|days| u32::try_from(days).ok()),
        bring_your_own_root: authority.external.clone(),
    })
}

/// Reads the links of a namespace, and leaves out endpoints of other kinds.
pub(super) fn links(body: &Value, surprises: &Surprises) -> Vec<Link> {
    let mut links = Vec::new();
    for side in ["messaging", "provisioning"] {
        let endpoints = at(body, &["properties", side, "endpoints"]).and_then(Value::as_object);
        for endpoint in endpoints.into_iter().flat_map(|endpoints| endpoints.values()) {
            let kind = text(endpoint, &["endpointType"]).unwrap_or_default();
            let is_ours = kind.eq_ignore_ascii_case("Microsoft.Devices/IotHubs")
                || kind.eq_ignore_ascii_case("Microsoft.Devices/provisioningServices");
            let (true, Some(resource)) = (is_ours, arm_id(endpoint, &["resourceId"])) else { continue };
            surprises.notice(ENDPOINT, endpoint);
            let error = at(endpoint, &["linkingError"]).filter(|error| error.is_object());
            links.push(Link {
                resource,
                state: owned(endpoint, &["linkingState"]).map(LinkState::from),
                error: error.map(|error| LinkError {
                    code: owned(error, &["code"]).unwrap_or_else(|| "no code".to_owned()),
                    message: owned(error, &["message"]),
                }),
                host_names: ["address", "deviceAddress"]
                    .iter()
                    .filter_map(|name| owned(endpoint, &[name]))
                    .collect(),
            });
        }
    }
    links
}

#[cfg(test)]
mod tests;
