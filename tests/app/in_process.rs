//! The app in this process, against a simulated Azure: tests call batches and reports directly, and control the queue
//! and the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration as Wait;

use ambient::{Ambient, Clock, Randomness};
use async_trait::async_trait;
use azure::http::RetryPolicy;
use azure::http::transport::Transport;
use azure::{AccessToken, Azure, Cloud, Error, Http, TokenSource};
use azure_simulator::faults;
use azure_simulator::{Options, Simulator};
use certificate_management::request::{RequestRecord, SyncRequest};
use certificate_management::sync::SyncRecord;
use policysync::application::Application;
use policysync::commands::laptop::local_world::{DEFAULT_CONFIGURATION, Schedules, app_settings};
use policysync::deadlines::Deadlines;
use policysync::fleet::Outside;
use policysync::settings::Settings;
use policysync::synchronization::batch::{self, Handled};
use policysync::synchronization::received::Received;
use policysync::synchronization::records;
use policysync::walk::Pace;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Messages of one batch, as `host.json` has it.
const BATCH: usize = 16;
/// Most batches. After that many, something goes round in circles.
const MOST_BATCHES: usize = 400;

/// Lets everybody into the simulated Azure.
pub struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self, _scope: &str) -> Result<AccessToken, Error> {
        Ok(AccessToken::new("operator", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

pub struct InProcess {
    pub simulator: Simulator,
    pub application: Application,
    configuration: String,
    ambient: Ambient,
    /// How many seconds the clock of the app is ahead.
    ahead: Arc<AtomicI64>,
    deadlines: Deadlines,
    pace: Pace,
}

impl InProcess {
    /// The default fleet with the default rules.
    pub async fn start() -> Self {
        Self::of(Options::default(), DEFAULT_CONFIGURATION).await
    }

    /// A simulated Azure, and a configuration for it.
    pub async fn of(options: Options, configuration: &str) -> Self {
        let ahead: Arc<AtomicI64> = Arc::default();
        let moved = Arc::clone(&ahead);
        let now = move || OffsetDateTime::now_utc() + Duration::seconds(moved.load(Ordering::Relaxed));
        let ambient = Ambient { clock: Clock::of(now), randomness: Randomness::of_system() };
        Self { ahead, ..Self::within(ambient, options, configuration).await }
    }

    /// The same by a clock and a randomness that the test has made.
    pub async fn within(ambient: Ambient, options: Options, configuration: &str) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let (deadlines, pace) = (Deadlines::default(), Pace::default());
        let http = Http::shared(ambient.clone()).unwrap();
        let application = instance(&simulator, configuration, &ambient, (deadlines, pace), &[], http);
        let (configuration, ahead) = (configuration.to_owned(), Arc::default());
        Self { simulator, application, configuration, ambient, ahead, deadlines, pace }
    }

    /// Starts the app again, with these deadlines for a batch.
    pub fn hurry(&mut self, deadlines: Deadlines) {
        self.deadlines = deadlines;
        self.restart(&[]);
    }

    /// Starts the app again, with this pace of a walk.
    pub fn walk_at(&mut self, pace: Pace) {
        self.pace = pace;
        self.restart(&[]);
    }

    /// Stops the app as it is, and starts it again with further settings. The records and the queue stay.
    pub fn restart(&mut self, settings: &[(&str, &str)]) {
        self.begin(settings, Http::shared(self.ambient.clone()).unwrap());
    }

    /// The same with another way for its calls to Azure; the records have their own.
    pub fn restart_over(&mut self, transport: Arc<dyn Transport>) {
        self.begin(&[], Http::over(transport, RetryPolicy::default(), self.ambient.clone()));
    }

    /// The same with another configuration.
    pub fn reconfigure(&mut self, configuration: &str) {
        configuration.clone_into(&mut self.configuration);
        self.restart(&[]);
    }

    fn begin(&mut self, settings: &[(&str, &str)], http: Http) {
        let limits = (self.deadlines, self.pace);
        self.application =
            instance(&self.simulator, &self.configuration, &self.ambient, limits, settings, http);
    }

    /// Moves the clock of the app.
    pub fn later(&self, by: Duration) {
        self.ahead.fetch_add(by.whole_seconds(), Ordering::Relaxed);
    }

    /// Installs these faults in place of all others.
    pub fn faults(&self, faults: &Value) {
        self.simulator.faults().replace(faults::read(&json!({"faults": faults})).unwrap());
    }

    /// A request for the namespace of that number, with these members beside it.
    pub fn request(&self, namespace: usize, id: &str, members: &Value) -> SyncRequest {
        let mut body = json!({"namespaceId": self.application.fleet.configuration.namespaces[namespace].id});
        let members = members.as_object().into_iter().flatten();
        body.as_object_mut().unwrap().extend(members.map(|(name, value)| (name.clone(), value.clone())));
        SyncRequest::from_submission(&body.to_string(), id).unwrap()
    }

    /// Lets the service renew the issuing CAs of a namespace.
    pub async fn rotate(&self, namespace: usize) {
        let id = self.application.fleet.configuration.namespaces[namespace].id.to_string();
        let state = self.simulator.state();
        let namespaces = state["namespaces"].as_array().unwrap();
        let of = |namespace: &&Value| namespace["id"].as_str().unwrap().eq_ignore_ascii_case(&id);
        let policies = &namespaces.iter().find(of).unwrap()["policies"];
        for policy in policies.as_array().unwrap() {
            let url = format!("{}/simulator/rotate", self.simulator.url());
            let answer = reqwest::Client::new().post(url).json(&json!({"policyId": policy})).send().await;
            assert!(answer.unwrap().status().is_success());
        }
    }

    /// Handles messages as a batch that must not come again.
    pub async fn handle(&self, messages: Vec<Received>) -> Handled {
        batch::handle(&self.application, messages).await.unwrap()
    }

    /// Delivers a batch of the messages that are due. `None`: no message is due.
    pub async fn deliver_once(&self) -> Option<Result<Handled, batch::BatchError>> {
        let queues = self.simulator.queues();
        let locked = queues.receive("sync-requests", BATCH, Wait::ZERO).await;
        if locked.is_empty() {
            return None;
        }
        let received = locked
            .iter()
            .map(|message| Received {
                message_id: Some(message.message_id.clone()),
                text: String::from_utf8(message.body.clone()).unwrap(),
            })
            .collect();
        let handled = batch::handle(&self.application, received).await;
        for message in &locked {
            let is_settled = match &handled {
                Ok(_) => queues.complete("sync-requests", &message.lock_token).await,
                Err(_) => queues.abandon("sync-requests", &message.lock_token).await,
            };
            assert!(is_settled, "a lock was lost");
        }
        Some(handled)
    }

    /// Delivers every message on the queue and every message that follows from it, until the queue is empty. `pace`
    /// passes between two batches.
    pub async fn deliver(&self, pace: Duration) {
        for _ in 0..MOST_BATCHES {
            match self.deliver_once().await {
                Some(_) => self.later(pace),
                None if self.is_empty("sync-requests").await => return,
                None => self.simulator.advance(Duration::minutes(1)),
            }
        }
        panic!("messages follow from messages without end");
    }

    /// Delivers so many batches, whenever they are due, or fewer when the queue is empty; answers the result of each.
    pub async fn deliver_batches(&self, count: usize) -> Vec<Result<Handled, batch::BatchError>> {
        let mut handled = Vec::new();
        while handled.len() < count && !self.is_empty("sync-requests").await {
            match self.deliver_once().await {
                Some(done) => handled.push(done),
                None => self.simulator.advance(Duration::minutes(1)),
            }
        }
        handled
    }

    async fn counts(&self, queue: &str) -> Value {
        let url = format!("{}/simulator/queues", self.simulator.url());
        let counts: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        counts[queue].clone()
    }

    async fn is_empty(&self, queue: &str) -> bool {
        let counts = self.counts(queue).await;
        ["active", "scheduled", "locked"].iter().all(|kind| counts[kind] == 0)
    }

    /// How many messages of the queue of requests were dead-lettered.
    pub async fn dead_letters(&self) -> u64 {
        self.counts("sync-requests").await["deadLettered"].as_u64().unwrap()
    }

    /// The bodies of the messages on a queue, without touching them.
    pub async fn on_queue(&self, queue: &str) -> Vec<Value> {
        let url = format!("{}/simulator/queues/{queue}/messages", self.simulator.url());
        let messages: Vec<Value> = reqwest::get(url).await.unwrap().json().await.unwrap();
        messages
            .into_iter()
            .map(|message| serde_json::from_str(message["body"].as_str().unwrap()).unwrap())
            .collect()
    }

    /// The statuses that the POSTs of syncs were answered with; `None` for an answer that never came.
    pub fn posts(&self) -> Vec<Option<u16>> {
        let entries = self.simulator.log().entries();
        entries
            .iter()
            .filter(|entry| entry.path.ends_with("/synchronize"))
            .map(|entry| entry.status)
            .collect()
    }

    /// The record of a request.
    pub async fn record(&self, id: &str) -> RequestRecord {
        records::request(&self.application.store, id).await.unwrap().unwrap()
    }

    /// The outcome of a request, in words.
    pub async fn outcome(&self, id: &str) -> (String, Option<&'static str>) {
        let record = self.record(id).await;
        (record.outcome.to_string(), record.reason.map(certificate_management::reason::Reason::code))
    }

    /// The record of the sync of the namespace of that number.
    pub async fn sync(&self, namespace: usize) -> SyncRecord {
        let id = &self.application.fleet.configuration.namespaces[namespace].id;
        records::sync(&self.application.store, id).await.unwrap().unwrap().value
    }
}

/// Requests as they come from the queue.
pub fn received(requests: &[SyncRequest]) -> Vec<Received> {
    let message = |request: &SyncRequest| text(&request.request_id, json!(request).to_string());
    requests.iter().map(message).collect()
}

/// A message with this text.
pub fn text(id: &str, text: impl Into<String>) -> Received {
    Received { message_id: Some(id.to_owned()), text: text.into() }
}

fn instance(
    simulator: &Simulator,
    configuration: &str,
    ambient: &Ambient,
    (deadlines, pace): (Deadlines, Pace),
    settings: &[(&str, &str)],
    http: Http,
) -> Application {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policysync.toml");
    std::fs::write(&path, configuration).unwrap();
    let mut variables = app_settings(simulator.url(), Schedules::default());
    variables.insert("POLICYSYNC_CONFIG".to_owned(), path.to_str().unwrap().to_owned());
    variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let azure = Some(Azure::new(http, Cloud::new(Some(simulator.url())).unwrap(), Arc::new(AnyToken)));
    let outside = Outside { azure, ambient: ambient.clone(), deadlines, pace };
    Application::start(&Settings::from_variables(&variables).unwrap(), outside).unwrap()
}
