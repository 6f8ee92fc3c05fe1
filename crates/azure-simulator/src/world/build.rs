//! The world of a fleet at its start.

mod authorities;
mod enrollment_groups;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Map;
use time::{Duration, OffsetDateTime};

use super::WorldError;
use super::credential::Credential;
use super::enrollment::ProvisioningService;
use super::hub::{Hub, Origin};
use super::link::Link;
use super::names::Names;
use super::namespace::{Namespace, SystemData};
use super::state::State;
use crate::feeds::Feeds;
use crate::fleet::{self, Fleet};
use crate::pki::PkiError;

/// What every part of the start needs.
struct Builder<'a> {
    fleet: &'a Fleet,
    names: Names,
    now: OffsetDateTime,
}

impl State {
    /// Makes everything that a fleet names.
    pub(super) fn build(
        fleet: Fleet,
        seed: u64,
        now: OffsetDateTime,
        feeds: Arc<Feeds>,
    ) -> Result<Self, WorldError> {
        let mut builder = Builder { fleet: &fleet, names: Names::new(seed), now };
        let tenant_id = builder.names.guid();
        let (mut namespaces, mut hubs, mut services) = (Vec::new(), Vec::new(), Vec::new());
        for given in &fleet.namespaces {
            let namespace = builder.namespace(given, &tenant_id)?;
            for hub in &given.hubs {
                hubs.push(builder.hub(&namespace, hub));
            }
            for service in &given.provisioning_services {
                let subscription = service.subscription.as_deref().unwrap_or(&fleet.subscription);
                let group = service.resource_group.as_deref().unwrap_or(&given.resource_group);
                let linked = given.hubs.iter().map(|hub| hub.name.as_str()).collect::<Vec<_>>();
                let mut made = builder.service(&service.name, subscription, group, &linked);
                let link = Link::new(&namespace.id, &service.name);
                made.link = Some(link.in_state(service.linking_state, service.linking_error.as_deref()));
                made.is_unaware = service.unaware_of_namespace;
                made.roles_replicated += Duration::seconds(i64::from(service.roles_replicate_after_seconds));
                builder.groups(&mut made, Some(&namespace.name), &service.enrollment_groups)?;
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
            let mut made =
                builder.service(&service.name, &fleet.subscription, &service.resource_group, &linked);
            builder.groups(&mut made, None, &service.enrollment_groups)?;
            services.push(made);
        }
        let names = builder.names;
        let (operations, pushes) = (Vec::new(), Vec::new());
        Ok(Self { fleet, names, tenant_id, namespaces, hubs, services, operations, pushes, feeds })
    }
}

impl Builder<'_> {
    fn namespace(&mut self, given: &fleet::Namespace, tenant_id: &str) -> Result<Namespace, PkiError> {
        let credential = match given.credential && given.generation.has_credentials() {
            false => None,
            true => {
                let mut credential = Credential::accepted(self.fleet.location.clone(), Map::new(), self.now);
                credential.complete(&mut self.names, self.now)?;
                credential.policies = self.policies(given, &credential)?;
                Some(credential)
            }
        };
        Ok(Namespace {
            id: format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.DeviceRegistry/namespaces/{}",
                self.fleet.subscription, given.resource_group, given.name
            ),
            name: given.name.clone(),
            subscription: self.fleet.subscription.clone(),
            resource_group: given.resource_group.clone(),
            location: self.fleet.location.clone(),
            tags: Map::new(),
            uuid: self.names.guid(),
            principal_id: self.names.guid(),
            tenant_id: tenant_id.to_owned(),
            provisioning_state: given.provisioning_state.clone(),
            system_data: SystemData::new(self.now),
            generation: given.generation,
            credential,
            certificate_authorities: self.certificate_authorities(given)?,
        })
    }

    /// A linked hub, with the issuing CAs that it trusts from the start.
    fn hub(&mut self, namespace: &Namespace, given: &fleet::Hub) -> Hub {
        let subscription = given.subscription.as_deref().unwrap_or(&namespace.subscription);
        let group = given.resource_group.as_deref().unwrap_or(&namespace.resource_group);
        let mut hub = self.bare_hub(&given.name, subscription, group);
        let link = Link::new(&namespace.id, &given.name);
        hub.link = Some(link.in_state(given.linking_state, given.linking_error.as_deref()));
        hub.lacks_role = given.lacks_role;
        let trusts = |name: &str| match &given.trusts {
            Some(names) => names.iter().any(|one| one.eq_ignore_ascii_case(name)),
            None => given.is_reached(),
        };
        let policies = namespace.policies().map(|policy| {
            let origin = Origin::Policy(namespace.policy_id(&policy.name));
            (&policy.name, origin, policy.active_authority())
        });
        let authorities = namespace.certificate_authorities.values().map(|authority| {
            let origin = Origin::CertificateAuthority(namespace.certificate_authority_id(&authority.name));
            (&authority.name, origin, authority.active_authority())
        });
        for (name, origin, authority) in policies.chain(authorities) {
            if let Some(authority) = authority.filter(|_| trusts(name)) {
                hub.push(&origin, authority, &mut self.names, self.now);
            }
        }
        hub
    }

    fn bare_hub(&mut self, name: &str, subscription: &str, resource_group: &str) -> Hub {
        Hub {
            id: format!(
                "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Devices/IotHubs/{name}"
            ),
            name: name.to_owned(),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            location: self.fleet.location.clone(),
            link: None,
            lacks_role: false,
            identity_id: identity_id(subscription, resource_group, name),
            tags: Map::new(),
            etag: self.names.hub_etag(),
            certificates: Vec::new(),
        }
    }

    fn service(
        &mut self,
        name: &str,
        subscription: &str,
        resource_group: &str,
        hubs: &[&str],
    ) -> ProvisioningService {
        ProvisioningService {
            id: format!(
                "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Devices/provisioningServices/{name}"
            ),
            name: name.to_owned(),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            location: self.fleet.location.clone(),
            link: None,
            is_unaware: false,
            roles_replicated: self.now,
            identity_id: identity_id(subscription, resource_group, name),
            tags: Map::new(),
            hubs: hubs.iter().map(|hub| format!("{hub}.azure-devices.net")).collect(),
            id_scope: self.names.id_scope(),
            groups: BTreeMap::new(),
            registrations: BTreeMap::new(),
        }
    }
}

fn identity_id(subscription: &str, resource_group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}-identity"
    )
}
