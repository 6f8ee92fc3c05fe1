//! What was read before the judgement.

use time::OffsetDateTime;

use super::count::Count;
use super::target::{Action, Target};
use crate::ArmId;
use crate::authority::Authority;
use crate::generation::Generation;
use crate::model::{EnrollmentGroup, Namespace, Policy, ReadFailure};
use crate::plan::ObservedHub;

/// An enrollment group with its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub group: EnrollmentGroup,
    /// Devices whose last registration through it succeeded.
    pub devices: Count,
}

/// The individual enrollments of a DPS, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Individuals {
    /// The policy that each names, as [`crate::reference`] writes it.
    pub policies: Vec<Option<String>>,
    /// Why there may be others; `None`: all were read.
    pub cut: Option<String>,
}

/// A DPS of the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its ARM id, where it is known.
    pub id: Option<ArmId>,
    /// Its groups, or why they could not be read.
    pub groups: Result<Vec<Group>, ReadFailure>,
    /// Its individual enrollments, or why they could not be read.
    pub individuals: Result<Individuals, ReadFailure>,
}

/// API versions for the commands of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersions {
    /// Of `Microsoft.DeviceRegistry`.
    pub registry: String,
    /// Of `Microsoft.Devices/IotHubs`.
    pub hub: String,
    /// Of `Microsoft.Devices/provisioningServices`.
    pub provisioning_service: String,
}

/// Everything that the judgement looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The step.
    pub action: Action,
    /// What it is taken on.
    pub target: Target,
    /// The namespace, with its links.
    pub namespace: Namespace,
    /// Its policies, of both generations.
    pub policies: Vec<Policy>,
    /// Its certificate authorities, its root among them.
    pub authorities: Vec<Authority>,
    /// Its linked hubs with their certificates, or why they could not be listed.
    pub hubs: Result<Vec<ObservedHub>, ReadFailure>,
    /// Its DPS, or why they could not be listed.
    pub services: Result<Vec<Service>, ReadFailure>,
    /// For the commands, of [`Facts::generation`].
    pub versions: ApiVersions,
    /// The time.
    pub now: OffsetDateTime,
}

impl Facts {
    /// The generation that the target belongs to: a hub or a DPS that the namespace names is linked as in the second.
    #[must_use]
    pub fn generation(&self) -> Generation {
        match &self.target {
            Target::Policy(policy) => policy.generation(),
            Target::Authority(_) => Generation::CertificateAuthorities,
            Target::Hub(_) | Target::ProvisioningService { .. } => {
                // Of a DPS without an id only its address is known; the namespace does not name it.
                match (self.target.id(), self.namespace.generation.has(Generation::Credentials)) {
                    (Some(id), _) => self.namespace.generation_of_link(id),
                    (None, true) => Generation::Credentials,
                    (None, false) => Generation::CertificateAuthorities,
                }
            }
        }
    }
}
