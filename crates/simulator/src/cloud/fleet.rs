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

mod default;
mod validate;

use indexmap::IndexMap;
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
    /// Whether DPS takes a `credentialPolicyName` that its namespace does not have. Nobody documents what Azure does.
    #[serde(default)]
    pub unknown_policy: UnknownPolicy,
    /// Most entries of one page of a list or of an enrollment group query.
    #[serde(default = "default::page_size")]
    pub page_size: u32,
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

/// A device registry namespace with a credential, and what is linked to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its resource group, and that of its hubs and provisioning services where they do not name another.
    pub resource_group: String,
    /// Whether certificate management is on: there is a credential.
    #[serde(default = "default::yes", skip_serializing_if = "Clone::clone")]
    pub credential: bool,
    /// Credential policies.
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// Linked hubs.
    #[serde(default, rename = "hub", skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<Hub>,
    /// Linked provisioning services.
    #[serde(default, rename = "provisioning_service", skip_serializing_if = "Vec::is_empty")]
    pub provisioning_services: Vec<ProvisioningService>,
}

/// A credential policy: an issuing CA and the validity of what it issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Validity of a device certificate, 1 to 90 days.
    pub leaf_validity_days: u32,
    /// Validity of its issuing CA in days, counted from the start of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuing_ca_validity_days: Option<u32>,
    /// `Succeeded`, `Failed`, `Canceled`, `Accepted` or `Deleting`. Only `Succeeded` is synced to hubs.
    #[serde(default = "default::succeeded", skip_serializing_if = "default::is_succeeded")]
    pub provisioning_state: String,
    /// The root is the customer's own: the policy starts pending, with a signing request to be signed and activated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bring_your_own_root: bool,
}

/// A hub that is linked to a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// Its name; the host name is `{name}.azure-devices.net`.
    pub name: String,
    /// Its resource group, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Its subscription, where it is not the fleet's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The policies whose issuing CA it has at the start. Absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusts: Option<Vec<String>>,
}

/// A hub without a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkedHub {
    /// Its name; the host name is `{name}.azure-devices.net`.
    pub name: String,
    /// Its resource group.
    pub resource_group: String,
    /// Its subscription, where it is not the fleet's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

/// A device provisioning service of a namespace. All hubs of the namespace are linked to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisioningService {
    /// Its name.
    pub name: String,
    /// Its resource group, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Its subscription, where it is not the fleet's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// Enrollment groups.
    #[serde(default, rename = "enrollment_group", skip_serializing_if = "Vec::is_empty")]
    pub enrollment_groups: Vec<EnrollmentGroup>,
}

/// A device provisioning service without a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkedProvisioningService {
    /// Its name.
    pub name: String,
    /// Its resource group.
    pub resource_group: String,
    /// Names of the hubs that are linked to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<String>,
    /// Enrollment groups.
    #[serde(default, rename = "enrollment_group", skip_serializing_if = "Vec::is_empty")]
    pub enrollment_groups: Vec<EnrollmentGroup>,
}

/// An enrollment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollmentGroup {
    /// Its id.
    pub name: String,
    /// How its devices prove who they are.
    #[serde(default)]
    pub attestation: Attestation,
    /// The policy that is assigned to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether its devices may register.
    #[serde(default = "default::yes", skip_serializing_if = "Clone::clone")]
    pub enabled: bool,
    /// Names of the hubs that its devices go to. Empty: all hubs of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<String>,
    /// Tags of the initial twin.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tags: IndexMap<String, String>,
}

/// The attestation kinds of a fleet file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// A group key from which device keys are derived.
    #[default]
    SymmetricKey,
    /// A CA that was uploaded to the service, by reference.
    X509Ca,
    /// A signing certificate inside the group.
    X509Signing,
    /// A trusted platform module.
    Tpm,
}

impl Fleet {
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
