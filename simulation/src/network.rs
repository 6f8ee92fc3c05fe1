//! What all instances share of the way to Azure, and what a call does on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use azure_simulator::{InProcess, NamespaceTruth, Trouble};
use http::{Request, StatusCode};
use http_body_util::BodyExt;

use crate::answers::{Answer, Answers, Question};
use crate::fault::Fault;
use crate::faults::Faults;
use crate::judge::Judge;
use crate::oracles::{Call, Event, given, may_write};
use crate::sabotage::Sabotage;
use crate::seed::{Draws, Seed};
use crate::site::Site;
use crate::trace::Trace;

/// The network of one play. Clones are one.
#[derive(Clone)]
pub struct Network {
    /// The simulated Azure.
    pub azure: Arc<InProcess>,
    /// What goes wrong.
    pub faults: Faults,
    /// What is written down.
    pub trace: Trace,
    /// Who watches.
    pub judge: Judge,
    /// How the app is broken, if it is.
    pub sabotage: Option<Sabotage>,
    seed: Seed,
    calls: Arc<AtomicU64>,
    draws: Arc<Mutex<BTreeMap<Site, Draws>>>,
    answers: Arc<Mutex<Answers>>,
    /// What a broken app believes for ever, by path: lives end sooner than what it believes.
    pub(crate) remembered: Arc<Mutex<BTreeMap<String, Answer>>>,
}

impl Network {
    /// A network to this Azure.
    #[must_use]
    pub fn new(
        azure: Arc<InProcess>,
        faults: Faults,
        (trace, judge): (Trace, Judge),
        sabotage: Option<Sabotage>,
        seed: Seed,
    ) -> Self {
        let (calls, draws, answers) = (Arc::default(), Arc::default(), Arc::default());
        let remembered = Arc::default();
        Self { azure, faults, trace, judge, sabotage, seed, calls, draws, answers, remembered }
    }

    /// The number of the next call.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// A number of the site's own stream, from `least` to `most`.
    #[must_use]
    pub fn draw(&self, site: &Site, least: u64, most: u64) -> u64 {
        let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        let of_site =
            draws.entry(site.clone()).or_insert_with(|| self.seed.stream(&format!("way to {site}")));
        of_site.between(least, most)
    }

    /// How long one way takes.
    #[must_use]
    pub fn latency(&self, site: &Site) -> Duration {
        Duration::from_millis(self.draw(site, 2, 60))
    }

    /// What is true when a call that may write is looked at; nothing for others, which change nothing.
    #[must_use]
    pub fn truth(&self, call: &Call) -> Vec<NamespaceTruth> {
        if may_write(call) { self.azure.truth() } else { Vec::new() }
    }

    /// Lets the service work on a call, with the faults that happen there. `None`: it closed the connection.
    pub async fn serve(
        &self,
        call: &Call,
        (question, fault): (&Question, Option<Fault>),
        request: Request<Body>,
    ) -> Option<Answer> {
        let before = self.truth(call);
        let answer = answer(&self.azure, request).await?;
        if may_write(call) {
            let (status, after) = (answer.status.as_u16(), self.truth(call));
            self.judge.see(&Event::Served { call, status, before: &before, after: &after });
            if let Some(fault) = fault {
                self.trouble(call, fault, answer.status);
            }
            for (namespace, group) in given(&before, &after) {
                let admissions = self.azure.admissions(&group.service, &group.id);
                let namespace = &namespace.id;
                self.judge.see(&Event::Assigned { call, namespace, group, admissions: &admissions });
            }
        }
        if fault == Some(Fault::DoneAndDenied) && answer.status.is_success() {
            self.has_struck(call, Fault::DoneAndDenied);
            return Some(Answer::condition_failed());
        }
        let fault = fault.filter(|fault| fault.can_strike(&call.site));
        let chance = if fault.is_some() { self.draw(&call.site, 0, 1_000) } else { 0 };
        let now = self.faults.time().since();
        let instead = self.lock_answers().instead(question, (now, &answer), fault, chance);
        let Some((fault, instead)) = fault.zip(instead) else { return Some(answer) };
        self.has_struck(call, fault);
        if fault == Fault::Stale {
            self.judge.see(&Event::AnsweredOld { call });
        }
        Some(instead)
    }

    /// Makes trouble for the operation that a call has begun.
    fn trouble(&self, call: &Call, fault: Fault, status: StatusCode) {
        let credential = call.path.trim_end_matches("/synchronize");
        let make = |trouble| self.azure.trouble(credential, trouble);
        let chance = |site| self.draw(site, 0, 1) == 0;
        let is_made = status == StatusCode::ACCEPTED
            && match fault {
                Fault::OperationFails if chance(&call.site) => make(Trouble::Fails),
                Fault::OperationFails => make(Trouble::Canceled),
                Fault::OperationLasts => {
                    let minutes = i64::try_from(self.draw(&call.site, 10, 45)).unwrap_or_default();
                    let _ = chance(&call.site) && make(Trouble::Canceled);
                    make(Trouble::Lasts(time::Duration::minutes(minutes)))
                }
                Fault::OperationForgotten => make(Trouble::Forgotten),
                _ => false,
            };
        if is_made {
            self.has_struck(call, fault);
        }
    }

    fn has_struck(&self, call: &Call, fault: Fault) {
        self.trace.line(format_args!("call {} meets {}", call.number, fault.name()));
        self.faults.has_struck(&call.site, fault);
    }

    fn lock_answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of the simulated Azure, past the network: what people and pipelines do goes this way too.
pub async fn answer(azure: &InProcess, request: Request<Body>) -> Option<Answer> {
    let response = azure.answer(request).await.ok()?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(Answer { status: parts.status, headers: parts.headers, body })
}
