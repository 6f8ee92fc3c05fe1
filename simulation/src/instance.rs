//! One process of the app: its functions behind the handler's own router, its clients and its clock. It can die at any await: then
//! everything that it was doing is dropped where it stands.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ambient::{Ambient, Randomness};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use azure::http::RetryPolicy;
use azure::http::transport::Transport;
use azure::{AccessToken, Azure, Cloud, Http, TokenSource};
use certificate_management::configuration::Configuration;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use policysync::application::{Application, Queues};
use policysync::deadlines::Deadlines;
use policysync::fleet::{Fleet, Outside};
use policysync::functions;
use policysync::in_hand::InHand;
use policysync::pace::Pace;
use policysync::serving::Serving;
use policysync::settings::Settings;
use serde_json::Value;
use state::Store;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::engine::Time;
use crate::network::{ADDRESS, Network};
use crate::records::Records;
use crate::sabotage::Sabotage;
use crate::seed::Seed;
use crate::wire::Wire;
use crate::world::{Unplayable, World};

/// What an instance finds when it starts.
#[derive(Clone)]
pub struct Surroundings {
    /// The world.
    pub world: Arc<World>,
    /// The time.
    pub time: Time,
    /// The way to Azure.
    pub network: Network,
    /// The records.
    pub records: Records,
    /// Where its randomness comes from.
    pub seed: Seed,
}

/// One life of one instance.
pub struct Instance {
    /// Its number, from 0.
    pub number: usize,
    /// Its way to Azure.
    pub wire: Wire,
    /// Whether it lives.
    pub life: Arc<Life>,
    service: TowerToHyperService<Router>,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With what the handler answered.
    Succeeded(Value),
    /// With the short reason that the host is told.
    Failed(String),
    /// The instance died before it had answered.
    Died,
}

impl Instance {
    /// Starts the life of this number of the instance `number`. Its clock is wrong by `skew`; after `polls` steps of its invocations
    /// it dies.
    ///
    /// # Errors
    /// When the drawn configuration cannot be used.
    pub fn start(
        around: &Surroundings,
        (number, life): (usize, u64),
        skew: time::Duration,
        polls: Option<u64>,
    ) -> Result<Self, Unplayable> {
        let wire = Wire::new(around.network.clone(), number);
        let randomness = Randomness::of_seed(around.seed.number(&format!("instance {number}, life {life}")));
        let ambient = Ambient { clock: around.time.clock(skew), randomness };
        let application = application(around, number, &wire, ambient)?;
        let router = functions::router(&Arc::new(Serving::File(Arc::new(application)))).into_service();
        let life = Arc::new(Life::of(polls));
        Ok(Self { number, wire, life, service: TowerToHyperService::new(router) })
    }

    /// Invokes a function.
    pub async fn invoke(&self, function: &str, id: &str, envelope: &Value) -> Ending {
        let request = Request::post(format!("/{function}"))
            .header(header::HOST, "127.0.0.1")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header("x-azure-functions-invocationid", id)
            .body(Body::from(envelope.to_string()));
        let Ok(request) = request else { return Ending::Failed("no request".to_owned()) };
        let service = self.service.clone();
        let work = async move {
            let Ok(response) = service.call(request).await;
            let status = response.status();
            // What is to happen once the answer is handed over happens when the body is read and dropped.
            let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            if status.is_success() {
                return Ending::Succeeded(answer);
            }
            let reason = answer["error"]["reason"].as_str().unwrap_or("no reason");
            Ending::Failed(reason.to_owned())
        };
        let task = tokio::spawn(Mortal { life: Arc::clone(&self.life), inner: Some(Box::pin(work)) });
        self.life.watch(task.abort_handle());
        task.await.ok().flatten().unwrap_or(Ending::Died)
    }
}

/// The app as its process makes it, but for the storage and the transport.
fn application(
    around: &Surroundings,
    number: usize,
    wire: &Wire,
    ambient: Ambient,
) -> Result<Application, Unplayable> {
    let unplayable = |error: &dyn std::fmt::Display| Unplayable(error.to_string());
    let (mut text, mut kill_switch) = (around.world.configuration.clone(), around.world.kill_switch);
    if around.network.sabotage == Some(Sabotage::IgnoresMode) {
        (text, kill_switch) = (text.replace("mode = \"audit\"", "mode = \"enforce\""), false);
    }
    let settings = settings(kill_switch)?;
    let configuration = Configuration::parse(&text).map_err(|error| unplayable(&error))?;
    let transport = Arc::new(wire.clone()) as Arc<dyn Transport>;
    let http = Http::over(transport, RetryPolicy::default(), ambient.clone());
    let cloud = Cloud::new(Some(ADDRESS)).map_err(|error| unplayable(&error))?;
    let azure = Azure::new(http, cloud, Arc::new(Token(around.time)));
    let queues = Queues::open(&settings.queues, &azure).map_err(|error| unplayable(&error))?;
    let backend = Arc::new(around.records.of(around.network.clone(), number));
    let store = Store::over(backend, "the records of a play", ambient.randomness.clone());
    let outside =
        Outside { azure: Some(azure), ambient, deadlines: Deadlines::default(), pace: Pace::default() };
    let fleet = Fleet::of(&settings.fleet, configuration, outside).map_err(|error| unplayable(&error))?;
    Ok(Application {
        fleet,
        store,
        queues: Arc::new(queues),
        in_hand: InHand::default(),
        signs_in: false,
        standing: None,
    })
}

fn settings(kill_switch: bool) -> Result<Settings, Unplayable> {
    let bus = format!(
        "Endpoint=sb://{}/servicebus;SharedAccessKeyName=root;SharedAccessKey=c2ltdWxhdG9y;UseDevelopmentEmulator=true",
        ADDRESS.trim_start_matches("http://")
    );
    let mut variables = BTreeMap::from([
        ("ServiceBusConnection".to_owned(), bus),
        ("POLICYSYNC_ARM_ENDPOINT".to_owned(), ADDRESS.to_owned()),
        ("POLICYSYNC_STATE".to_owned(), "memory".to_owned()),
    ]);
    if kill_switch {
        variables.insert("POLICYSYNC_MODE".to_owned(), "audit".to_owned());
    }
    Settings::from_variables(&variables).map_err(|error| Unplayable(error.to_string()))
}

/// A token whose claims name the identity of the app: `{"oid":"0a1b2c3d","appid":"policysync"}`.
const TOKEN: &str = "header.eyJvaWQiOiIwYTFiMmMzZCIsImFwcGlkIjoicG9saWN5c3luYyJ9.signature";

/// A token that is always good. What happens with tokens is tested below the transport.
struct Token(Time);

#[async_trait]
impl TokenSource for Token {
    async fn token(&self, _scope: &str) -> Result<AccessToken, azure::Error> {
        Ok(AccessToken::new(TOKEN, self.0.now() + time::Duration::hours(1)))
    }
}

/// Whether an instance lives, and for how long.
pub struct Life {
    state: Mutex<LifeState>,
    /// Told when it is over.
    died: Notify,
}

struct LifeState {
    polls_left: Option<u64>,
    is_over: bool,
    running: Vec<AbortHandle>,
}

impl Life {
    fn of(polls: Option<u64>) -> Self {
        let state = LifeState { polls_left: polls, is_over: false, running: Vec::new() };
        Self { state: Mutex::new(state), died: Notify::new() }
    }

    /// Ends it now, with everything that it is doing.
    pub fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        state.running.drain(..).for_each(|task| task.abort());
        drop(state);
        self.died.notify_one();
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// From now on it dies only when told to.
    pub fn spare(&self) {
        self.lock().polls_left = None;
    }

    /// Waits for its end.
    pub async fn over(&self) {
        while !self.is_over() {
            self.died.notified().await;
        }
    }

    fn watch(&self, task: AbortHandle) {
        let mut state = self.lock();
        if state.is_over {
            return task.abort();
        }
        state.running.retain(|running| !running.is_finished());
        state.running.push(task);
    }

    /// One step of an invocation that goes on. Answers whether it was the last.
    fn step(&self) -> bool {
        let mut state = self.lock();
        let is_last = match &mut state.polls_left {
            None => false,
            Some(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        };
        drop(state);
        if is_last {
            self.end();
        }
        is_last
    }

    fn lock(&self) -> MutexGuard<'_, LifeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation within a life; `None` when the life ends first.
struct Mortal<T> {
    life: Arc<Life>,
    inner: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T> Future for Mortal<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.life.is_over() {
            self.inner = None;
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        if let Poll::Ready(done) = inner.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if self.life.step() {
            self.inner = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}
