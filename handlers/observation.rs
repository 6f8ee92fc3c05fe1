//! Looking at the world: one namespace at a time, with the reads that several namespaces need done once.

pub mod failure;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use azure::Error;
use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::model::{EnrollmentGroup, Hub, ProvisioningService};
use certificate_management::plan::{Observation, ObservedHub};
use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

use crate::application::Application;

/// How many hubs are read at once. ARM refills 25 reads a second (`azure-wire-facts.md` §7).
const HUBS_AT_ONCE: usize = 8;

type Shared<T> = Mutex<HashMap<String, Arc<OnceCell<Arc<Vec<T>>>>>>;

/// Reads for the length of one invocation: what is listed per subscription is listed once.
pub struct Observer<'a> {
    application: &'a Application,
    hubs: Shared<Hub>,
    provisioning_services: Shared<ProvisioningService>,
    enrollment_groups: Shared<EnrollmentGroup>,
}

impl<'a> Observer<'a> {
    /// An observer that has seen nothing yet.
    #[must_use]
    pub fn new(application: &'a Application) -> Self {
        Self {
            application,
            hubs: Mutex::default(),
            provisioning_services: Mutex::default(),
            enrollment_groups: Mutex::default(),
        }
    }

    /// The namespace, its policies, its linked hubs and their certificates, as they are now.
    ///
    /// # Errors
    /// When the namespace, its policies or the list of hubs cannot be read. A hub whose certificates cannot be read
    /// is part of the observation instead.
    pub async fn namespace(&self, configuration: &NamespaceConfiguration) -> Result<Observation, Error> {
        let registry = self.application.azure.registry();
        let (namespace, policies, hubs) = futures::try_join!(
            registry.namespace(&configuration.id),
            registry.policies(&configuration.id),
            self.linked_hubs(configuration)
        )?;
        let reads: Vec<_> = hubs.into_iter().map(|hub| self.observe_hub(hub)).collect();
        let hubs = stream::iter(reads).buffered(HUBS_AT_ONCE).collect().await;
        Ok(Observation { namespace, policies, hubs, seen_at: self.application.now() })
    }

    async fn observe_hub(&self, hub: Hub) -> ObservedHub {
        let certificates = self.application.azure.hubs().certificates(&hub.id).await;
        ObservedHub { hub, certificates: certificates.map_err(|error| failure::of(&error)) }
    }

    /// The hubs in the configured scopes that are linked to the namespace.
    async fn linked_hubs(&self, configuration: &NamespaceConfiguration) -> Result<Vec<Hub>, Error> {
        let mut linked = Vec::new();
        for subscription in configuration.subscriptions() {
            let hubs = self.hubs_of(&subscription).await?;
            linked.extend(
                hubs.iter().filter(|hub| hub.namespace_id.as_ref() == Some(&configuration.id)).cloned(),
            );
        }
        Ok(linked)
    }

    /// Every hub of a subscription.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn hubs_of(&self, subscription: &str) -> Result<Arc<Vec<Hub>>, Error> {
        let hubs = self.application.azure.hubs();
        let cell = once(&self.hubs, subscription);
        cell.get_or_try_init(|| async { hubs.in_subscription(subscription).await.map(Arc::new) })
            .await
            .cloned()
    }

    /// The DPS of a namespace, as the configuration names them: by endpoint, or by ARM id.
    ///
    /// A DPS that is named by its endpoint and is not found in the scopes is used all the same; then the hubs that
    /// it allocates to are not known.
    ///
    /// # Errors
    /// When a DPS that is named by its ARM id, or the list, cannot be read.
    pub async fn provisioning_services(
        &self,
        configuration: &NamespaceConfiguration,
    ) -> Result<Vec<LinkedService>, Error> {
        let mut found = Vec::new();
        for subscription in configuration.subscriptions() {
            let services = self.application.azure.provisioning_services();
            let cell = once(&self.provisioning_services, &subscription);
            let read = || async { services.in_subscription(&subscription).await.map(Arc::new) };
            found.push(cell.get_or_try_init(read).await.cloned()?);
        }
        let known = || found.iter().flat_map(|services| services.iter());
        let mut services = Vec::new();
        for named in &configuration.provisioning_services {
            let listed = known().find(|service| names_service(named, service));
            let service = match (listed, ArmId::parse(named)) {
                (Some(service), _) => LinkedService::from(service),
                (None, Ok(id)) => {
                    LinkedService::from(&self.application.azure.provisioning_services().get(&id).await?)
                }
                (None, Err(_)) => {
                    LinkedService { endpoint: named.clone(), name: host_label(named), hubs: Vec::new() }
                }
            };
            services.push(service);
        }
        Ok(services)
    }

    /// Every enrollment group of a DPS. Namespaces can share one.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn enrollment_groups(&self, endpoint: &str) -> Result<Arc<Vec<EnrollmentGroup>>, Error> {
        let groups = self.application.azure.enrollment_groups();
        let read = || async {
            let groups = groups.list(endpoint).await?;
            Ok(Arc::new(groups.into_iter().map(|group| group.view).collect()))
        };
        once(&self.enrollment_groups, endpoint).get_or_try_init(read).await.cloned()
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
}

impl LinkedService {
    /// Whether an event means this DPS: by name, host name, endpoint or ARM id, in any case.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
        host_label(last).eq_ignore_ascii_case(&self.name)
    }
}

impl From<&ProvisioningService> for LinkedService {
    fn from(service: &ProvisioningService) -> Self {
        Self { endpoint: service.endpoint.clone(), name: service.name.clone(), hubs: service.hubs.clone() }
    }
}

fn names_service(named: &str, service: &ProvisioningService) -> bool {
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    plain(named) == plain(&service.endpoint) || plain(named) == plain(service.id.as_str())
}

/// The name within a host name or endpoint: `https://contoso-dps.azure-devices-provisioning.net` is `contoso-dps`.
fn host_label(text: &str) -> String {
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
    last.split('.').next().unwrap_or(last).to_owned()
}

fn once<T>(shared: &Shared<T>, key: &str) -> Arc<OnceCell<Arc<Vec<T>>>> {
    let mut cells = shared.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cells.entry(key.to_ascii_lowercase()).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_meant_by_any_of_its_names() {
        let service =
            LinkedService { endpoint: "https://e".into(), name: "contoso-dps".into(), hubs: vec![] };
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
