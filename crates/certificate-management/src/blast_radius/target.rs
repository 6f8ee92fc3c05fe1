//! The step that a person thinks of, and what it is taken on.

use serde::{Deserialize, Serialize};

use crate::ArmId;
use crate::authority::Authority;
use crate::generation::Generation;
use crate::model::{Hub, Namespace, Policy};

/// The step that a person thinks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The issuing CA is given up, and the service makes another in its place (`ca-lifecycle-facts.md` §1.9).
    Revoke,
    /// The issuing CA is replaced.
    Rotate,
    /// The policy or the authority is deleted (`ca-lifecycle-facts.md` §1.10).
    Delete,
    /// The hub or the DPS is taken off its namespace (`ca-lifecycle-facts.md` §4.3).
    Unlink,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Revoke => "revoke",
            Self::Rotate => "rotate",
            Self::Delete => "delete",
            Self::Unlink => "unlink",
        })
    }
}

/// The kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A policy of either generation. In the first it is its issuing CA too.
    Policy,
    /// A certificate authority.
    Authority,
    /// An IoT hub.
    Hub,
    /// A Device Provisioning Service.
    ProvisioningService,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Policy => "policy",
            Self::Authority => "authority",
            Self::Hub => "hub",
            Self::ProvisioningService => "provisioning-service",
        })
    }
}

/// What the step is taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A policy.
    Policy(Policy),
    /// A certificate authority.
    Authority(Authority),
    /// A linked hub.
    Hub(Hub),
    /// A DPS of the namespace.
    ProvisioningService {
        /// Its name.
        name: String,
        /// Its ARM id, where it is known.
        id: Option<ArmId>,
    },
}

impl Target {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Policy(_) => Kind::Policy,
            Self::Authority(_) => Kind::Authority,
            Self::Hub(_) => Kind::Hub,
            Self::ProvisioningService { .. } => Kind::ProvisioningService,
        }
    }

    /// Its name as people write it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Policy(policy) => &policy.name,
            Self::Authority(authority) => &authority.name,
            Self::Hub(hub) => &hub.name,
            Self::ProvisioningService { name, .. } => name,
        }
    }

    /// Its ARM id; `None` for a DPS of which only the address is known.
    #[must_use]
    pub const fn id(&self) -> Option<&ArmId> {
        match self {
            Self::Policy(policy) => Some(&policy.id),
            Self::Authority(authority) => Some(&authority.id),
            Self::Hub(hub) => Some(&hub.id),
            Self::ProvisioningService { id, .. } => id.as_ref(),
        }
    }

    /// The generation of the service that it belongs to, in its namespace.
    #[must_use]
    pub fn generation(&self, namespace: &Namespace) -> Generation {
        match self {
            Self::Policy(policy) => policy.generation(),
            Self::Authority(_) => Generation::CertificateAuthorities,
            // Of a DPS without an id only its address is known; the namespace does not name it.
            Self::Hub(_) | Self::ProvisioningService { .. } => {
                match (self.id(), namespace.generation.has(Generation::Credentials)) {
                    (Some(id), _) => namespace.generation_of_link(id),
                    (None, true) => Generation::Credentials,
                    (None, false) => Generation::CertificateAuthorities,
                }
            }
        }
    }

    fn is_named(&self, text: &str) -> bool {
        let by_id = || self.id().is_some_and(|id| text.eq_ignore_ascii_case(id.as_str()));
        match self {
            Self::Policy(policy) => policy.is_named(text) || policy.own_name().eq_ignore_ascii_case(text),
            _ => text.eq_ignore_ascii_case(self.name()) || by_id(),
        }
    }

    /// What the action is taken on, where it is another resource: a certificate policy is revoked or rotated with its
    /// authority, the policy itself stays.
    fn of(self, action: Action, authorities: &[Authority]) -> Self {
        match (&self, action) {
            (Self::Policy(policy), Action::Revoke | Action::Rotate) => {
                let own = authorities.iter().find(|authority| authority.id == *policy.issuer_id());
                own.cloned().map_or(self, Self::Authority)
            }
            _ => self,
        }
    }
}

/// The targets that a name can mean for an action, each once.
#[must_use]
pub fn named(
    name: &str,
    action: Action,
    kind: Option<Kind>,
    all: impl IntoIterator<Item = Target>,
    authorities: &[Authority],
) -> Vec<Target> {
    let fits = |target: &Target| {
        let is_link = matches!(target.kind(), Kind::Hub | Kind::ProvisioningService);
        is_link == (action == Action::Unlink)
            && kind.is_none_or(|kind| target.kind() == kind)
            && target.is_named(name)
    };
    let mut found: Vec<Target> = Vec::new();
    for target in all.into_iter().filter(fits) {
        let target = target.of(action, authorities);
        let is_known = |known: &Target| known.kind() == target.kind() && known.id() == target.id();
        if target.id().is_none() || !found.iter().any(is_known) {
            found.push(target);
        }
    }
    found
}
