//! What the step does, by what it is taken on.
//!
//! - [`revocation`], [`renewal`], [`deletion`], [`unlinking`]: one for each kind of step.

mod deletion;
mod renewal;
mod revocation;
mod unlinking;

use super::facts::Facts;
use super::radius::Statement;
use super::target::{Action, Target};
use super::usage::Usage;
use crate::authority::{AuthorityType, Issuer};
use crate::plural;

/// What the step does.
#[derive(Default)]
pub(super) struct Effects {
    /// Whether a source says that the service refuses it.
    pub is_refused: bool,
    /// What stops, or may, when it is taken.
    pub at_once: Vec<Statement>,
    /// What stops later.
    pub later: Vec<Statement>,
    /// What cannot be undone.
    pub irreversible: Vec<Statement>,
}

pub(super) fn of(facts: &Facts, usage: &Usage) -> Effects {
    match (facts.action, signer(&facts.target)) {
        (Action::Unlink, _) => unlinking::of(facts, usage),
        (Action::Delete, signer) => deletion::of(facts, usage, signer),
        (Action::Revoke | Action::Rotate, Signer::Root) => revocation::of_root(),
        (Action::Revoke, Signer::Own(_)) => revocation::of_own_root(facts, usage),
        (Action::Rotate, Signer::Own(status)) => renewal::of(facts, usage, status),
        (Action::Revoke | Action::Rotate, Signer::Service) => revocation::of(facts, usage),
    }
}

/// Who signs the CA of the target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer<'f> {
    /// It is a root itself.
    Root,
    /// The service.
    Service,
    /// A root of the customer's; the status of the CA.
    Own(&'f str),
}

pub(super) fn signer(target: &Target) -> Signer<'_> {
    match target {
        Target::Policy(policy) => {
            policy.bring_your_own_root.as_ref().map_or(Signer::Service, |own| Signer::Own(&own.status))
        }
        Target::Authority(authority) => match (authority.kind, authority.issuer) {
            (AuthorityType::Root, _) => Signer::Root,
            (AuthorityType::Issuing, Issuer::Microsoft) => Signer::Service,
            (AuthorityType::Issuing, Issuer::External) => {
                Signer::Own(authority.status.as_deref().unwrap_or_default())
            }
        },
        Target::Hub(_) | Target::ProvisioningService { .. } => Signer::Service,
    }
}

/// The groups and individual enrollments that use the target, in words.
pub(super) fn enrolled(usage: &Usage) -> String {
    let groups = plural::count(usage.groups.len(), "enrollment group");
    match usage.individual.is_none() {
        true => groups,
        false => format!("{groups}, and of individual enrollments {}", usage.individual),
    }
}
