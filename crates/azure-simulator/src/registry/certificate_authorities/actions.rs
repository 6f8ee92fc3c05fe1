//! The actions on a certificate authority: revoke and rotate one that Microsoft signs, activate one that somebody else
//! signed. Of another kind either is 400 (`azure-wire-facts.md` §2.4).

use axum::response::Response;
use serde_json::Value;

use super::{found, not_busy};
use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::feeds::ResourceChange;
use crate::registry::{Start, namespace_id, start_by_location};
use crate::world::World;
use crate::world::certificate_authority::Kind;
use crate::world::operation::{AuthorityChange, Effect, Polling};

const REVOKE: &str = "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/revokeAndRotate/action";
const ACTIVATE: &str = "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/activate/action";

/// A new certificate in place of the current one; the service pushes it to the hubs.
pub(super) fn revoke_and_rotate(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    act(world, request, namespace, name, Kind::Microsoft, REVOKE, AuthorityChange::RevokeAndRotate)
}

/// Takes the certificate that an external CA signed for the pending request.
pub(super) fn activate(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let given = request.json()?;
    let Some(chain) = given.get("certificateChain").and_then(Value::as_str) else {
        return Err(ArmError::bad_request("InvalidParameter", "certificateChain is required."));
    };
    let change = AuthorityChange::Activate(chain.to_owned());
    act(world, request, namespace, name, Kind::External, ACTIVATE, change)
}

fn act(
    world: &World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
    kind: Kind,
    action: &'static str,
    change: AuthorityChange,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = world.clock().now();
    let mut state = world.lock();
    let (owner, authority) = found(&state, request, namespace, name)?;
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
    not_busy("certificate authority", &authority.name, &authority.provisioning_state)?;
    if let AuthorityChange::Activate(chain) = &change {
        match &authority.pending {
            Some(pending) => pending.check(chain, now)?,
            None => {
                let problem = "The certificate authority has no pending certificate signing request.";
                return Err(ArmError::conflict("Conflict", problem));
            }
        }
    }
    let what = Start {
        resource_id: owner.certificate_authority_id(&authority.name),
        namespace_id: id,
        polling: Polling::Location,
        effect: Effect::CertificateAuthority { name: authority.name.clone(), change },
        name: action,
        change: ResourceChange::Action,
    };
    Ok(start_by_location(world, &mut state, request, what))
}
