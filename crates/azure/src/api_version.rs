//! API versions, all in one place, per service and per generation of the service.
//!
//! Azure is replacing one preview by another (`azure-wire-facts.md` §0): generation A knows `credentials/default` with
//! `policies` and an explicit `synchronize`; generation B knows `certificateAuthorities` and pushes by itself. A module
//! per generation holds what differs in shape; what differs in version only is here. A test pins every value, because
//! a version changes the meaning of a body.

use std::fmt;

/// The value of `api-version` in a query. A type of its own, so that it cannot be swapped with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiVersion(&'static str);

impl ApiVersion {
    /// The version as it stands in the query.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The versions that belong together in one generation of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    /// `Microsoft.DeviceRegistry`: namespaces, credentials, policies, operation statuses.
    pub device_registry: ApiVersion,
    /// `Microsoft.Devices/IotHubs` with their link and certificates.
    pub iot_hub: ApiVersion,
    /// `Microsoft.Devices/provisioningServices` with their link and hubs.
    pub provisioning_service: ApiVersion,
    /// Service API of a DPS: enrollment groups with their policy.
    pub enrollment_group: ApiVersion,
}

/// Generation A: credentials, policies and `synchronize`. An older enrollment group version would drop the policy.
pub const CREDENTIALS: Generation = Generation {
    device_registry: ApiVersion("2026-03-01-preview"),
    iot_hub: ApiVersion("2025-08-01-preview"),
    provisioning_service: ApiVersion("2025-02-01-preview"),
    enrollment_group: ApiVersion("2025-07-01-preview"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_generation_a() {
        let Generation { device_registry, iot_hub, provisioning_service, enrollment_group } = CREDENTIALS;
        let versions =
            [device_registry, iot_hub, provisioning_service, enrollment_group].map(ApiVersion::as_str);
        assert_eq!(
            versions,
            ["2026-03-01-preview", "2025-08-01-preview", "2025-02-01-preview", "2025-07-01-preview"]
        );
    }
}
