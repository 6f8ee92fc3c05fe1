//! The device registry's words for the state of a resource (`azure-wire-facts.md` §1.2).

use crate::arm_error::ArmError;
use crate::world::credential::Activation;
use crate::world::namespace::Namespace;
use crate::world::resource::ProvisioningState;

/// `provisioningState`.
pub(super) fn provisioning_state(state: ProvisioningState) -> &'static str {
    match state {
        ProvisioningState::Accepted => "Accepted",
        ProvisioningState::Succeeded => "Succeeded",
        ProvisioningState::Failed => "Failed",
        ProvisioningState::Canceled => "Canceled",
        ProvisioningState::Deleting => "Deleting",
    }
}

/// `bringYourOwnRoot.status` of a policy, `issuer.status` of a certificate authority.
pub(super) fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Pending => "PendingActivation",
        Activation::Active => "Active",
        Activation::PendingRenewal => "ActiveButPendingRenewal",
    }
}

/// Refuses a new child of a namespace that is being deleted.
///
/// # Errors
/// 409.
pub(super) fn not_deleting(namespace: &Namespace) -> Result<(), ArmError> {
    match namespace.provisioning_state {
        ProvisioningState::Deleting => Err(ArmError::conflict(
            "Conflict",
            format!("The namespace '{}' is in state Deleting.", namespace.name),
        )),
        _ => Ok(()),
    }
}

/// Whether a resource in this state is made again when a client writes it again. No source says so: it is inferred from
/// what Resource Manager does in general.
pub(super) fn is_to_be_made_again(state: ProvisioningState) -> bool {
    matches!(state, ProvisioningState::Failed | ProvisioningState::Canceled)
}

/// Refuses a change of a resource that is being created or deleted.
///
/// # Errors
/// 409.
pub(super) fn not_busy(what: &str, name: &str, state: ProvisioningState) -> Result<(), ArmError> {
    match state {
        ProvisioningState::Accepted | ProvisioningState::Deleting => {
            let state = provisioning_state(state);
            Err(ArmError::conflict("Conflict", format!("The {what} '{name}' is in state {state}.")))
        }
        ProvisioningState::Succeeded | ProvisioningState::Failed | ProvisioningState::Canceled => Ok(()),
    }
}
