//! The network as one instance has it: takes its calls to the simulated Azure, and puts faults in. A call that is under way arrives even when
//! its caller has died.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use azure::http::transport::{Incoming, Outgoing, Transport, TransportFailure};
use azure::{ErrorKind, Sent};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::header::{CONTENT_LENGTH, IF_MATCH, RETRY_AFTER};
use http::{HeaderValue, Method, Request, StatusCode};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::answers::{Answer, Question};
use crate::configured::InForce;
use crate::fault::Fault;
use crate::message;
use crate::network::Network;
use crate::oracles::{Call, Event, is_message};
use crate::sabotage::Sabotage;
use crate::site::Site;
use crate::surroundings::BEGAN;

/// The network of one instance.
#[derive(Clone)]
pub struct Wire {
    network: Network,
    instance: usize,
    in_force: Arc<InForce>,
}

/// What arrives at the caller.
enum Arrival {
    Whole(Answer),
    /// The connection breaks within the body.
    Cut(Answer),
    /// There is no answer, and the request may have been carried out.
    Broken,
}

impl Wire {
    /// The network as a life of the instance of this number has it, which works by this configuration.
    #[must_use]
    pub fn new(network: Network, instance: usize, in_force: Arc<InForce>) -> Self {
        Self { network, instance, in_force }
    }

    /// One call from its sending to what arrives of it.
    async fn call(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let Network { faults, trace, judge, .. } = &self.network;
        let path = request.url.path().to_owned();
        let question = Question::of(&request);
        let site = Site::of_call(&request.method, &path);
        let site = if question.is_next_page() { site.next_page() } else { site };
        let method = request.method.clone();
        let began = BEGAN.try_with(|began| *began).unwrap_or_default();
        let is_permitted = self.in_force.permits(&path, began);
        let (number, instance) = (self.network.number(), self.instance);
        let call = Call { number, instance, method, path, site, is_permitted };
        let fault = faults.strike(&call.site, |fault| self.fits(fault, &request));
        let told = fault.map(|fault| format!(", {}", fault.name())).unwrap_or_default();
        trace.line(format_args!(
            "instance {}: call {}: {} {}{told}",
            call.instance, call.number, call.method, call.path
        ));
        judge.see(&Event::Sent { call: &call, truth: &self.network.truth(&call) });
        let arrived = self.arrival(&call, (question, fault), request).await;
        let (status, is_sent) = match &arrived {
            Ok(incoming) => (Some(incoming.status.as_u16()), true),
            Err(failure) => (None, failure.sent != Sent::No),
        };
        let shown = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        trace.line(format_args!("call {} has {shown}", call.number));
        judge.see(&Event::Answered { call: &call, status, is_sent });
        arrived
    }

    async fn arrival(
        &self,
        call: &Call,
        (question, fault): (Question, Option<Fault>),
        mut request: Outgoing,
    ) -> Result<Incoming, TransportFailure> {
        let network = &self.network;
        let after = |least, most| Duration::from_millis(network.draw(&call.site, least, most));
        let refusal = match fault {
            Some(Fault::Refused) => {
                sleep(after(1, 3_000)).await;
                return Err(failure(Sent::No, "the connection is refused"));
            }
            Some(Fault::Broken) if network.draw(&call.site, 0, 1) == 0 => {
                Some(Answer::made_up(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"))
            }
            Some(Fault::Broken) => {
                Some(Answer::made_up(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"))
            }
            Some(Fault::Unauthorized) => {
                Some(Answer::made_up(StatusCode::UNAUTHORIZED, "ExpiredAuthenticationToken"))
            }
            Some(Fault::Throttled | Fault::ThrottledInSilence) => {
                let mut answer = Answer::made_up(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
                if fault == Some(Fault::Throttled) {
                    answer.headers.insert(RETRY_AFTER, HeaderValue::from(network.draw(&call.site, 1, 30)));
                }
                Some(answer)
            }
            Some(Fault::Denied) => Some(Answer::condition_failed()),
            Some(Fault::Vanished) => {
                network.judge.see(&Event::Vanished { text: &request.body });
                Some(Answer::made_up(StatusCode::CREATED, ""))
            }
            Some(Fault::Early) => {
                self.shift(&mut request, -time::Duration::seconds(self.seconds(call, 1, 60)));
                None
            }
            Some(Fault::Delayed) => {
                self.shift(&mut request, time::Duration::seconds(self.seconds(call, 10, 20 * 60)));
                None
            }
            _ => None,
        };
        if let Some(answer) = refusal {
            sleep(network.latency(&call.site) * 2).await;
            return Ok(whole(answer));
        }
        let there = match fault {
            Some(Fault::Slow) => after(2_000, 12_000),
            Some(Fault::Late) => after(25_000, 55_000),
            _ => network.latency(&call.site),
        };
        let back = network.latency(&call.site);
        // Half of the requests that hang have reached the service.
        let is_lost = fault == Some(Fault::Hanging) && network.draw(&call.site, 0, 1) == 0;
        let (sender, receiver) = oneshot::channel();
        let (wire, call) = (self.clone(), call.clone());
        tokio::spawn(async move {
            if is_lost {
                return std::future::pending().await;
            }
            sleep(there).await;
            let answer = wire.deliver(&call, (&question, fault), request).await;
            sleep(back).await;
            let arrival = match (answer, fault) {
                (_, Some(Fault::Hanging)) => return std::future::pending().await,
                (None, _) | (_, Some(Fault::LostAnswer)) => Arrival::Broken,
                (Some(answer), Some(Fault::CutBody)) => Arrival::Cut(answer),
                (Some(answer), _) => Arrival::Whole(answer),
            };
            // The caller may have died, or stopped waiting.
            let _ = sender.send(arrival);
        });
        match receiver.await {
            Ok(Arrival::Whole(answer)) => Ok(whole(answer)),
            Ok(Arrival::Cut(answer)) => Ok(cut(answer)),
            Ok(Arrival::Broken) | Err(_) => Err(failure(Sent::Maybe, "the connection broke")),
        }
    }

    /// Whether a fault makes sense for a request.
    fn fits(&self, fault: Fault, request: &Outgoing) -> bool {
        match fault {
            Fault::Denied | Fault::DoneAndDenied => request.headers.contains_key(IF_MATCH),
            Fault::Early => message::due(&request.headers).is_some_and(|due| due > self.now()),
            _ => true,
        }
    }

    /// Lets a message come earlier or later.
    fn shift(&self, request: &mut Outgoing, by: time::Duration) {
        message::shift(&mut request.headers, by, self.now());
    }

    fn seconds(&self, call: &Call, least: u64, most: u64) -> i64 {
        i64::try_from(self.network.draw(&call.site, least, most)).unwrap_or_default()
    }

    fn now(&self) -> time::OffsetDateTime {
        self.network.faults.time().now()
    }

    /// Hands a request to the service.
    async fn deliver(
        &self,
        call: &Call,
        happens: (&Question, Option<Fault>),
        request: Outgoing,
    ) -> Option<Answer> {
        let Outgoing { method, url, headers, body } = request;
        let body = self.broken_body(call, body);
        let place =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let mut request = Request::builder().method(method).uri(place).body(Body::from(body.clone())).ok()?;
        *request.headers_mut() = headers;
        if self.network.sabotage == Some(Sabotage::Hurries) && is_message(call) {
            let without = |text: &HeaderValue| {
                let mut properties: serde_json::Value = serde_json::from_str(text.to_str().ok()?).ok()?;
                properties.as_object_mut()?.remove("ScheduledEnqueueTimeUtc");
                HeaderValue::try_from(properties.to_string()).ok()
            };
            if let Some(text) = request.headers_mut().get_mut("brokerproperties")
                && let Some(hurried) = without(text)
            {
                *text = hurried;
            }
        }
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        if let Some(answer) = self.broken_answer(call) {
            return Some(answer);
        }
        let answer = self.network.serve(call, happens, request).await?;
        if self.forgets_nothing(call) && answer.status.is_success() {
            self.lock_remembered().insert(call.path.clone(), answer.clone());
        }
        Some(answer)
    }

    /// What a broken app writes instead.
    fn broken_body(&self, call: &Call, body: Bytes) -> Bytes {
        let is_group = call.method == Method::PUT && call.site.as_str() == "PUT dps/enrollmentgroups/*";
        if self.network.sabotage != Some(Sabotage::DropsMembers) || !is_group {
            return body;
        }
        let Ok(mut group) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
        group["initialTwin"] = serde_json::json!({"tags": {}, "properties": {"desired": {}}});
        group.to_string().into()
    }

    /// What a broken app takes for the answer of the service, which it does not ask.
    fn broken_answer(&self, call: &Call) -> Option<Answer> {
        let is_sync = call.path.ends_with("/synchronize");
        match self.network.sabotage? {
            Sabotage::NeverSyncs if is_sync => Some(Answer::made_up(StatusCode::CONFLICT, "Conflict")),
            Sabotage::LosesMessages if is_message(call) => Some(Answer::made_up(StatusCode::CREATED, "")),
            Sabotage::RemembersTrust => self.lock_remembered().get(&call.path).cloned(),
            Sabotage::SeesNothing
                if is_list_of_policies(call) && self.network.draw(&call.site, 0, 2) == 0 =>
            {
                let mut answer = Answer::made_up(StatusCode::OK, "");
                answer.body = Bytes::from_static(b"{\"value\":[]}");
                Some(answer)
            }
            _ => None,
        }
    }

    fn forgets_nothing(&self, call: &Call) -> bool {
        self.network.sabotage == Some(Sabotage::RemembersTrust)
            && call.method == Method::GET
            && ["/certificates", "/policies"].iter().any(|end| call.site.as_str().ends_with(end))
    }

    fn lock_remembered(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Answer>> {
        self.network.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_list_of_policies(call: &Call) -> bool {
    call.method == Method::GET && call.site.as_str().ends_with("/policies")
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        match self.network.sabotage {
            Some(Sabotage::PostsTwice) if request.url.path().ends_with("/synchronize") => {
                futures::future::join(self.call(request.clone()), self.call(request)).await.1
            }
            Some(Sabotage::Floods)
                if request.method == Method::GET && self.network.number().is_multiple_of(100) =>
            {
                futures::future::join_all((0..300).map(|_| self.call(request.clone()))).await;
                self.call(request).await
            }
            Some(Sabotage::Panics) if self.network.number().is_multiple_of(40) => {
                panic!("the app was broken on purpose")
            }
            _ => self.call(request).await,
        }
    }
}

fn failure(sent: Sent, message: &str) -> TransportFailure {
    TransportFailure { kind: ErrorKind::Unavailable, sent, message: message.to_owned() }
}

fn whole(answer: Answer) -> Incoming {
    let body = stream::once(std::future::ready(Ok(answer.body.clone()))).boxed();
    incoming(answer, body)
}

fn cut(answer: Answer) -> Incoming {
    let half = answer.body.slice(..answer.body.len() / 2);
    let broken = Err(failure(Sent::Maybe, "the connection broke within the body"));
    let body = stream::iter([Ok(half), broken]).boxed();
    incoming(answer, body)
}

fn incoming(answer: Answer, body: BoxStream<'static, Result<Bytes, TransportFailure>>) -> Incoming {
    let length = u64::try_from(answer.body.len()).ok();
    Incoming { status: answer.status, headers: answer.headers, length, body }
}
