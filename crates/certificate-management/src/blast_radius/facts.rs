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

/// What the commands of one generation say in the words of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// API version of `Microsoft.DeviceRegistry`.
    pub registry: String,
    /// API version of `Microsoft.Devices/IotHubs`.
    pub hub: String,
    /// The member of a hub that holds its link.
    pub hub_link: &'static str,
    /// API version of `Microsoft.Devices/provisioningServices`.
    pub provisioning_service: String,
    /// The member of a DPS that holds its link.
    pub provisioning_service_link: &'static str,
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
    pub wire: Wire,
    /// The time.
    pub now: OffsetDateTime,
}

impl Facts {
    /// The generation that the target belongs to.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.target.generation(&self.namespace)
    }
}
