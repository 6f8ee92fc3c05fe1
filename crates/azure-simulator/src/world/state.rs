//! Everything that exists, and how to find it.

use std::sync::Arc;

use super::enrollment::ProvisioningService;
use super::hub::Hub;
use super::names::Names;
use super::namespace::Namespace;
use super::operation::Operation;
use super::push::Push;
use crate::feeds::{Feeds, ResourceChange};
use crate::fleet::Fleet;
use time::OffsetDateTime;

/// Behind the lock of [`super::World`]. No `Debug`: it holds keys.
pub(crate) struct State {
    /// As it was at the start: numbers and options are read from here, resources from below.
    pub fleet: Fleet,
    pub names: Names,
    pub tenant_id: String,
    pub namespaces: Vec<Namespace>,
    pub hubs: Vec<Hub>,
    pub services: Vec<ProvisioningService>,
    pub operations: Vec<Operation>,
    pub pushes: Vec<Push>,
    pub feeds: Arc<Feeds>,
}

impl State {
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

    /// Tells Event Grid of a change.
    pub(crate) fn announce(
        &self,
        resource_id: &str,
        operation: &str,
        change: ResourceChange,
        at: OffsetDateTime,
    ) {
        self.feeds.resource_event(resource_id, operation, change, &self.tenant_id, at);
    }
}
