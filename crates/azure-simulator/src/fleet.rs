//! The world that a simulation starts with, as a TOML file that people write.
//!
//! ```toml
//! subscription = "00000000-0000-4000-8000-000000000001"
//! location = "westeurope"
//!
//! [[namespace]]
//! name = "contoso"
//! resource_group = "rg-contoso"
//!
//! [[namespace.policy]]
//! name = "short-lived"
//! leaf_validity_days = 30
//!
//! [[namespace.hub]]
//! name = "contoso-hub"
//!
//! [[namespace.provisioning_service]]
//! name = "contoso-dps"
//!
//! [[namespace.provisioning_service.enrollment_group]]
//! name = "line-1"
//! attestation = "symmetric-key"
//! policy = "short-lived"
//! ```

mod certificate_authority;
mod default;
mod demonstration;
mod enrollment_group;
mod lifecycle;
mod link;
mod namespace;
mod validate;

pub use certificate_authority::{
    CertificateAuthority, CertificateAuthorityKind, CertificatePolicy, Generation, MemberCasing,
};
pub use enrollment_group::{Attestation, EnrollmentGroup};
pub use lifecycle::{
    ClientAuth, Lifecycle, Moment, OperationEnd, OperationFailure, OperationStatus, Subjects,
};
pub use link::LinkingState;
pub use namespace::{Hub, Namespace, Policy, ProvisioningService, UnlinkedHub, UnlinkedProvisioningService};

use serde::{Deserialize, Serialize};

/// Why a fleet file cannot be used. The text names the key and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// Not TOML, an unknown key, a missing key, or a value of the wrong type.
    #[error("the fleet file cannot be read: {0}")]
    Syntax(String),
    /// A value that the simulated services would not have.
    #[error("the fleet does not hold together: {place}: {problem}")]
    Value {
        /// Where it stands, e.g. `namespace "contoso" / hub "contoso-hub" / trusts`.
        place: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The simulated Azure at its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Subscription of everything that does not name another.
    pub subscription: String,
    /// Azure region, e.g. `westeurope`. A DPS is always in the region of its namespace, so there is one.
    pub location: String,
    /// Seed of made-up names and ids. `World::new` takes the seed as an argument; this is a default for its caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How long a `synchronize` takes, in simulated seconds.
    #[serde(default = "default::synchronize_seconds")]
    pub synchronize_seconds: u32,
    /// How long every other long-running operation takes, in simulated seconds.
    #[serde(default = "default::operation_seconds")]
    pub operation_seconds: u32,
    /// What `Retry-After` says while a long-running operation runs, in seconds.
    #[serde(default = "default::retry_after_seconds")]
    pub retry_after_seconds: u32,
    /// How long a device registration takes, in simulated seconds.
    #[serde(default)]
    pub registration_seconds: u32,
    /// How late a diagnostic record of a DPS arrives in its event hub, in simulated seconds.
    #[serde(default = "default::diagnostics_delay_seconds")]
    pub diagnostics_delay_seconds: u32,
    /// Validity of a new issuing CA in days, where the policy does not say.
    #[serde(default = "default::issuing_ca_validity_days")]
    pub issuing_ca_validity_days: u32,
    /// Whether `revokeIssuer` pushes the new issuing CA to the hubs by itself. The documentation says so; tests of the
    /// official command line saw otherwise (`azure-wire-facts.md` §8, §9).
    #[serde(default = "default::yes")]
    pub revoke_pushes_to_hubs: bool,
    /// Whether DPS takes a `credentialPolicyName` that its namespace does not have. No source documents what Azure
    /// does.
    #[serde(default)]
    pub unknown_policy: UnknownPolicy,
    /// What a write of an enrollment group does with a policy that its api-version does not know. That it drops the
    /// policy is inferred (`azure-wire-facts.md` §3, §10c.8).
    #[serde(default)]
    pub unknown_reference: UnknownReference,
    /// The API versions that the cloud offers. Absent: those that its namespaces need; both when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Generation>,
    /// How long after a certificate authority was made or rotated the linked hubs get it, in simulated seconds.
    #[serde(default = "default::push_seconds")]
    pub push_seconds: u32,
    /// The service pushes nothing to hubs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold_push: bool,
    /// Whether a link that is made brings the CAs that exist already. The sources say that a CA must be made after the
    /// hub is linked (`azure-wire-facts.md` §2.4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link_pushes_to_hubs: bool,
    /// How a hub certificate names its policy or CA. Absent: `PolicyResourceId` as seen, and
    /// `certificateAuthorityResourceId` as specified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_certificate_casing: Option<MemberCasing>,
    /// Most entries of one page of a list or of an enrollment group query.
    #[serde(default = "default::page_size")]
    pub page_size: u32,
    /// What the sources do not agree on about certificate authorities.
    #[serde(default, skip_serializing_if = "Lifecycle::is_default")]
    pub lifecycle: Lifecycle,
    /// Device registry namespaces.
    #[serde(default, rename = "namespace", skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Namespace>,
    /// Ordinary hubs that no namespace is linked to.
    #[serde(default, rename = "hub", skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<UnlinkedHub>,
    /// Provisioning services that no namespace is linked to.
    #[serde(default, rename = "provisioning_service", skip_serializing_if = "Vec::is_empty")]
    pub provisioning_services: Vec<UnlinkedProvisioningService>,
}

/// What DPS does with the name of a policy that its namespace does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPolicy {
    /// Takes it; devices of the group then cannot get a certificate.
    #[default]
    Accept,
    /// Answers 400.
    Refuse,
}

/// What a write does with a policy that its api-version does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownReference {
    /// The group has no policy afterwards.
    #[default]
    Drop,
    /// The group keeps the policy that it had.
    Keep,
}

impl Fleet {
    /// The generations whose API versions the cloud offers.
    #[must_use]
    pub fn offered(&self) -> Generation {
        let any = |has: fn(Generation) -> bool| self.namespaces.iter().any(|n| has(n.generation));
        let needed = (any(Generation::has_credentials), any(Generation::has_certificate_authorities));
        self.offers.unwrap_or(match needed {
            (true, false) => Generation::Credentials,
            (false, true) => Generation::CertificateAuthorities,
            _ => Generation::Both,
        })
    }

    /// Reads a fleet file.
    ///
    /// # Errors
    /// Names the key that is unknown, missing or wrong, and where it stands.
    pub fn from_toml(text: &str) -> Result<Self, FleetError> {
        let fleet: Self = toml::from_str(text)
            .map_err(|error| FleetError::Syntax(error.to_string().trim_end().to_owned()))?;
        fleet.validate()?;
        Ok(fleet)
    }

    /// Writes the fleet as a file that [`Fleet::from_toml`] reads back.
    ///
    /// # Errors
    /// When a number does not fit into TOML, e.g. a seed beyond 2^63.
    pub fn to_toml(&self) -> Result<String, FleetError> {
        toml::to_string(self).map_err(|error| FleetError::Syntax(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
