//! What people, pipelines and the service do while the app runs.

mod access;
mod deed;
mod groups;
mod plans;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::access::Missing;
use self::deed::Deed;
use crate::host::{Host, QUEUE};
use crate::network::answer;
use crate::oracles::Event;
use crate::surroundings::Surroundings;
use crate::variation::{Part, Variation};

/// How often a client sends a request again that was not taken.
const TRIES: usize = 3;

/// All that is done in a play.
pub struct Workload {
    around: Surroundings,
    host: Arc<Host>,
    /// When, and by number.
    deeds: Vec<(Duration, usize, Deed)>,
    taken: Mutex<Vec<String>>,
    missing: Mutex<Missing>,
}

impl Workload {
    /// Draws it; everything begins before `calm`.
    #[must_use]
    pub fn draw(around: &Surroundings, host: Arc<Host>, calm: Duration, variation: &Variation) -> Arc<Self> {
        let deeds = deed::draw(around.seed, &around.world, calm);
        let numbered = deeds.into_iter().enumerate().map(|(number, (at, deed))| (at, number, deed));
        let deeds = numbered.filter(|(_, number, _)| variation.has(Part::Deed(*number))).collect();
        Arc::new(Self {
            around: around.clone(),
            host,
            deeds,
            taken: Mutex::default(),
            missing: Mutex::default(),
        })
    }

    /// Does everything in its time.
    pub fn begin(self: &Arc<Self>) {
        for (at, number, deed) in self.deeds.clone() {
            let this = Arc::clone(self);
            tokio::spawn(async move {
                sleep(at).await;
                this.perform(number, deed).await;
            });
        }
    }

    /// The parts of a play that these deeds are.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        self.deeds.iter().map(|(_, number, _)| Part::Deed(*number)).collect()
    }

    /// The ids of the requests that were taken: by an answer, or by the queue.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn perform(&self, number: usize, deed: Deed) {
        let network = &self.around.network;
        network.trace.line(format_args!("deed {number}: {}", deed.told()));
        match deed {
            Deed::Submit(body) => {
                let id = format!("http-{number}");
                for _ in 0..TRIES {
                    let status = self.host.submit(&id, &body).await;
                    network
                        .trace
                        .line(format_args!("request {id} has {}", status.as_deref().unwrap_or("no answer")));
                    if status.as_deref() == Some("202") {
                        return self.take(id);
                    }
                    sleep(Duration::from_secs(5)).await;
                }
            }
            Deed::Send(body) => {
                let id = format!("queue-{number}");
                let mut message = body;
                message["schema"] = "sync-request/v1".into();
                message["requestId"] = id.clone().into();
                let path = format!("/servicebus/{QUEUE}/messages");
                let properties = ("BrokerProperties", json!({"MessageId": id}).to_string());
                if self.ask(Method::POST, &path, Some(properties), &message).await == Some(201) {
                    self.take(id);
                }
            }
            Deed::Rotate { namespace, policy, is_renewal } => {
                let before = network.azure.truth();
                let is_done = match is_renewal {
                    true => {
                        let body = json!({"id": policy});
                        self.ask(Method::POST, "/simulator/renew", None, &body).await == Some(200)
                    }
                    false => network.azure.rotate(&policy).is_ok(),
                };
                if is_done {
                    let (namespace, before, after) = (&namespace, &before, &network.azure.truth());
                    network.judge.see(&Event::TrustLost { namespace, before, after });
                }
            }
            Deed::SendWrong(body) => {
                let path = format!("/servicebus/{QUEUE}/messages");
                self.ask(Method::POST, &path, None, &body).await;
            }
            Deed::Create { service, group, told } => self.create_group((&service, &group), &told).await,
            Deed::Move { service, group, policy } => self.move_group(&service, &group, &policy).await,
            Deed::Delete { service, group } => self.delete_group(&service, &group).await,
            Deed::Retag { service, group } => self.write_group(&service, &group, "west").await,
            Deed::Kill => self.host.kill_any(),
            Deed::Switch { until } => self.switch(until).await,
            Deed::Replace(draws) => self.replace(draws).await,
            Deed::Break { until } => self.break_configuration(until).await,
            Deed::Plan { until, even_in_audit } => self.plan(number, until, even_in_audit).await,
            Deed::Revoke { role, until } => self.revoke(number, role, until).await,
            Deed::Hide { hub, until } => self.hide(number, &hub, until).await,
            Deed::Relink { namespace, hub, is_linked } => self.relink(&namespace, &hub, is_linked),
        }
    }

    /// A call that is not the app's: it meets no fault.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        header: Option<(&str, String)>,
        body: &Value,
    ) -> Option<u16> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer a-person")
            .header("content-type", "application/json");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.to_string())).ok()?;
        Some(answer(&self.around.network.azure, request).await?.status.as_u16())
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: String) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }
}
