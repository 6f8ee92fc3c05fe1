//! What all instances share of the way to Azure, and what a call does on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use azure_simulator::{InProcess, NamespaceTruth};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;

use crate::faults::Faults;
use crate::judge::Judge;
use crate::oracles::{Call, Event, given, may_write};
use crate::sabotage::Sabotage;
use crate::seed::{Draws, Seed};
use crate::site::Site;
use crate::trace::Trace;

/// The address that the simulated Azure gives as its own. Nothing listens there.
pub const ADDRESS: &str = "http://127.0.0.1:9";

/// An answer whose body has arrived.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer that a fault makes up.
    #[must_use]
    pub fn made_up(status: StatusCode, code: &str) -> Self {
        let body =
            format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"A fault of the simulation.\"}}}}");
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }
}

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
        Self { azure, faults, trace, judge, sabotage, seed, calls: Arc::default(), draws: Arc::default() }
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

    /// Lets the service work on a call. `None`: it closed the connection.
    pub async fn serve(&self, call: &Call, request: Request<Body>) -> Option<Answer> {
        let before = self.truth(call);
        let answer = answer(&self.azure, request).await?;
        if may_write(call) {
            let (status, after) = (answer.status.as_u16(), self.truth(call));
            self.judge.see(&Event::Served { call, status, before: &before, after: &after });
            for (namespace, group) in given(&before, &after) {
                let admissions = self.azure.admissions(&group.service, &group.id);
                let namespace = &namespace.id;
                self.judge.see(&Event::Assigned { call, namespace, admissions: &admissions });
            }
        }
        Some(answer)
    }
}

/// The answer of the simulated Azure, past the network: what people and pipelines do goes this way too.
pub async fn answer(azure: &InProcess, request: Request<Body>) -> Option<Answer> {
    let response = azure.answer(request).await.ok()?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(Answer { status: parts.status, headers: parts.headers, body })
}
