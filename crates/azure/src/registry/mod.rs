//! Azure Device Registry. What differs between the generations of the service lives in a module of its own each; this one
//! is what callers see.

mod credentials;

use certificate_management::ArmId;
use certificate_management::generation::NamespaceGeneration;
use certificate_management::model::{Namespace, Policy, ProvisioningState};
use serde_json::Value;

use crate::api_version::CREDENTIALS;
use crate::arm::{Arm, Operation};
use crate::error::Error;
use crate::members::{arm_id, owned, text};

/// A client of the device registry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeviceRegistry {
    arm: Arm,
}

impl DeviceRegistry {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm }
    }

    /// Reads a namespace.
    ///
    /// # Errors
    /// Any [`crate::error::ErrorKind`]; `NotFound` when there is no such namespace.
    pub async fn namespace(&self, id: &ArmId) -> Result<Namespace, Error> {
        let body = self.arm.get(id.as_str(), CREDENTIALS.device_registry).await?;
        Ok(Namespace {
            id: arm_id(&body, &["id"]).unwrap_or_else(|| id.clone()),
            location: owned(&body, &["location"]).unwrap_or_default(),
            provisioning_state: provisioning_state(&body),
            generation: NamespaceGeneration::Credentials,
            links: Vec::new(),
        })
    }

    /// Lists the policies of a namespace.
    ///
    /// # Errors
    /// Any [`crate::error::ErrorKind`]; `NotFound` when the namespace or its credential does not exist.
    pub async fn policies(&self, namespace: &ArmId) -> Result<Vec<Policy>, Error> {
        credentials::policies(&self.arm, namespace).await
    }

    /// Starts a sync: every policy of the namespace to every linked hub. It cannot be undone or narrowed.
    ///
    /// # Errors
    /// As [`Arm::post_long_running`].
    pub async fn synchronize(&self, namespace: &ArmId) -> Result<Operation, Error> {
        credentials::synchronize(&self.arm, namespace).await
    }
}

/// `properties.provisioningState`; a body without one gives `Other("")`.
fn provisioning_state(body: &Value) -> ProvisioningState {
    ProvisioningState::from(text(body, &["properties", "provisioningState"]).unwrap_or_default().to_owned())
}
