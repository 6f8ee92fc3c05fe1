//! What was read in Azure, and what of it belongs to which namespace.

use crate::ArmId;
use crate::generation::{Link, NamespaceGeneration};
use crate::model::{EnrollmentGroup, Hub, Policy, ProvisioningService, ReadFailure};

/// Everything that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The subscriptions that were looked at.
    pub subscriptions: Vec<String>,
    /// The namespaces in them.
    pub namespaces: Vec<SeenNamespace>,
    /// The hubs in them that are linked to no namespace, by name.
    pub free_hubs: Vec<String>,
    /// The DPS in them that are linked to no namespace, by name.
    pub free_services: Vec<String>,
    /// Lists that could not be read.
    pub unread: Vec<Unread>,
}

/// A namespace with what is linked to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenNamespace {
    /// Its ARM id.
    pub id: ArmId,
    /// Its generation.
    pub generation: Result<NamespaceGeneration, ReadFailure>,
    /// Its policies.
    pub policies: Result<Vec<Policy>, ReadFailure>,
    /// Its linked hubs.
    pub hubs: Vec<ArmId>,
    /// Its linked DPS.
    pub services: Vec<SeenService>,
}

/// A DPS that is linked to a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenService {
    /// Its ARM id.
    pub id: ArmId,
    /// Its enrollment groups.
    pub groups: Result<Vec<EnrollmentGroup>, ReadFailure>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is, e.g. `the hubs of subscription S`.
    pub what: String,
    /// Why.
    pub why: ReadFailure,
}

/// What is linked to one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// The hubs, in the order of their ids.
    pub hubs: Vec<ArmId>,
    /// The DPS, in the order of their ids.
    pub services: Vec<ArmId>,
}

impl Linked {
    /// What is linked to a namespace: what it names itself, as a namespace of the second generation does, and what names it.
    #[must_use]
    pub fn to(namespace: &ArmId, links: &[Link], hubs: &[Hub], services: &[ProvisioningService]) -> Self {
        let named = |resource_type: &'static str| {
            let of_type = move |link: &&Link| link.resource.is_of_type(resource_type);
            links.iter().filter(of_type).map(|link| link.resource.clone())
        };
        let hubs = hubs.iter().filter(|hub| hub.namespace_id.as_ref() == Some(namespace));
        let services = services.iter().filter(|service| service.namespace_id.as_ref() == Some(namespace));
        let hubs = named("Microsoft.Devices/IotHubs").chain(hubs.map(|hub| hub.id.clone()));
        let services =
            named("Microsoft.Devices/provisioningServices").chain(services.map(|service| service.id.clone()));
        Self { hubs: each_once(hubs), services: each_once(services) }
    }
}

fn each_once(ids: impl Iterator<Item = ArmId>) -> Vec<ArmId> {
    let mut ids: Vec<ArmId> = ids.collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Seen {
    /// What could not be read, each as a sentence.
    #[must_use]
    pub fn unread_sentences(&self) -> Vec<String> {
        let lists = self.unread.iter().map(|unread| sentence(&unread.what, &unread.why));
        lists.chain(self.namespaces.iter().flat_map(SeenNamespace::unread_sentences)).collect()
    }
}

impl SeenNamespace {
    /// What of it could not be read, each as a sentence.
    #[must_use]
    pub fn unread_sentences(&self) -> Vec<String> {
        let name = self.id.name();
        if let Err(why) = &self.generation {
            return vec![sentence(&format!("namespace {name}"), why)];
        }
        let policies = self.policies.as_ref().err();
        let mut found: Vec<String> =
            policies.map(|why| sentence(&format!("the policies of {name}"), why)).into_iter().collect();
        for service in &self.services {
            if let Err(why) = &service.groups {
                found.push(sentence(&format!("the enrollment groups of {}", service.id.name()), why));
            }
        }
        found
    }
}

fn sentence(what: &str, why: &ReadFailure) -> String {
    format!("{what}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: &str, name: &str) -> ArmId {
        ArmId::parse(&format!("/subscriptions/S/resourceGroups/R/providers/{kind}/{name}")).unwrap()
    }

    #[test]
    fn what_either_side_names_is_linked_once_whatever_its_spelling() {
        let namespace = id("Microsoft.DeviceRegistry/namespaces", "contoso");
        let other = id("Microsoft.DeviceRegistry/namespaces", "contoso-2");
        let hub = |name: &str, namespace: Option<&ArmId>| Hub {
            id: id("Microsoft.Devices/IotHubs", name),
            name: name.to_owned(),
            host_name: format!("{name}.azure-devices.net"),
            namespace_id: namespace.cloned(),
        };
        let service = |name: &str, namespace: Option<&ArmId>| ProvisioningService {
            id: id("Microsoft.Devices/provisioningServices", name),
            name: name.to_owned(),
            endpoint: String::new(),
            namespace_id: namespace.cloned(),
            hubs: Vec::new(),
        };
        let link = |kind: &str, name: &str| Link {
            resource: id(kind, name),
            state: None,
            error: None,
            host_names: Vec::new(),
        };
        let links = [
            link("Microsoft.Devices/IotHubs", "B"),
            link("microsoft.devices/provisioningservices", "d1"),
            link("Microsoft.Storage/storageAccounts", "b"),
        ];
        let linked = Linked::to(
            &namespace,
            &links,
            &[hub("b", Some(&namespace)), hub("a", Some(&namespace)), hub("c", Some(&other)), hub("d", None)],
            &[service("d1", None), service("d2", Some(&other)), service("d0", Some(&namespace))],
        );
        let names = |ids: &[ArmId]| ids.iter().map(|id| id.name().to_ascii_lowercase()).collect::<Vec<_>>();
        assert_eq!(names(&linked.hubs), ["a", "b"]);
        assert_eq!(names(&linked.services), ["d0", "d1"]);
    }
}
