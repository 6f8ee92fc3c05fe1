//! The simulated world: its resources, and how they change with time.
//!
//! It speaks no wire format: each service's door puts it into JSON, statuses and headers. The world keeps texts that a
//! client only reads back as they came ([`Verbatim`]).

mod action_error;
mod build;
pub(crate) mod certificate_authority;
pub(crate) mod change;
pub(crate) mod credential;
pub(crate) mod enrollment;
pub(crate) mod hub;
pub(crate) mod link;
pub(crate) mod names;
pub(crate) mod namespace;
pub(crate) mod operation;
pub(crate) mod principal;
mod push;
mod relink;
mod renewal;
pub(crate) mod resource;
mod rotate;
mod settle;
mod state;

use std::sync::Arc;

use time::OffsetDateTime;

use super::fleet::{Fleet, FleetError};
use super::pki::PkiError;
pub use action_error::ActionError;
use change::{Change, Deed, ResourceKind, Watcher};
use enrollment::ProvisioningService;
use hub::Hub;
use names::Names;
use namespace::Namespace;
use operation::{Operation, Verdict};
use push::Push;

/// Why a world could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// The fleet does not hold together.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// A certificate could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Everything that exists. No `Debug`: it holds keys.
pub(crate) struct World {
    /// As it was at the start: numbers and options are read from here, resources from below.
    pub fleet: Fleet,
    pub names: Names,
    pub tenant_id: String,
    pub namespaces: Vec<Namespace>,
    pub hubs: Vec<Hub>,
    pub services: Vec<ProvisioningService>,
    pub operations: Vec<Operation>,
    pub pushes: Vec<Push>,
    /// How the next operation on a resource ends, whatever it would do.
    pub verdicts: Vec<Verdict>,
    watcher: Arc<dyn Watcher>,
}

impl World {
    /// The namespace of an ARM id, in any case.
    pub(crate) fn namespace(&self, id: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.id.eq_ignore_ascii_case(id))
    }

    /// The namespace of an ARM id, to be changed.
    pub(crate) fn namespace_mut(&mut self, id: &str) -> Option<&mut Namespace> {
        self.namespaces.iter_mut().find(|namespace| namespace.id.eq_ignore_ascii_case(id))
    }

    /// The hubs that are linked to a namespace.
    pub(crate) fn linked_hubs<'a>(&'a self, namespace_id: &'a str) -> impl Iterator<Item = &'a Hub> {
        self.hubs.iter().filter(move |hub| {
            hub.link.as_ref().is_some_and(|link| link.is_listed() && link.is_to(namespace_id))
        })
    }

    /// The provisioning service of a name, in any case.
    pub(crate) fn service_mut(&mut self, name: &str) -> Option<&mut ProvisioningService> {
        self.services.iter_mut().find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// Subscription and resource group of everything.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &str)> {
        let namespaces = self.namespaces.iter().map(|n| (n.subscription.as_str(), n.resource_group.as_str()));
        let hubs = self.hubs.iter().map(|hub| (hub.subscription.as_str(), hub.resource_group.as_str()));
        let services = self.services.iter().map(|s| (s.subscription.as_str(), s.resource_group.as_str()));
        std::iter::once((self.fleet.subscription.as_str(), "")).chain(namespaces).chain(hubs).chain(services)
    }

    /// Tells the feeds of a change.
    pub(crate) fn tell(&self, resource_id: &str, kind: ResourceKind, deed: Deed, at: OffsetDateTime) {
        self.watcher.changed(&Change { resource_id, tenant_id: &self.tenant_id, kind, deed, at });
    }
}
