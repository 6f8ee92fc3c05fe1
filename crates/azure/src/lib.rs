//! Clients for the parts of Azure that Policysync uses: Resource Manager, the device registry, IoT hubs, provisioning
//! services with their enrollment groups, Service Bus and identity.
//!
//! All of them share one HTTP client ([`http::Http`]), one rule about which hosts may see a token ([`cloud::Cloud`]),
//! one budget of calls ([`budget::Budget`]), the trace of the caller ([`trace::with_traceparent`]) and one error
//! ([`error::Error`]). They read the wire into the words of `certificate-management` and decide nothing.
#![warn(missing_docs)]

pub mod access;
mod access_token;
pub mod api_version;
pub mod arm;
mod authority;
pub mod budget;
mod caller;
pub mod cloud;
pub mod credential;
mod dates;
pub mod error;
pub mod event_grid;
pub mod http;
pub mod hubs;
pub mod links;
mod members;
mod pause;
pub mod permissions;
pub mod provisioning;
pub mod registry;
pub mod remembered;
pub mod secret;
pub mod service_bus;
pub mod subscriptions;
pub mod surprises;
pub mod trace;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod specs;

use std::fmt;
use std::sync::Arc;

use certificate_management::generation::NamespaceGeneration;

pub use access::{Access, Granted};
pub use arm::{Arm, LongRunningOperation, OperationStatus};
pub use budget::{BucketSnapshot, Budget, OperationKind, Scope};
pub use caller::caller;
pub use cloud::{Cloud, Service};
pub use credential::{AccessToken, Credential, TokenSource};
pub use error::{Error, ErrorKind, Sent};
pub use event_grid::{EventGridTopic, TopicConnection};
pub use http::Http;
pub use hubs::Hubs;
pub use links::Links;
pub use pause::LONGEST_PAUSE;
use provisioning::versions::OlderVersionGone;
pub use provisioning::{
    AssignError, Assigned, CreateError, EnrollmentGroups, Group, ProvisioningServices, RawGroup,
};
use registry::offered::Offers;
pub use registry::{DeviceRegistry, OwnAuthority};
pub use service_bus::{LockedMessage, OutgoingMessage, QueueReceiver, QueueSender, ServiceBusConnection};
pub use subscriptions::Subscriptions;
pub use surprises::{Surprise, Surprises};

/// Every client of one cloud and one identity, all within one budget. Cheap to make and to clone; making it does no I/O.
///
/// A process should make one and clone it: Azure counts calls by identity, so two budgets would each spend the whole.
#[derive(Clone)]
pub struct Azure {
    http: Http,
    cloud: Arc<Cloud>,
    tokens: Credential,
    budget: Budget,
    offers: Offers,
    surprises: Surprises,
    older_gone: OlderVersionGone,
}

impl Azure {
    /// The clients of `cloud`, with `tokens`, over `http`.
    #[must_use]
    pub fn new(http: Http, cloud: Cloud, tokens: Credential) -> Self {
        Self {
            http,
            cloud: Arc::new(cloud),
            tokens,
            budget: Budget::new(),
            offers: Offers::default(),
            surprises: Surprises::default(),
            older_gone: OlderVersionGone::default(),
        }
    }

    /// The cloud that these clients talk to.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The source of tokens.
    #[must_use]
    pub fn tokens(&self) -> &Credential {
        &self.tokens
    }

    /// The budget of its clients; [`Budget::snapshot`] is for metrics.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Resource Manager itself.
    #[must_use]
    pub fn arm(&self) -> Arm {
        Arm::new(self.http.clone(), self.cloud.clone(), self.tokens.clone()).with_budget(self.budget.clone())
    }

    /// The caller's own permissions.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::new(self.arm())
    }

    /// Both sides of links.
    #[must_use]
    pub fn links(&self) -> Links {
        Links::new(self.arm())
    }

    /// Namespaces, policies and syncs.
    #[must_use]
    pub fn registry(&self) -> DeviceRegistry {
        DeviceRegistry::new(self.arm()).remembering(self.offers.clone(), self.surprises.clone())
    }

    /// The subscriptions that the caller can see.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        Subscriptions::new(self.arm())
    }

    /// Hubs and their certificates.
    #[must_use]
    pub fn hubs(&self) -> Hubs {
        Hubs::new(self.arm()).counting(self.surprises.clone())
    }

    /// Provisioning services as Resource Manager shows them.
    #[must_use]
    pub fn provisioning_services(&self) -> ProvisioningServices {
        ProvisioningServices::new(self.arm())
    }

    /// Enrollment groups of the provisioning services of namespaces of a generation. A version of the service API hides
    /// the references of the other generation, so the client reads groups with one version or with both.
    #[must_use]
    pub fn enrollment_groups(&self, generation: NamespaceGeneration) -> EnrollmentGroups {
        EnrollmentGroups::new(self.http.clone(), self.cloud.clone(), self.tokens.clone())
            .with_budget(self.budget.clone())
            .knowing(self.older_gone.clone())
            .of(generation)
    }

    /// The members and values that the service sent and this version does not know, since the process started; for a
    /// metric and a finding.
    #[must_use]
    pub fn surprises(&self) -> Vec<Surprise> {
        self.surprises.snapshot()
    }

    /// A sender to a queue.
    ///
    /// # Errors
    /// As [`QueueSender::new`].
    pub fn queue(&self, connection: &ServiceBusConnection, queue: &str) -> Result<QueueSender, Error> {
        QueueSender::new(self.http.clone(), self.cloud.clone(), self.tokens.clone(), connection, queue)
    }

    /// A publisher to an Event Grid custom topic.
    ///
    /// # Errors
    /// As [`EventGridTopic::new`].
    pub fn topic(&self, connection: TopicConnection) -> Result<EventGridTopic, Error> {
        EventGridTopic::new(self.http.clone(), self.cloud.clone(), self.tokens.clone(), connection)
    }

    /// A receiver from a queue.
    ///
    /// # Errors
    /// As [`QueueReceiver::new`].
    pub fn queue_receiver(
        &self,
        connection: &ServiceBusConnection,
        queue: &str,
    ) -> Result<QueueReceiver, Error> {
        QueueReceiver::new(self.http.clone(), self.cloud.clone(), self.tokens.clone(), connection, queue)
    }

    /// Receives from the dead letters of one queue, for a person who looks at them.
    ///
    /// # Errors
    /// As [`QueueReceiver::dead_letters`].
    pub fn dead_letter_receiver(
        &self,
        connection: &ServiceBusConnection,
        queue: &str,
    ) -> Result<QueueReceiver, Error> {
        let (http, cloud, tokens) = (self.http.clone(), self.cloud.clone(), self.tokens.clone());
        QueueReceiver::dead_letters(http, cloud, tokens, connection, queue)
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure").field("cloud", &self.cloud.arm_endpoint.as_str()).finish_non_exhaustive()
    }
}
