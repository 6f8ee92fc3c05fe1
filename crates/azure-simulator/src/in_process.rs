//! The simulated Azure as a whole, without a port: its holder hands it each request.

use std::fmt;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use trigger_sources::{EventGridSource, EventHubSource, QueueSource};

use super::arm_error::ArmError;
use super::clock::Clock;
use super::cloud::Cloud;
use super::control::{self, Control};
use super::device_endpoints::DeviceEndpoints;
use super::faults::Faults;
use super::front::{Front, NoAnswer};
use super::identity::{self, Tokens};
use super::log::Log;
use super::options::Options;
use super::service_bus::Queues;
use super::service_bus::rest::{self, Rest};
use super::throttle::Throttle;
use super::trouble::Trouble;
use super::truth::{self, NamespaceTruth};
use super::world::{ActionError, WorldError};
use super::{custom_topics, provisioning, resource_manager, start, storage};

/// A simulated Azure without sockets, tasks and a clock of its own. A simulation gives it the time, and awaits each answer.
///
/// By its seed it makes the same names and ids each time. Keys, thumbprints, lock tokens and the ids of answers differ from
/// run to run.
pub struct InProcess {
    clock: Clock,
    cloud: Arc<Cloud>,
    device_endpoints: Arc<DeviceEndpoints>,
    queues: Arc<Queues>,
    log: Arc<Log>,
    faults: Arc<Faults>,
    front: Arc<Front>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InProcess").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl InProcess {
    /// A cloud without a port; that of `options` does not count. `url`, without a slash at the end, is the address
    /// that its answers give as its own, for the addresses of operations, pages and provisioning services.
    ///
    /// # Errors
    /// When the fleet cannot be built.
    pub fn new(options: Options, url: &str) -> Result<Self, WorldError> {
        let clock = options.clock;
        let cloud = start::cloud(options.fleet, clock.clone(), options.seed)?;
        cloud.set_base_url(url.to_owned());
        let device_endpoints = Arc::new(DeviceEndpoints::new(clock.now())?);
        let queues = Queues::new(&options.queues, options.queue_settings, clock.clone());
        let log = Arc::new(Log::default());
        let faults = Arc::new(Faults::new(options.faults, options.seed));
        let tokens = Arc::new(Tokens::default());
        let control = Control {
            clock: clock.clone(),
            log: Arc::clone(&log),
            faults: Arc::clone(&faults),
            queues: Arc::clone(&queues),
            cloud: Arc::clone(&cloud),
            device_endpoints: Arc::clone(&device_endpoints),
        };
        let service_bus =
            Rest { queues: Arc::clone(&queues), clock: clock.clone(), base_url: Arc::from(url) };
        let endpoint = identity::Endpoint {
            tokens: Arc::clone(&tokens),
            clock: clock.clone(),
            user_assigned: options.user_assigned,
        };
        let services = Router::new()
            .merge(control::router(control))
            .merge(identity::router(endpoint))
            .merge(rest::router(service_bus))
            .merge(storage::router(clock.clone()))
            .merge(custom_topics::router(Arc::clone(cloud.feeds())))
            .merge(resource_manager::router(Arc::clone(&cloud)))
            .merge(provisioning::router(Arc::clone(&cloud)))
            .fallback(nothing_here);
        let front = Arc::new(Front {
            clock: clock.clone(),
            log: Arc::clone(&log),
            faults: Arc::clone(&faults),
            throttle: Throttle::new(options.limits),
            permissions: Arc::clone(cloud.permissions()),
            tokens,
            services: TowerToHyperService::new(services),
        });
        Ok(Self { clock, cloud, device_endpoints, queues, log, faults, front })
    }

    /// Answers one request, of which the path and not the host says which service it is for.
    ///
    /// # Errors
    /// When an installed fault closes the connection instead.
    pub async fn answer(&self, request: Request<Body>) -> Result<Response, NoAnswer> {
        self.front.answer(request).await
    }

    /// The clock of the whole cloud.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Pushes the clock forward and lets every waiting receiver look again.
    pub fn advance(&self, step: time::Duration) {
        self.clock.advance(step);
        self.queues.wake();
    }

    /// What exists, as `GET /simulator/state` shows it.
    #[must_use]
    pub fn state(&self) -> Value {
        control::state::state(&self.cloud, &self.device_endpoints)
    }

    /// What is true of each namespace now, whatever the services would answer.
    #[must_use]
    pub fn truth(&self) -> Vec<NamespaceTruth> {
        truth::of(&self.cloud)
    }

    /// A renewal of an issuing CA that the service does on its own. `id` is the ARM id of a credential policy, whose hubs
    /// stay untouched; or of a certificate authority or its policy, whose hubs get the new one by the service's push.
    ///
    /// # Errors
    /// When there is no such thing, when it has no issuing CA yet, or when it is a root.
    pub fn rotate(&self, id: &str) -> Result<(), ActionError> {
        self.cloud.rotate(id)
    }

    /// Makes trouble for the operation that runs on a resource, an ARM id in any case. Answers whether there is one.
    pub fn trouble(&self, resource_id: &str, trouble: Trouble) -> bool {
        self.cloud.trouble(resource_id, trouble)
    }

    /// Links a hub, by its name, to a namespace, as a person does.
    ///
    /// # Errors
    /// When one of them is not there, or the hub has a link.
    pub fn link(&self, hub: &str, namespace_id: &str) -> Result<(), ActionError> {
        self.cloud.lock().link_hub(hub, namespace_id)
    }

    /// Takes the link of a hub, by its name, away.
    ///
    /// # Errors
    /// When there is no such hub, or it has no link.
    pub fn unlink(&self, hub: &str) -> Result<(), ActionError> {
        self.cloud.lock().unlink_hub(hub)
    }

    /// The Service Bus queues, as the real host reaches them over AMQP.
    #[must_use]
    pub fn queues(&self) -> Arc<dyn QueueSource> {
        Arc::clone(&self.queues) as Arc<dyn QueueSource>
    }

    /// The event hub of the diagnostic records.
    #[must_use]
    pub fn event_hubs(&self) -> Arc<dyn EventHubSource> {
        Arc::clone(self.cloud.feeds()) as Arc<dyn EventHubSource>
    }

    /// The events of the one Event Grid subscription.
    #[must_use]
    pub fn event_grid(&self) -> Arc<dyn EventGridSource> {
        Arc::clone(self.cloud.feeds()) as Arc<dyn EventGridSource>
    }

    /// Every request so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The installed faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn front(&self) -> &Arc<Front> {
        &self.front
    }

    pub(crate) async fn open_device_endpoints(&self) -> io::Result<()> {
        self.device_endpoints.open(&self.cloud).await
    }
}

async fn nothing_here() -> ArmError {
    let message = "Nothing is at this path. There are /subscriptions/..., /dps/{name}/..., \
         /{idScope}/registrations/..., /servicebus/{queue}/messages, /storage/{container}, /identity, /eventgrid/{topic}/api/events and \
         /simulator.";
    ArmError::new(StatusCode::NOT_FOUND, "NotFound", message)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use time::OffsetDateTime;

    use super::*;
    use crate::fleet::Fleet;

    #[tokio::test]
    async fn without_a_socket_it_answers_by_the_clock_that_it_was_given() {
        let clock = Clock::over(|| OffsetDateTime::UNIX_EPOCH);
        let cloud = InProcess::new(Options { clock, ..Options::default() }, "http://azure.test").unwrap();
        let request = Request::get("/simulator/clock").body(Body::empty()).unwrap();
        let answer = cloud.answer(request).await.unwrap();
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("1970-01-01T00:00:00"), "{body:?}");
    }

    #[tokio::test]
    async fn the_truth_tells_which_hubs_have_the_current_ca_of_each_policy() {
        let cloud = InProcess::new(Options::default(), "http://azure.test").unwrap();
        let lacking = || {
            let truth = cloud.truth();
            let policies = truth[0].policies.iter();
            policies
                .filter(|policy| !policy.lacking.is_empty())
                .map(|policy| policy.name.clone())
                .collect::<Vec<_>>()
        };
        let before = lacking();
        let policy = &cloud.truth()[0].policies[0];
        assert!(!before.contains(&policy.name), "{before:?}");
        cloud.rotate(&policy.id).unwrap();
        assert!(lacking().contains(&policy.name));
    }

    #[tokio::test]
    async fn the_truth_knows_the_policies_of_both_generations_and_the_groups_that_name_them() {
        let fleet = Fleet::from_toml(include_str!("tests/both_generations.toml")).unwrap();
        let cloud = InProcess::new(Options { fleet, ..Options::default() }, "http://azure.test").unwrap();
        let truth = cloud.truth();
        let names: Vec<&str> = truth[0].policies.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!(names, ["default", "lines-ica/weekly"]);
        assert!(truth[0].policies.iter().all(|policy| policy.lacking.is_empty()));
        let named: Vec<Option<&str>> = truth[0].groups.iter().map(|group| group.policy.as_deref()).collect();
        assert_eq!(named, [Some("default"), Some("lines-ica/weekly"), None]);
        cloud.rotate(&truth[0].policies[1].id).unwrap();
        assert_eq!(cloud.truth()[0].policies[1].lacking, ["contoso-hub.azure-devices.net"]);
    }

    #[tokio::test]
    async fn a_hub_that_is_linked_lacks_what_it_was_not_given_and_is_the_services_own_until_it_is_unlinked() {
        let fleet = Fleet::from_toml(include_str!("tests/both_generations.toml")).unwrap();
        let cloud = InProcess::new(Options { fleet, ..Options::default() }, "http://azure.test").unwrap();
        let id = cloud.truth()[0].id.clone();
        cloud.link("spare-hub", &id).unwrap();
        cloud.link("spare-hub", &id).unwrap_err();
        let truth = &cloud.truth()[0];
        assert!(truth.policies.iter().all(|policy| policy.lacking == ["spare-hub.azure-devices.net"]));
        assert_eq!((truth.hubs.len(), truth.groups[2].hubs.len()), (2, 2));
        cloud.unlink("spare-hub").unwrap();
        cloud.unlink("spare-hub").unwrap_err();
        let truth = &cloud.truth()[0];
        assert!(truth.policies.iter().all(|policy| policy.lacking.is_empty()));
        assert_eq!((truth.hubs.len(), truth.groups[2].hubs.len()), (1, 1));
    }
}
