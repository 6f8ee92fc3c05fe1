//! Looks at the groups and the namespaces that a command is about, and remembers what could not be read.

use std::collections::HashMap;
use std::sync::Arc;

use azure::Group;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::Inventory;
use certificate_management::plan::Observation;
use certificate_management::plan::saved::Place;
use certificate_management::reason::failure::About;

use crate::fleet::Fleet;
use crate::observation::{LinkedService, Observer, soon};
use crate::walk::{GroupHint, Pace, Scope, Unread, Visit, VisitedService, walk};
use crate::{authorities, failure};

/// A look at the world, for the length of one command.
pub struct Survey<'a> {
    /// The app.
    pub fleet: &'a Fleet,
    /// What could not be read, each as a sentence.
    pub unreadable: Vec<String>,
    observer: Observer<'a>,
    observations: HashMap<String, Option<Arc<Observation>>>,
}

/// A DPS of a configured namespace.
#[derive(Debug, Clone)]
pub struct Service<'a> {
    /// Its namespace.
    pub configuration: &'a NamespaceConfiguration,
    /// The DPS.
    pub linked: LinkedService,
}

impl Service<'_> {
    /// The place of its groups.
    pub fn place(&self) -> Place<'_> {
        Place {
            configuration: self.configuration,
            provisioning_service: &self.linked.name,
            hubs: &self.linked.hubs,
        }
    }
}

impl<'a> Survey<'a> {
    /// A survey that has read nothing yet.
    pub fn new(fleet: &'a Fleet) -> Self {
        Self { fleet, unreadable: Vec::new(), observer: Observer::new(fleet), observations: HashMap::new() }
    }

    /// The DPS of every namespace; with a name, those of that name.
    pub async fn services(&mut self, name: Option<&str>) -> Vec<Service<'a>> {
        let seen = self.visit(&Scope::Services(name.map(str::to_owned))).await;
        seen.into_iter().map(|(service, _)| service).collect()
    }

    /// The same with every group of each, in the order of their ids.
    pub async fn every_group(&mut self, name: Option<&str>) -> Vec<(Service<'a>, Vec<Group>)> {
        self.visit(&Scope::Every(name.map(str::to_owned))).await
    }

    /// Each DPS that may have a group of this id, with the group where it has one.
    pub async fn named(&mut self, name: Option<&str>, id: &str) -> Vec<(Service<'a>, Option<Group>)> {
        let hint =
            GroupHint { provisioning_service: name.map(str::to_owned), enrollment_group: id.to_owned() };
        let seen = self.visit(&Scope::Groups(vec![hint])).await;
        seen.into_iter().map(|(service, groups)| (service, groups.into_iter().next())).collect()
    }

    async fn visit(&mut self, scope: &Scope) -> Vec<(Service<'a>, Vec<Group>)> {
        let namespaces: Vec<_> = self.fleet.configuration.namespaces.iter().collect();
        let pace = Pace::of_a_command();
        let each = |visit: Visit<'a>| std::future::ready(visit);
        let walked = walk(self.fleet, &self.observer, &namespaces, scope, pace, None, each).await;
        let mut found = Vec::new();
        for visit in walked.into_iter().filter_map(|(_, visit)| visit) {
            let configuration = visit.configuration;
            let services = match visit.services {
                Ok(services) => services,
                Err(error) => {
                    self.unreadable.push(unreadable_of(configuration, &error));
                    continue;
                }
            };
            for VisitedService { service: linked, groups, unread } in services {
                self.unreadable.extend(unread.iter().map(|unread| unreadable(&linked, unread)));
                found.push((Service { configuration, linked }, groups));
            }
        }
        found
    }

    /// What a namespace has of what the file declares; `None` where it declares nothing, and when it cannot be read.
    pub async fn inventory(&mut self, configuration: &NamespaceConfiguration) -> Option<Inventory> {
        if !configuration.declares_something() {
            return None;
        }
        let read = authorities::inventory(self.fleet, configuration).await;
        read.map_err(|error| self.unreadable.push(unreadable_of(configuration, &error))).ok()
    }

    /// The observation of the namespace, which is made once; `None` when it cannot be read.
    pub async fn observation(&mut self, configuration: &NamespaceConfiguration) -> Option<Arc<Observation>> {
        if let Some(known) = self.observations.get(&configuration.id.key()) {
            return known.clone();
        }
        let seen = match self.observer.namespace(configuration, soon()).await {
            Ok(observation) => Some(Arc::new(observation)),
            Err(error) => {
                self.unreadable.push(unreadable_of(configuration, &error));
                None
            }
        };
        self.observations.insert(configuration.id.key(), seen.clone());
        seen
    }
}

fn unreadable_of(configuration: &NamespaceConfiguration, error: &azure::Error) -> String {
    format!("{}: {error}", configuration.id.name())
}

fn unreadable(service: &LinkedService, Unread { error, .. }: &Unread) -> String {
    let reason = failure::reason(error, About::EnrollmentGroup);
    format!("{}: {reason}: {error}", service.name)
}
