//! Looks at the groups and the namespaces that a command is about, and remembers what could not be read.

use std::collections::HashMap;
use std::sync::Arc;

use azure::Group;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::Observation;
use certificate_management::plan::saved::Place;
use certificate_management::reason::failure::About;

use crate::application::Application;
use crate::failure;
use crate::observation::{LinkedService, Observer};

/// A look at the world, for the length of one command.
pub struct Survey<'a> {
    /// The app.
    pub application: &'a Application,
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
    /// Where its groups are.
    pub fn place(&self) -> Place<'_> {
        Place {
            configuration: self.configuration,
            provisioning_service: &self.linked.name,
            hubs: &self.linked.hubs,
        }
    }
}

impl<'a> Survey<'a> {
    /// A survey that has seen nothing yet.
    pub fn new(application: &'a Application) -> Self {
        Self {
            application,
            unreadable: Vec::new(),
            observer: Observer::new(application),
            observations: HashMap::new(),
        }
    }

    /// The DPS of every namespace; with a name, those of that name.
    pub async fn services(&mut self, name: Option<&str>) -> Vec<Service<'a>> {
        let mut found = Vec::new();
        for configuration in &self.application.configuration.namespaces {
            match self.observer.provisioning_services(configuration).await {
                Ok(services) => {
                    let wanted = |service: &LinkedService| name.is_none_or(|name| service.is_named(name));
                    let services = services.into_iter().filter(wanted);
                    found.extend(services.map(|linked| Service { configuration, linked }));
                }
                Err(error) => self.unreadable.push(format!("{}: {error}", configuration.id.name())),
            }
        }
        found
    }

    /// Every group of a DPS, in the order of their ids.
    pub async fn groups(&mut self, service: &Service<'_>) -> Vec<Group> {
        match self.application.azure.enrollment_groups().list(&service.linked.endpoint).await {
            Ok(mut groups) => {
                groups.sort_by_key(|group| group.view.id.to_ascii_lowercase());
                groups
            }
            Err(error) => {
                self.unreadable.push(unread(service, &error));
                Vec::new()
            }
        }
    }

    /// The groups of one id, on every DPS that has one.
    pub async fn named(&mut self, services: &[Service<'a>], id: &str) -> Vec<(Service<'a>, Group)> {
        let mut found = Vec::new();
        for service in services {
            match self.application.azure.enrollment_groups().get(&service.linked.endpoint, id).await {
                Ok(group) => found.extend(group.map(|group| (service.clone(), group))),
                Err(error) => self.unreadable.push(unread(service, &error)),
            }
        }
        found
    }

    /// The namespace, looked at once; `None` when it cannot be read.
    pub async fn observation(&mut self, configuration: &NamespaceConfiguration) -> Option<Arc<Observation>> {
        if let Some(known) = self.observations.get(&configuration.id.key()) {
            return known.clone();
        }
        let seen = match self.observer.namespace(configuration).await {
            Ok(observation) => Some(Arc::new(observation)),
            Err(error) => {
                self.unreadable.push(format!("{}: {error}", configuration.id.name()));
                None
            }
        };
        self.observations.insert(configuration.id.key(), seen.clone());
        seen
    }
}

fn unread(service: &Service<'_>, error: &azure::Error) -> String {
    let reason = failure::reason(error, About::EnrollmentGroup);
    format!("{}: {reason}: {error}", service.linked.name)
}
