//! The resources of generation B as ARM shows them.

use serde_json::{Value, json};

use crate::dates;
use crate::pki;
use crate::resource_manager::registry::{system_data, words};
use crate::world::World;
use crate::world::certificate_authority::{CertificateAuthority, CertificatePolicy, Kind};
use crate::world::namespace::Namespace;

/// A certificate authority. The thumbprint shows only where the signer is external; of others, subject and dates. During
/// a renewal these are of the certificate that device certificates come from.
pub(super) fn authority(world: &World, namespace: &Namespace, authority: &CertificateAuthority) -> Value {
    let mut properties = json!({
        "provisioningState": words::provisioning_state(authority.provisioning_state),
        "uuid": authority.uuid,
        "certificateAuthorityType": if authority.is_issuing() { "ICA" } else { "Root" },
        "keyType": "ECC",
    });
    if let Some(current) = &authority.authority {
        properties["subject"] = current.subject().into();
        properties["validityNotBefore"] = dates::milliseconds(current.not_before()).into();
        properties["validityNotAfter"] = dates::milliseconds(current.not_after()).into();
    } else if let Some(pending) = &authority.pending {
        properties["subject"] = pending.subject().into();
    }
    match authority.kind {
        Kind::Root => {}
        Kind::Microsoft => {
            let mut all = namespace.certificate_authorities.values();
            let root = all.find(|one| one.kind == Kind::Root);
            let root = root.map(|root| namespace.certificate_authority_id(&root.name));
            properties["issuer"] = json!({"issuerType": "Microsoft", "certificateAuthorityResourceId": root});
        }
        Kind::External => {
            let mut issuer =
                json!({"issuerType": "External", "status": words::activation(authority.activation())});
            if let Some(pending) = &authority.pending {
                issuer["certificateSigningRequest"] = pending.request().into();
            }
            match (&authority.authority, &authority.pending) {
                (Some(current), _) => issuer["thumbprint"] = pki::sha1_thumbprint(current.der()).into(),
                // Of what, the example does not say.
                (None, Some(pending)) if world.fleet.lifecycle.pending_thumbprint => {
                    issuer["thumbprint"] = pki::sha1_thumbprint(pending.request().as_bytes()).into();
                }
                (None, _) => {}
            }
            properties["issuer"] = issuer;
        }
    }
    json!({
        "id": namespace.certificate_authority_id(&authority.name),
        "name": authority.name,
        "type": "Microsoft.DeviceRegistry/namespaces/certificateAuthorities",
        "location": authority.location,
        "tags": authority.tags,
        "properties": properties,
        "systemData": system_data(&namespace.tenant_id, authority.times),
    })
}

/// A certificate policy: a proxy resource, without location and tags (`bicep-types.md`).
pub(super) fn policy(
    namespace: &Namespace,
    authority: &CertificateAuthority,
    policy: &CertificatePolicy,
) -> Value {
    json!({
        "id": namespace.certificate_policy_id(&authority.name, &policy.name),
        "name": policy.name,
        "type": "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies",
        "properties": {
            "provisioningState": words::provisioning_state(policy.provisioning_state),
            "uuid": policy.uuid,
            "certificate": {"validityPeriodInDays": policy.validity_days},
        },
        "systemData": system_data(&namespace.tenant_id, policy.times),
    })
}
