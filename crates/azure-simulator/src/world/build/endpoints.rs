//! The hubs and provisioning services of a fleet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Builder;
use crate::fleet;
use crate::world::enrollment::ProvisioningService;
use crate::world::hub::{Hub, Origin};
use crate::world::link::Link;
use crate::world::namespace::Namespace;
use crate::world::resource::Tags;

impl Builder<'_> {
    /// A linked hub, with the issuing CAs that it trusts from the start.
    pub(super) fn hub(&mut self, namespace: &Namespace, given: &fleet::Hub) -> Hub {
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
                hub.push(&origin, &[Arc::clone(authority)], &mut self.names, self.now);
            }
        }
        hub
    }

    pub(super) fn bare_hub(&mut self, name: &str, subscription: &str, resource_group: &str) -> Hub {
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
            tags: Tags::new(),
            etag: self.names.hub_etag(),
            certificates: Vec::new(),
        }
    }

    pub(super) fn service(
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
            tags: Tags::new(),
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
