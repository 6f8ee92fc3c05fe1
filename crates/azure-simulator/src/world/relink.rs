//! Links that a person makes and takes away while the cloud runs, past the doors of the services.

use super::link::Link;
use super::{ActionError, World};

impl World {
    /// Links a hub that has no link, and gives it to the provisioning services of the namespace. Its certificates come by the next sync; of
    /// a certificate authority, by the next push (`azure-wire-facts.md` §2.4).
    pub(crate) fn link_hub(&mut self, hub: &str, namespace_id: &str) -> Result<(), ActionError> {
        let namespace = self.namespace(namespace_id).ok_or_else(|| ActionError::not_found(namespace_id))?;
        let id = namespace.id.clone();
        let found = self.hubs.iter_mut().find(|known| known.name.eq_ignore_ascii_case(hub));
        let found = found.ok_or_else(|| ActionError::not_found(hub))?;
        if found.link.is_some() {
            return Err(ActionError::conflict(format!("'{hub}' is linked already.")));
        }
        found.link = Some(Link::new(&id, &found.name));
        let host = found.host_name();
        for service in self.services.iter_mut().filter(|service| service.is_linked_to(&id)) {
            if !service.hubs.contains(&host) {
                service.hubs.push(host.clone());
            }
        }
        Ok(())
    }

    /// Takes the link of a hub away, and the hub from the provisioning services of the namespace. No source says that its certificates go.
    pub(crate) fn unlink_hub(&mut self, hub: &str) -> Result<(), ActionError> {
        let found = self.hubs.iter_mut().find(|known| known.name.eq_ignore_ascii_case(hub));
        let found = found.ok_or_else(|| ActionError::not_found(hub))?;
        let host = found.host_name();
        let link = found.link.take();
        let link = link.ok_or_else(|| ActionError::conflict(format!("'{hub}' is not linked.")))?;
        for service in self.services.iter_mut().filter(|service| service.is_linked_to(&link.namespace_id)) {
            service.hubs.retain(|known| *known != host);
        }
        Ok(())
    }
}
