//! The actions on a certificate authority: revoke and rotate one that Microsoft signs, activate one that an external CA
//! signed. For another kind either is 400 (`azure-wire-facts.md` §2.4).

use axum::response::Response;
use serde_json::Value;

use super::parent;
use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Moment;
use crate::resource_manager::registry::words::not_busy;
use crate::resource_manager::registry::{Start, namespace_id, not_running, start_by_location};
use crate::world::certificate_authority::Kind;
use crate::world::operation::{AuthorityChange, Effect, Polling};

/// A new certificate in place of the current one; the service pushes it to the hubs.
pub(super) fn revoke_and_rotate(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    act(cloud, request, namespace, name, Kind::Microsoft, AuthorityChange::RevokeAndRotate)
}

/// Takes the certificate that an external CA signed for the pending request.
pub(super) fn activate(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let given = request.json()?;
    let Some(chain) = given.get("certificateChain").and_then(Value::as_str) else {
        return Err(ArmError::bad_request("InvalidParameter", "certificateChain is required."));
    };
    let change = AuthorityChange::Activate(chain.to_owned());
    act(cloud, request, namespace, name, Kind::External, change)
}

fn act(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
    kind: Kind,
    change: AuthorityChange,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let (owner, authority) = parent(&world, request, namespace, name)?;
    if authority.kind != kind {
        let wanted = if kind == Kind::External { "External" } else { "Microsoft" };
        return Err(ArmError::bad_request(
            "InvalidCertificateAuthorityType",
            format!(
                "The certificate authority '{}' is not of type ICA and issuer type {wanted}.",
                authority.name
            ),
        ));
    }
    not_busy("certificate authority", &authority.name, authority.provisioning_state)?;
    let resource_id = owner.certificate_authority_id(&authority.name);
    not_running(&world, &resource_id)?;
    if let AuthorityChange::Activate(chain) = &change {
        let Some(pending) = &authority.pending else {
            let problem = "The certificate authority has no pending certificate signing request.";
            return Err(ArmError::conflict("Conflict", problem));
        };
        let lifecycle = &world.fleet.lifecycle;
        if lifecycle.refusals == Moment::AtOnce {
            pending.check(chain, lifecycle.chain_rules(), now)?;
        }
    }
    let what = Start {
        resource_id,
        namespace_id: id,
        polling: Polling::UntilDone,
        effect: Effect::CertificateAuthority { name: authority.name.clone(), change },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}
