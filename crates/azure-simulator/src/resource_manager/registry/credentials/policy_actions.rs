//! The actions on a policy: revoke its issuing CA, activate one under the customer's own root.

use axum::response::Response;
use serde_json::Value;

use super::policies;
use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Moment;
use crate::resource_manager::registry::{Start, namespace_id, not_running, start_by_location};
use crate::world::operation::{Effect, Polling};

/// A new issuing CA in place of the current one. Not for a policy with the customer's own root
/// (`azure-wire-facts.md` §1.6).
pub(super) fn revoke_issuer(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut world = cloud.lock();
    let (owner, policy) = policies::found(&world, request, namespace, name)?;
    if policy.bring_your_own_root {
        return Err(ArmError::conflict(
            "PolicyRevokeNotAllowedForBringYourOwnRoot",
            "The issuer of a policy with bringYourOwnRoot cannot be revoked.",
        ));
    }
    policies::not_busy(policy)?;
    let resource_id = owner.policy_id(&policy.name);
    not_running(&world, &resource_id)?;
    let what = Start {
        resource_id,
        namespace_id: id,
        polling: Polling::UntilDone,
        effect: Effect::RevokeIssuer(policy.name.to_ascii_lowercase()),
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

/// Takes the certificate that the customer's root signed for the pending request.
pub(super) fn activate(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let given = request.json()?;
    let Some(chain) = given.get("certificateChain").and_then(Value::as_str) else {
        return Err(ArmError::bad_request("InvalidParameter", "certificateChain is required."));
    };
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let (owner, policy) = policies::found(&world, request, namespace, name)?;
    if !policy.bring_your_own_root {
        return Err(ArmError::bad_request("InvalidParameter", "The policy has no bringYourOwnRoot."));
    }
    policies::not_busy(policy)?;
    let Some(pending) = &policy.pending else {
        return Err(ArmError::conflict("Conflict", "The policy has no pending certificate signing request."));
    };
    let lifecycle = &world.fleet.lifecycle;
    if lifecycle.refusals == Moment::AtOnce {
        pending.check(chain, lifecycle.chain_rules(), now)?;
    }
    let resource_id = owner.policy_id(&policy.name);
    not_running(&world, &resource_id)?;
    let what = Start {
        resource_id,
        namespace_id: id,
        polling: Polling::UntilDone,
        effect: Effect::Activate { policy: policy.name.to_ascii_lowercase(), chain: chain.to_owned() },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}
