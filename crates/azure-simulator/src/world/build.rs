//! The world of a fleet at its start.

mod authorities;
mod endpoints;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::World;
use super::WorldError;
use super::change::Watcher;
use super::credential::Credential;
use super::link::Link;
use super::names::Names;
use super::namespace::Namespace;
use super::resource::{ProvisioningState, Tags, Times};
use crate::fleet::{self, Fleet};
use crate::pki::PkiError;

/// The state that every part of the start needs.
struct Builder<'a> {
    fleet: &'a Fleet,
    names: Names,
    now: OffsetDateTime,
}

impl World {
    /// Makes everything that a fleet names but its enrollment groups, which the door of DPS writes.
    ///
    /// `seed` drives made-up names, ids and keys, never certificates.
    ///
    /// # Errors
    /// When the fleet does not hold together, or a certificate could not be made.
    pub(crate) fn build(
        fleet: Fleet,
        seed: u64,
        now: OffsetDateTime,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Self, WorldError> {
        fleet.validate()?;
        let mut builder = Builder { fleet: &fleet, names: Names::new(seed), now };
        let tenant_id = builder.names.guid();
        let (mut namespaces, mut hubs, mut services) = (Vec::new(), Vec::new(), Vec::new());
        for given in &fleet.namespaces {
            let namespace = builder.namespace(given, &tenant_id)?;
            for hub in &given.hubs {
                hubs.push(builder.hub(&namespace, hub));
            }
            for service in &given.provisioning_services {
                let subscription = service.subscription.as_deref().unwrap_or(&namespace.subscription);
                let group = service.resource_group.as_deref().unwrap_or(&given.resource_group);
                let linked = given.hubs.iter().map(|hub| hub.name.as_str()).collect::<Vec<_>>();
                let mut made = builder.service(&service.name, subscription, group, &linked);
                let link = Link::new(&namespace.id, &service.name);
                made.link = Some(link.in_state(service.linking_state, service.linking_error.as_deref()));
                made.is_unaware = service.unaware_of_namespace;
                made.roles_replicated += Duration::seconds(i64::from(service.roles_replicate_after_seconds));
                services.push(made);
            }
            namespaces.push(namespace);
        }
        for hub in &fleet.hubs {
            let subscription = hub.subscription.as_deref().unwrap_or(&fleet.subscription);
            hubs.push(builder.bare_hub(&hub.name, subscription, &hub.resource_group));
        }
        for service in &fleet.provisioning_services {
            let linked = service.hubs.iter().map(String::as_str).collect::<Vec<_>>();
            services.push(builder.service(
                &service.name,
                &fleet.subscription,
                &service.resource_group,
                &linked,
            ));
        }
        let names = builder.names;
        let (operations, pushes, verdicts) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            fleet,
            names,
            tenant_id,
            namespaces,
            hubs,
            services,
            operations,
            pushes,
            verdicts,
            watcher,
        })
    }
}

impl Builder<'_> {
    fn namespace(&mut self, given: &fleet::Namespace, tenant_id: &str) -> Result<Namespace, PkiError> {
        let credential = match given.credential && given.generation.has_credentials() {
            false => None,
            true => {
                let mut credential = Credential::accepted(self.fleet.location.clone(), Tags::new(), self.now);
                credential.complete(&mut self.names, self.now)?;
                credential.policies = self.policies(given, &credential)?;
                Some(credential)
            }
        };
        let subscription = given.subscription.as_ref().unwrap_or(&self.fleet.subscription);
        Ok(Namespace {
            id: format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.DeviceRegistry/namespaces/{}",
                subscription, given.resource_group, given.name
            ),
            name: given.name.clone(),
            subscription: subscription.clone(),
            resource_group: given.resource_group.clone(),
            location: self.fleet.location.clone(),
            tags: Tags::new(),
            uuid: self.names.guid(),
            principal_id: self.names.guid(),
            tenant_id: tenant_id.to_owned(),
            provisioning_state: ProvisioningState::named(&given.provisioning_state),
            times: Times::new(self.now),
            generation: given.generation,
            credential,
            certificate_authorities: self.certificate_authorities(given)?,
        })
    }
}
