//! What one read of a subscription tells of many namespaces.

use azure::remembered::{LISTS_FOR, Remembered};
use certificate_management::model::{Hub, ProvisioningService};

/// The hubs and the DPS of subscriptions, each with an age. Clones share them.
#[derive(Debug, Clone)]
pub struct Lists {
    /// By subscription.
    pub hubs: Remembered<Vec<Hub>>,
    /// By subscription and generation.
    pub provisioning_services: Remembered<Vec<ProvisioningService>>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { hubs: Remembered::new(LISTS_FOR), provisioning_services: Remembered::new(LISTS_FOR) }
    }
}
