//! Ends links that are being made.

use time::OffsetDateTime;

use crate::fleet::LinkingState;
use crate::world::World;
use crate::world::hub::Origin;
use crate::world::link::Link;

impl World {
    /// Makes links in progress succeed, but not where the namespace's identity lacks its role.
    pub(super) fn settle_links(&mut self, namespace_id: &str, at: OffsetDateTime) {
        let mut is_new = false;
        for hub in &mut self.hubs {
            let lacks_role = hub.lacks_role;
            let open = |link: &&mut _| is_open(link, namespace_id);
            if let Some(link) = hub.link.as_mut().filter(open) {
                link.state = if lacks_role { LinkingState::Failed } else { LinkingState::Succeeded };
                link.error = None;
                is_new = true;
            }
        }
        for service in &mut self.services {
            let open = |link: &&mut _| is_open(link, namespace_id);
            if let Some(link) = service.link.as_mut().filter(open) {
                (link.state, link.error) = (LinkingState::Succeeded, None);
            }
        }
        if is_new && self.fleet.link_pushes_to_hubs {
            self.push_all(namespace_id, at);
        }
    }

    /// Leaves the links of a namespace that is gone with its hubs and services.
    pub(super) fn orphan_links(&mut self, namespace_id: &str) {
        let hubs = self.hubs.iter_mut().map(|hub| &mut hub.link);
        let services = self.services.iter_mut().map(|service| &mut service.link);
        for link in hubs.chain(services).flatten().filter(|link| link.is_to(namespace_id)) {
            link.state = LinkingState::Orphaned;
        }
    }

    fn push_all(&mut self, namespace_id: &str, at: OffsetDateTime) {
        let Some(namespace) = self.namespace(namespace_id) else { return };
        let current: Vec<_> = namespace
            .certificate_authorities
            .values()
            .filter_map(|authority| {
                let id = namespace.certificate_authority_id(&authority.name);
                authority.active_authority()?;
                Some((Origin::CertificateAuthority(id), authority.trusted_authorities()))
            })
            .collect();
        self.push_to_hubs(namespace_id, &current, at);
    }
}

fn is_open(link: &Link, namespace_id: &str) -> bool {
    link.is_to(namespace_id) && link.state == LinkingState::InProgress
}
