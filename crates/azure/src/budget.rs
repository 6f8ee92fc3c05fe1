//! Limits the calls of this process to Azure, so that Azure never has to refuse them and people are never locked out.
//!
//! Resource Manager counts by token buckets per identity, subscription and kind of operation (`azure-wire-facts.md`
//! §7). A process has one identity, so it keeps one bucket per subscription and kind. Each attempt of a call draws a
//! token first, and waits for its turn when there is none: how many calls run at a time follows from the bucket, not
//! from a number of ours. The answers of the service lower the count, because others draw from the same bucket.
//!
//! The budget leaves a fifth of each bucket to people, who would otherwise find the portal throttled while the app
//! reads a large fleet. Its refill stays usable: once at that line, calls go at the rate at which the bucket fills.
//!
//! Buckets live as long as the process; there are as many as it has subscriptions and provisioning services to look at.

mod bucket;
mod tally;
mod turnstile;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use self::bucket::Shape;
pub use self::tally::Tally;
use self::turnstile::Turnstile;
use crate::authority::authority;
use crate::error::{Error, ErrorKind, Sent};

/// Reads that one identity may make in one subscription, per second over a longer time (`azure-wire-facts.md` §7).
pub const READS_PER_SECOND: u32 = 25;
const READS: Shape = Shape { capacity: 250, refill_per_second: READS_PER_SECOND };
const WRITES: Shape = Shape { capacity: 200, refill_per_second: 10 };
const DELETES: Shape = Shape { capacity: 200, refill_per_second: 10 };
/// A provisioning service takes 1,000 operations a minute, and does not say from when to when it counts. So the shape is
/// one that leaves people a fifth of any minute: the usable burst of 200 and 60 s of refill are 800 operations. The burst
/// is one operation for each group of a full service; over a longer time it is 600 a minute.
const PROVISIONING: Shape = Shape { capacity: 250, refill_per_second: 10 };

/// The owner of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A subscription, by its id in lower case.
    Subscription(String),
    /// Resource Manager outside of any subscription.
    Tenant,
    /// A provisioning service, by host and path of its endpoint.
    ProvisioningService(String),
}

/// The kinds of operations that Azure counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// GET and HEAD to Resource Manager, questions about a running operation included.
    Read,
    /// PUT, PATCH and POST to Resource Manager.
    Write,
    /// DELETE to Resource Manager.
    Delete,
    /// Any operation of a provisioning service, which counts all of them together.
    Any,
}

/// A bucket at one moment, for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSnapshot {
    /// The owner of the bucket.
    pub scope: Scope,
    /// The kind of operation that draws from it.
    pub kind: OperationKind,
    /// Calls that it holds when it is full.
    pub capacity: u32,
    /// Calls that are left as far as we know, with the reserve of a fifth that we do not touch.
    pub left: u32,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Answers with status 429 since the process started, those that were followed by another attempt included.
    pub throttled_total: u64,
    /// Attempts that were not made since the process started, because their turn would have come too late.
    pub put_off_total: u64,
}

type Turnstiles = BTreeMap<(Scope, OperationKind), Arc<Turnstile>>;

/// The budget of one identity. Cheap to clone; clones draw from the same buckets.
#[derive(Clone, Default)]
pub struct Budget {
    turnstiles: Arc<Mutex<Turnstiles>>,
}

impl Budget {
    /// A budget whose buckets are full.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every bucket that was drawn from so far, in order of scope and kind.
    #[must_use]
    pub fn snapshot(&self) -> Vec<BucketSnapshot> {
        let turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner).clone();
        turnstiles
            .into_iter()
            .map(|((scope, kind), turnstile)| {
                let reading = turnstile.reading();
                BucketSnapshot {
                    scope,
                    kind,
                    capacity: reading.capacity,
                    left: reading.left,
                    waiting: reading.waiting,
                    throttled_total: reading.throttled_total,
                    put_off_total: reading.put_off_total,
                }
            })
            .collect()
    }

    /// The pace of a call to Resource Manager.
    pub(crate) fn resource_manager(&self, method: &Method, url: &Url) -> Pace {
        self.pace(subscription(url).map_or(Scope::Tenant, Scope::Subscription), OperationKind::of(method))
    }

    /// The pace of a call to the provisioning service at `endpoint`.
    pub(crate) fn provisioning_service(&self, endpoint: &Url) -> Pace {
        let place = format!("{}{}", authority(endpoint), endpoint.path().trim_end_matches('/'));
        self.pace(Scope::ProvisioningService(place), OperationKind::Any)
    }

    fn pace(&self, scope: Scope, kind: OperationKind) -> Pace {
        let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        let turnstile = turnstiles
            .entry((scope.clone(), kind))
            .or_insert_with(|| Arc::new(Turnstile::new(kind.shape())))
            .clone();
        Pace { scope, kind, turnstile }
    }
}

/// The bucket that a call draws from, before each of its attempts.
#[derive(Clone)]
pub(crate) struct Pace {
    scope: Scope,
    kind: OperationKind,
    turnstile: Arc<Turnstile>,
}

impl Pace {
    /// Waits for a turn. When the turn would come after `latest`, it does not wait, and the caller must not send.
    ///
    /// # Errors
    /// `Throttled` with the time until the turn, [`Sent::No`].
    pub(crate) async fn turn(&self, attempted: String, latest: Instant) -> Result<(), Error> {
        self.turnstile.pass(latest).await.map_err(|wait| {
            let kind = ErrorKind::Throttled { retry_after: Some(wait) };
            let message =
                format!("not sent, since the budget of {self} allows it in {:.1} s", wait.as_secs_f64());
            Error::new(kind, Sent::No, attempted, message)
        })?;
        if self.kind == OperationKind::Read {
            Tally::count();
        }
        Ok(())
    }

    /// Takes over the state of the bucket from an answer.
    pub(crate) fn learn(&self, status: StatusCode, headers: &HeaderMap, retry_after: Option<Duration>) {
        let remaining = self
            .remaining_header()
            .and_then(|name| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok())
            // The number goes below zero when the service lets through more than it counts.
            .map(|remaining| u32::try_from(remaining.max(0)).unwrap_or(u32::MAX));
        let throttled = (status == StatusCode::TOO_MANY_REQUESTS).then_some(retry_after);
        self.turnstile.learn(throttled, remaining);
    }

    fn remaining_header(&self) -> Option<&'static str> {
        Some(match (&self.scope, self.kind) {
            (Scope::Subscription(_), OperationKind::Read) => "x-ms-ratelimit-remaining-subscription-reads",
            (Scope::Subscription(_), OperationKind::Write) => "x-ms-ratelimit-remaining-subscription-writes",
            (Scope::Subscription(_), OperationKind::Delete) => {
                "x-ms-ratelimit-remaining-subscription-deletes"
            }
            (Scope::Tenant, OperationKind::Read) => "x-ms-ratelimit-remaining-tenant-reads",
            (Scope::Tenant, OperationKind::Write) => "x-ms-ratelimit-remaining-tenant-writes",
            _ => return None,
        })
    }
}

impl OperationKind {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    fn shape(self) -> Shape {
        match self {
            Self::Read => READS,
            Self::Write => WRITES,
            Self::Delete => DELETES,
            Self::Any => PROVISIONING,
        }
    }

    /// A stable, low-cardinality name, for metrics.
    #[must_use]
    pub fn metric_label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Any => "any",
        }
    }
}

/// The subscription that a URL of Resource Manager names, be it of a resource, a page or an operation.
fn subscription(url: &Url) -> Option<String> {
    let mut segments = url.path_segments()?;
    segments.find(|segment| segment.eq_ignore_ascii_case("subscriptions"))?;
    segments.next().filter(|id| !id.is_empty()).map(str::to_ascii_lowercase)
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.metric_label();
        match &self.scope {
            Scope::Subscription(id) => write!(f, "{kind}s in subscription {id}"),
            Scope::Tenant => write!(f, "{kind}s in the tenant"),
            Scope::ProvisioningService(place) => write!(f, "operations at {place}"),
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.snapshot()).finish()
    }
}

#[cfg(test)]
mod tests;
