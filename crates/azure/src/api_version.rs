//! API versions, all in one place, per service and per generation of the service.
//!
//! Azure is replacing one preview by another (`azure-wire-facts.md` §0): generation A knows `credentials/default` with
//! `policies` and an explicit `synchronize`; generation B knows `certificateAuthorities` and pushes by itself. A module
//! per generation holds the differences in shape; this one holds the versions. A test pins every value, because a
//! version changes the meaning of a body.

use std::fmt;

use certificate_management::generation::Generation;

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

/// The versions that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The generation that they speak.
    pub generation: Generation,
    /// `Microsoft.DeviceRegistry`: namespaces, credentials or certificate authorities, policies, operation statuses.
    pub device_registry: ApiVersion,
    /// `Microsoft.Devices/IotHubs` with their link and certificates.
    pub iot_hub: ApiVersion,
    /// `Microsoft.Devices/provisioningServices` with their link and hubs.
    pub provisioning_service: ApiVersion,
    /// Service API of a DPS: enrollment groups with their policy.
    pub enrollment_group: ApiVersion,
}

/// Generation A: credentials, policies and `synchronize`. An older enrollment group version would drop the policy.
pub const CREDENTIALS: Versions = Versions {
    generation: Generation::Credentials,
    device_registry: ApiVersion("2026-03-01-preview"),
    iot_hub: ApiVersion("2025-08-01-preview"),
    provisioning_service: ApiVersion("2025-02-01-preview"),
    enrollment_group: ApiVersion("2025-07-01-preview"),
};

/// Generation B: certificate authorities and certificate policies, which the service pushes to linked hubs.
pub const CERTIFICATE_AUTHORITIES: Versions = Versions {
    generation: Generation::CertificateAuthorities,
    device_registry: ApiVersion("2026-11-02-preview"),
    iot_hub: ApiVersion("2026-10-01-preview"),
    provisioning_service: ApiVersion("2026-11-01"),
    enrollment_group: ApiVersion("2026-11-01"),
};

/// Every set of versions that this program speaks, the newest of a generation first.
pub const KNOWN: &[Versions] = &[
    CREDENTIALS,
    Versions { device_registry: ApiVersion("2025-11-01-preview"), ..CREDENTIALS },
    CERTIFICATE_AUTHORITIES,
    Versions { device_registry: ApiVersion("2026-11-01"), ..CERTIFICATE_AUTHORITIES },
];

/// `GET /subscriptions/{id}/providers/{provider}`, which tells the versions of everything else.
pub const PROVIDERS: ApiVersion = ApiVersion("2021-04-01");

/// The newest set of a generation, for when it is not known what the subscription offers.
#[must_use]
pub fn newest(generation: Generation) -> Versions {
    match generation {
        Generation::Credentials => CREDENTIALS,
        Generation::CertificateAuthorities => CERTIFICATE_AUTHORITIES,
    }
}

/// `GET /subscriptions`, whatever the generation (`azure-wire-facts.md` §1.7).
pub const SUBSCRIPTIONS: ApiVersion = ApiVersion("2022-12-01");

/// `Microsoft.Authorization/permissions`, whatever the generation.
pub const AUTHORIZATION: ApiVersion = ApiVersion("2022-04-01");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned_and_the_newest_of_a_generation_comes_first() {
        let rows: Vec<String> =
            KNOWN
                .iter()
                .map(|known| {
                    let Versions {
                        generation,
                        device_registry,
                        iot_hub,
                        provisioning_service,
                        enrollment_group,
                    } = known;
                    format!(
                        "{generation} {device_registry} {iot_hub} {provisioning_service} {enrollment_group}"
                    )
                })
                .collect();
        assert_eq!(
            rows,
            [
                "credentials 2026-03-01-preview 2025-08-01-preview 2025-02-01-preview 2025-07-01-preview",
                "credentials 2025-11-01-preview 2025-08-01-preview 2025-02-01-preview 2025-07-01-preview",
                "certificate-authorities 2026-11-02-preview 2026-10-01-preview 2026-11-01 2026-11-01",
                "certificate-authorities 2026-11-01 2026-10-01-preview 2026-11-01 2026-11-01",
            ]
        );
        for generation in [Generation::Credentials, Generation::CertificateAuthorities] {
            let first = KNOWN.iter().find(|known| known.generation == generation).copied();
            assert_eq!(first, Some(newest(generation)));
        }
    }
}
