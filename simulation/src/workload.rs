//! What people, pipelines and the service do while the app runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::host::{Host, QUEUE};
use crate::instance::Surroundings;
use crate::network::answer;
use crate::oracles::Event;
use crate::seed::Draws;
use crate::variation::{Part, Variation};
use crate::world::{Drawn, World};

/// How often a client sends a request again that was not taken.
const TRIES: usize = 3;

/// Something that is done.
#[derive(Debug, Clone)]
enum Deed {
    /// A pipeline submits a sync over HTTP.
    Submit(Value),
    /// A pipeline puts a request on the queue by itself.
    Send(Value),
    /// The service renews the issuing CA of a policy; its hubs are not told.
    Rotate { namespace: String, policy: String },
    /// A person creates an enrollment group.
    Create { service: String, group: String },
    /// A person changes the tags of a group.
    Retag { service: String, group: String },
    /// The platform takes an instance away.
    Kill,
}

/// All that is done in a play.
pub struct Workload {
    around: Surroundings,
    host: Arc<Host>,
    /// When, and by number.
    deeds: Vec<(Duration, usize, Deed)>,
    taken: Mutex<Vec<String>>,
}

impl Workload {
    /// Draws it; everything is done before `calm`.
    #[must_use]
    pub fn draw(around: &Surroundings, host: Arc<Host>, calm: Duration, variation: &Variation) -> Arc<Self> {
        let mut draws = around.seed.stream("workload");
        let count = draws.between(2, 14);
        let calm = u64::try_from(calm.as_millis()).unwrap_or(u64::MAX);
        let mut deeds: Vec<(Duration, Deed)> = (0..count)
            .filter_map(|number| {
                Some((draws.milliseconds(0, calm), deed(&mut draws, &around.world, number)?))
            })
            .collect();
        // Many at one time meet more than many over an hour.
        if draws.percent(30) {
            let together = draws.milliseconds(0, calm);
            deeds.iter_mut().for_each(|(at, _)| *at = together + *at / 200);
        }
        let numbered = deeds.into_iter().enumerate().map(|(number, (at, deed))| (at, number, deed));
        let deeds = numbered.filter(|(_, number, _)| variation.has(Part::Deed(*number))).collect();
        Arc::new(Self { around: around.clone(), host, deeds, taken: Mutex::default() })
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
            Deed::Rotate { namespace, policy } => {
                let before = network.azure.truth();
                if network.azure.rotate(&policy).is_ok() {
                    network.judge.see(&Event::TrustLost { namespace: &namespace, before: &before });
                }
            }
            Deed::Create { service, group } => self.write_group(&service, &group, "south").await,
            Deed::Retag { service, group } => self.write_group(&service, &group, "west").await,
            Deed::Kill => self.host.kill_any(),
        }
    }

    /// Writes a group as a person does, over whatever is there but for its policy.
    async fn write_group(&self, service: &str, group: &str, site: &str) {
        let truth = self.around.network.azure.truth();
        let mut groups = truth.iter().flat_map(|namespace| &namespace.groups);
        let known = groups.find(|known| known.service == service && known.id == group);
        let mut document = match known {
            Some(known) => Value::Object(known.rest.clone()),
            None => json!({"enrollmentGroupId": group, "attestation": {"type": "symmetricKey"}}),
        };
        document["initialTwin"] = json!({"tags": {"site": site}, "properties": {"desired": {}}});
        if let Some(policy) = known.and_then(|known| known.policy.as_ref()) {
            document["credentialPolicyName"] = policy.clone().into();
        }
        let path = format!("/dps/{service}/enrollmentGroups/{group}?api-version=2025-07-01-preview");
        let status = self.ask(Method::PUT, &path, None, &document).await;
        self.around.network.trace.line(format_args!("{service}/{group} is written: {status:?}"));
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

    fn take(&self, id: String) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }
}

impl Deed {
    fn told(&self) -> String {
        match self {
            Self::Submit(_) => "a request over HTTP".to_owned(),
            Self::Send(_) => "a request on the queue".to_owned(),
            Self::Rotate { policy, .. } => format!("a new issuing CA of {policy}"),
            Self::Create { service, group } => format!("a new group {service}/{group}"),
            Self::Retag { service, group } => format!("other tags for {service}/{group}"),
            Self::Kill => "an instance is taken away".to_owned(),
        }
    }
}

fn deed(draws: &mut Draws, world: &World, number: u64) -> Option<Deed> {
    let namespace = draws.pick(&world.namespaces)?.clone();
    let service = namespace.service.clone();
    Some(match draws.between(0, 99) {
        0..25 => Deed::Submit(request(draws, &namespace)),
        25..40 => Deed::Send(request(draws, &namespace)),
        40..65 => {
            let policy = namespace.policy_id(draws.pick(&namespace.policies)?);
            Deed::Rotate { namespace: namespace.id, policy }
        }
        65..85 => {
            let kind = if draws.percent(70) { "line" } else { "gate" };
            Deed::Create { service, group: format!("{kind}-new-{number}") }
        }
        // It may be one that does not exist, and is made then.
        85..92 => Deed::Retag { service, group: "line-0".to_owned() },
        _ => Deed::Kill,
    })
}

fn request(draws: &mut Draws, namespace: &Drawn) -> Value {
    let mut body = json!({"namespaceId": namespace.id});
    if draws.percent(30)
        && let Some(policy) = draws.pick(&namespace.policies)
    {
        body["policies"] = json!([policy]);
        body["allowWholeNamespace"] = draws.percent(70).into();
    }
    body
}
