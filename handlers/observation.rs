//! Reads one namespace at a time, and does the reads once that several namespaces need.

use std::sync::Arc;
use std::time::Duration;

use azure::Error;
use azure::budget::Tally;
use azure::registry::Issuing;
use azure::remembered::{LISTS_FOR, Remembered};
use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::generation::{Generation, Link, NamespaceGeneration};
use certificate_management::model::{Hub, Namespace, ProvisioningService};
use certificate_management::plan::{Observation, ObservedHub};
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::failure;
use crate::fleet::Fleet;
use crate::lists::Lists;

/// How many hubs are read at once. ARM refills 25 reads a second (`azure-wire-facts.md` §7).
const HUBS_AT_ONCE: usize = 8;

/// How long a caller without a deadline of its own gives one observation.
const WITHIN: Duration = Duration::from_secs(60);

/// The deadline of an observation whose caller has none.
#[must_use]
pub fn soon() -> Instant {
    Instant::now() + WITHIN
}

/// Reads for the length of one invocation. It lists the hubs and DPS of a subscription once, and again when the list has grown
/// old; a namespace likewise.
pub struct Observer<'a> {
    fleet: &'a Fleet,
    lists: Lists,
    namespaces: Remembered<Namespace>,
}

impl<'a> Observer<'a> {
    /// An observer that has read nothing yet. An event, a message or a person says that something may have changed just now,
    /// and a write to a group cannot be undone for the devices that provision meanwhile: so whatever leads to a write uses
    /// nothing that was read before its invocation.
    #[must_use]
    pub fn new(fleet: &'a Fleet) -> Self {
        Self { fleet, lists: Lists::default(), namespaces: Remembered::new(LISTS_FOR) }
    }

    /// An observer for the report, which tells what was seen: it uses the lists that another report of this process has read
    /// a moment before.
    #[must_use]
    pub fn remembering(fleet: &'a Fleet) -> Self {
        Self { lists: fleet.lists.clone(), ..Self::new(fleet) }
    }

    /// The namespace, its policies, its linked hubs and their certificates, as they are now. It takes until `until` at the
    /// most.
    ///
    /// # Errors
    /// When the namespace, its policies or the list of hubs cannot be read by then. A hub whose certificates cannot be
    /// read is part of the observation instead, also one that has not answered by then, or within
    /// [`Deadlines::hub`](crate::deadlines::Deadlines::hub).
    pub async fn namespace(
        &self,
        configuration: &NamespaceConfiguration,
        until: Instant,
    ) -> Result<Observation, Error> {
        let registry = self.fleet.azure.registry();
        let reads = async {
            let namespace = self.registered(configuration).await?;
            let issuing = registry.issuing(&namespace);
            let (issuing, hubs) = futures::try_join!(issuing, self.linked_hubs(configuration, &namespace))?;
            Ok::<_, Error>((namespace, issuing, hubs))
        };
        let late = |_| Error::timed_out(format!("reading namespace {}", configuration.id.name()));
        let (namespace, issuing, hubs) = timeout_at(until, reads).await.map_err(late)??;
        let generation = namespace.generation;
        let reads: Vec<_> = hubs.into_iter().map(|hub| self.observe_hub(hub, generation, until)).collect();
        let hubs = stream::iter(reads).buffered(HUBS_AT_ONCE).collect().await;
        let Issuing { authorities, policies } = issuing;
        Ok(Observation { namespace, authorities, policies, hubs, seen_at: self.fleet.now() })
    }

    /// The namespace itself, with its generation and the links that it shows.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn registered(&self, configuration: &NamespaceConfiguration) -> Result<Namespace, Error> {
        let registry = self.fleet.azure.registry();
        let read = || registry.namespace(&configuration.id, configuration.api_generation);
        let namespace = self.namespaces.get(configuration.id.as_str(), read).await?;
        Ok(Namespace::clone(&namespace))
    }

    async fn observe_hub(&self, hub: Hub, generation: NamespaceGeneration, until: Instant) -> ObservedHub {
        let hubs = self.fleet.azure.hubs();
        let until = until.min(Instant::now() + self.fleet.deadlines.hub);
        let certificates = match timeout_at(until, hubs.certificates(&hub.id, generation)).await {
            Ok(certificates) => certificates,
            Err(_) => Err(Error::timed_out(format!("reading the certificates of hub {}", hub.name))),
        };
        ObservedHub { hub, certificates: certificates.map_err(|error| failure::of(&error)) }
    }

    /// The hubs that are linked to the namespace: those that it names itself, and those in the configured scopes that
    /// name it. In the second generation the namespace's own links are enough, and no subscription is searched.
    ///
    /// # Errors
    /// When the hubs of a subscription cannot be listed.
    pub async fn linked_hubs(
        &self,
        configuration: &NamespaceConfiguration,
        namespace: &Namespace,
    ) -> Result<Vec<Hub>, Error> {
        let mut linked = named_hubs(namespace);
        if !namespace.generation.has(Generation::Credentials) {
            return Ok(linked);
        }
        for subscription in configuration.subscriptions() {
            let hubs = self.hubs_of(&subscription).await?;
            for hub in hubs.iter().filter(|hub| hub.namespace_id.as_ref() == Some(&configuration.id)) {
                match linked.iter_mut().find(|known| known.id == hub.id) {
                    Some(known) => known.clone_from(hub),
                    None => linked.push(hub.clone()),
                }
            }
        }
        Ok(linked)
    }

    /// Every hub of a subscription.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn hubs_of(&self, subscription: &str) -> Result<Arc<Vec<Hub>>, Error> {
        let hubs = self.fleet.azure.hubs();
        // A list is read for many namespaces, so no visit to one of them is said to need it.
        let read = || async { Tally::default().of(hubs.in_subscription(subscription)).await };
        self.lists.hubs.get(subscription, read).await
    }

    /// The DPS of a namespace that the configuration names, by endpoint or by ARM id. Where it names none: the DPS that
    /// a namespace of the second generation says it is linked to.
    ///
    /// A DPS that the configuration names by its endpoint and that is not found in the scopes is used all the same;
    /// then the hubs that it allocates to are not known.
    ///
    /// # Errors
    /// When a DPS that is named by its ARM id, or the list, cannot be read.
    pub async fn provisioning_services(
        &self,
        configuration: &NamespaceConfiguration,
    ) -> Result<Vec<LinkedService>, Error> {
        let namespace = self.registered(configuration).await?;
        let newest = newest(&namespace);
        let mut found = Vec::new();
        let subscriptions = if configuration.provisioning_services.is_empty() {
            Vec::new()
        } else {
            configuration.subscriptions()
        };
        for subscription in subscriptions {
            found.push(self.services_of(&subscription, newest).await?);
        }
        let known = || found.iter().flat_map(|services| services.iter());
        let mut services = Vec::new();
        let linked = links_to(&namespace, SERVICES).map(|link| link.resource.as_str().to_owned());
        let names: Vec<String> = match configuration.provisioning_services.as_slice() {
            [] => linked.collect(),
            named => named.to_vec(),
        };
        for named in &names {
            let listed = known().find(|service| names_service(named, service));
            let service = match (listed, ArmId::parse(named)) {
                (Some(service), _) => LinkedService::from(service),
                (None, Ok(id)) => {
                    LinkedService::from(&self.fleet.azure.provisioning_services().get(&id, newest).await?)
                }
                (None, Err(_)) => LinkedService {
                    endpoint: named.clone(),
                    name: host_label(named),
                    hubs: Vec::new(),
                    id: None,
                    generation: namespace.generation,
                },
            };
            services.push(service.within(&namespace));
        }
        Ok(services)
    }
}

impl Observer<'_> {
    /// What is linked and that the configuration does not name: DPS that are linked to the namespace and not among its own, and
    /// other namespaces that hubs and DPS in its scopes are linked to. In the second generation the namespace's own links
    /// tell it, and no subscription is searched.
    ///
    /// # Errors
    /// When the namespace or a list of a subscription cannot be read.
    pub async fn unnamed(&self, configuration: &NamespaceConfiguration) -> Result<Vec<ArmId>, Error> {
        let namespace = self.registered(configuration).await?;
        let named = &configuration.provisioning_services;
        let mut linked: Vec<(ArmId, Option<ArmId>)> = links_to(&namespace, SERVICES)
            .map(|link| (link.resource.clone(), Some(configuration.id.clone())))
            .collect();
        let has_credential = namespace.generation.has(Generation::Credentials);
        for subscription in configuration.subscriptions().into_iter().filter(|_| has_credential) {
            let services = self.services_of(&subscription, newest(&namespace)).await?;
            linked.extend(services.iter().map(|service| (service.id.clone(), service.namespace_id.clone())));
            let hubs = self.hubs_of(&subscription).await?;
            linked.extend(hubs.iter().map(|hub| (hub.id.clone(), hub.namespace_id.clone())));
        }
        // Where the configuration names none, those are meant that the namespace says it is linked to.
        let is_own = |id: &ArmId| match named.as_slice() {
            [] => links_to(&namespace, SERVICES).any(|link| link.resource == *id),
            named => named.iter().any(|named| host_label(named).eq_ignore_ascii_case(id.name())),
        };
        let mut unnamed: Vec<ArmId> = linked
            .into_iter()
            .filter_map(|(resource, of)| match of? {
                of if of == configuration.id => {
                    (resource.is_of_type(SERVICES) && !is_own(&resource)).then_some(resource)
                }
                of => self.fleet.configuration.namespace(&of).is_none().then_some(of),
            })
            .collect();
        unnamed.sort_unstable_by_key(ArmId::key);
        unnamed.dedup();
        Ok(unnamed)
    }

    /// Every DPS of a subscription.
    async fn services_of(
        &self,
        subscription: &str,
        generation: Generation,
    ) -> Result<Arc<Vec<ProvisioningService>>, Error> {
        let services = self.fleet.azure.provisioning_services();
        // A list is read for many namespaces, so no visit to one of them is said to need it.
        let read = || async { Tally::default().of(services.in_subscription(subscription, generation)).await };
        self.lists.provisioning_services.get(&format!("{subscription} {generation}"), read).await
    }
}

/// The resource type of a DPS.
const SERVICES: &str = "Microsoft.Devices/provisioningServices";

/// The newest generation that a namespace has.
fn newest(namespace: &Namespace) -> Generation {
    if namespace.generation.has(Generation::CertificateAuthorities) {
        Generation::CertificateAuthorities
    } else {
        Generation::Credentials
    }
}

/// The links of a namespace to resources of one type.
fn links_to<'n>(namespace: &'n Namespace, resource_type: &'n str) -> impl Iterator<Item = &'n Link> {
    namespace.links.iter().filter(move |link| link.resource.is_of_type(resource_type))
}

/// The hubs that a namespace says it is linked to.
#[must_use]
pub fn named_hubs(namespace: &Namespace) -> Vec<Hub> {
    links_to(namespace, "Microsoft.Devices/IotHubs").map(|link| hub_of(link, namespace)).collect()
}

fn hub_of(link: &Link, namespace: &Namespace) -> Hub {
    let name = link.resource.name().to_owned();
    // The last host name is the one for devices.
    let own = link.host_names.last().cloned();
    Hub {
        host_name: own.unwrap_or_else(|| format!("{name}.azure-devices.net")),
        id: link.resource.clone(),
        name,
        namespace_id: Some(namespace.id.clone()),
    }
}

/// A DPS of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedService {
    /// Base URL of its service API.
    pub endpoint: String,
    /// Its name.
    pub name: String,
    /// Host names of its hubs; empty when they are not known.
    pub hubs: Vec<String>,
    /// Its ARM id; `None` for one that is named by its endpoint and not found in the scopes.
    pub id: Option<ArmId>,
    /// The generation of its namespace, which decides how its groups are read.
    pub generation: NamespaceGeneration,
}

impl LinkedService {
    /// In the second generation hubs are linked to the namespace, and its DPS allocate to all of them.
    fn within(mut self, namespace: &Namespace) -> Self {
        self.generation = namespace.generation;
        if self.hubs.is_empty() {
            self.hubs = named_hubs(namespace).into_iter().map(|hub| hub.host_name).collect();
        }
        self
    }

    /// Whether an event means this DPS: by name, host name, endpoint or ARM id, in any case.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
        host_label(last).eq_ignore_ascii_case(&self.name)
    }
}

impl From<&ProvisioningService> for LinkedService {
    fn from(service: &ProvisioningService) -> Self {
        Self {
            endpoint: service.endpoint.clone(),
            name: service.name.clone(),
            hubs: service.hubs.clone(),
            id: Some(service.id.clone()),
            generation: NamespaceGeneration::default(),
        }
    }
}

fn names_service(named: &str, service: &ProvisioningService) -> bool {
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    plain(named) == plain(&service.endpoint) || plain(named) == plain(service.id.as_str())
}

/// The name within a host name or endpoint: `https://contoso-dps.azure-devices-provisioning.net` is `contoso-dps`.
pub(crate) fn host_label(text: &str) -> String {
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
    last.split('.').next().unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_meant_by_any_of_its_names() {
        let service = LinkedService {
            endpoint: "https://e".into(),
            name: "contoso-dps".into(),
            hubs: vec![],
            id: None,
            generation: NamespaceGeneration::default(),
        };
        for text in [
            "contoso-dps",
            "CONTOSO-DPS",
            "contoso-dps.azure-devices-provisioning.net",
            "https://contoso-dps.azure-devices-provisioning.net/",
            "http://127.0.0.1:7/dps/contoso-dps",
            "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/CONTOSO-DPS",
        ] {
            assert!(service.is_named(text), "{text}");
        }
        assert!(!service.is_named("contoso-dps-2"));
    }
}
