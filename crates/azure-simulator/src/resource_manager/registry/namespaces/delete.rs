//! Deletes a namespace. Nothing in it goes along (`ca-lifecycle-facts.md` §1.10).

use axum::response::Response;

use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::resource_manager::registry::{Start, namespace_id, no_content, start_by_location};
use crate::world::namespace::Namespace;
use crate::world::operation::{Effect, Polling};
use crate::world::resource::ProvisioningState;

/// 409 for a namespace with children. Its hubs and services keep links to what is gone then; that this is allowed is
/// inferred from the state `Orphaned`.
pub(in crate::resource_manager::registry) fn delete(
    cloud: &Cloud,
    request: &ArmRequest,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, name)?;
    let mut world = cloud.lock();
    let Some(namespace) = world.namespace_mut(&id) else { return Ok(no_content()) };
    let children = children(namespace);
    if !children.is_empty() {
        let problem = format!("The namespace '{}' still has {}.", namespace.name, children.join(", "));
        return Err(ArmError::conflict("NamespaceNotEmpty", problem));
    }
    namespace.provisioning_state = ProvisioningState::Deleting;
    let id = namespace.id.clone();
    let what = Start {
        resource_id: id.clone(),
        namespace_id: id,
        polling: Polling::UntilDone,
        effect: Effect::DeleteNamespace,
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

fn children(namespace: &Namespace) -> Vec<&'static str> {
    let credential = namespace.credential.as_ref().map(|_| "credentials");
    let authorities = (!namespace.certificate_authorities.is_empty()).then_some("certificateAuthorities");
    credential.into_iter().chain(authorities).collect()
}
