//! One process of the app: its functions behind the handler's own router, its clients and its clock. It can die at any await: then
//! everything that it was doing is dropped where it stands.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ambient::{Ambient, Randomness};
use axum::Router;
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use policysync::functions;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::engine::Time;
use crate::process;
use crate::surroundings::{BEGAN, Surroundings};
use crate::world::Unplayable;

/// One life of one instance.
pub struct Instance {
    /// Its number, from 0.
    pub number: usize,
    /// Whether it lives.
    pub life: Arc<Life>,
    time: Time,
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
        let in_force = around.configured.in_force();
        let randomness = Randomness::of_seed(around.seed.number(&format!("instance {number}, life {life}")));
        let ambient = Ambient { clock: around.time.clock(skew), randomness };
        let serving = process::serving(around, (number, in_force), ambient)?;
        let router = functions::router(&Arc::new(serving)).into_service();
        let life = Arc::new(Life::of(polls));
        Ok(Self { number, life, time: around.time, service: TowerToHyperService::new(router) })
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
        let work = Box::pin(BEGAN.scope(self.time.since(), work));
        let task = tokio::spawn(Mortal { life: Arc::clone(&self.life), inner: Some(work) });
        self.life.watch(task.abort_handle());
        task.await.ok().flatten().unwrap_or(Ending::Died)
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
