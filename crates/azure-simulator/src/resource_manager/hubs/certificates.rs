//! The CA certificates on a hub.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::found;
use crate::arm::{ArmRequest, api_versions};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::dates;
use crate::fleet::{Generation, MemberCasing};
use crate::world::change::{Deed, ResourceKind};
use crate::world::hub::{Hub, HubCertificate, Origin};

/// Where the certificate of a name is.
///
/// # Errors
/// 404 when there is none.
pub(super) fn index(hub: &Hub, name: &str) -> Result<usize, ArmError> {
    let same = |certificate: &HubCertificate| certificate.name.eq_ignore_ascii_case(name);
    hub.certificates
        .iter()
        .position(same)
        .ok_or_else(|| ArmError::not_found(&format!("{}/certificates/{name}", hub.id)))
}

/// Cuts off the devices of an issuing CA: the only way after a policy was deleted (`azure-wire-facts.md` §2.2). Needs
/// `If-Match`.
pub(super) fn delete(
    cloud: &Cloud,
    request: &ArmRequest,
    hub: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let mut world = cloud.lock();
    let hub = found(&world, request, hub)?;
    let hub_id = hub.id.clone();
    let index = index(hub, name)?;
    let etag = &hub.certificates[index].etag;
    match request.header("if-match").map(|value| value.trim_matches('"')) {
        None => {
            let problem = "The If-Match header is required to delete a certificate.";
            return Err(ArmError::bad_request("InvalidHeader", problem));
        }
        Some(given) if given == "*" || given == etag => {}
        Some(_) => {
            let problem = "The ETag of the certificate does not match.";
            return Err(ArmError::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", problem));
        }
    }
    let id = format!("{hub_id}/certificates/{}", hub.certificates[index].name);
    if let Some(hub) = world.hubs.iter_mut().find(|hub| hub.id == hub_id) {
        hub.certificates.remove(index);
    }
    world.tell(&id, ResourceKind::HubCertificate, Deed::Delete, cloud.clock().now());
    Ok(StatusCode::OK.into_response())
}

/// A certificate. The member that names where it comes from shows only in the versions that know it.
pub(super) fn body(
    request: &ArmRequest,
    casing: Option<MemberCasing>,
    hub: &Hub,
    certificate: &HubCertificate,
) -> Value {
    let is_new = api_versions::generation(request) == Generation::CertificateAuthorities;
    let mut body = json!({
        "id": format!("{}/certificates/{}", hub.id, certificate.name),
        "name": certificate.name,
        "type": "Microsoft.Devices/IotHubs/Certificates",
        "etag": certificate.etag,
        "properties": {
            "subject": certificate.subject,
            "expiry": dates::rfc_1123(certificate.expiry),
            "thumbprint": certificate.thumbprint,
            "isVerified": true,
            "created": dates::rfc_1123(certificate.created),
            "updated": dates::rfc_1123(certificate.created),
            "certificate": STANDARD.encode(&certificate.der),
        },
    });
    let member = match (&certificate.origin, is_new, casing) {
        (Origin::Policy(_), false, Some(MemberCasing::Camel)) => "policyResourceId",
        (Origin::Policy(_), false, _) => "PolicyResourceId",
        (Origin::CertificateAuthority(_), true, Some(MemberCasing::Pascal)) => {
            "CertificateAuthorityResourceId"
        }
        (Origin::CertificateAuthority(_), true, _) => "certificateAuthorityResourceId",
        _ => return body,
    };
    body["properties"][member] = certificate.origin.id().into();
    body
}
