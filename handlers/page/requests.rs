//! Sync requests: those that are under way, and what became of the last ones.

use certificate_management::report::{Report, RequestEntry};
use certificate_management::request::Outcome;

use super::links::Links;
use super::words::{self, Moment};

/// How many of those that have ended are seen at once; as many more can be unfolded as the report lists.
const SEEN_AT_ONCE: usize = 8;

/// The requests of a report.
pub struct Requests {
    pub in_flight: Vec<Request>,
    pub recent: Vec<Request>,
    pub older: Vec<Request>,
    /// To all of them.
    pub all: String,
    /// Whether the link carries a key, which may be that of the status alone.
    pub takes_another_key: bool,
}

/// One request.
pub struct Request {
    pub id: String,
    /// To its page.
    pub link: String,
    pub namespace: String,
    pub requested_by: Option<String>,
    pub stated_reason: Option<String>,
    pub outcome: String,
    pub class: &'static str,
    /// Its reason, where there is one.
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
    pub submitted: Moment,
    pub updated: Moment,
    /// How many pairs of hub and policy trust, of how many.
    pub progress: Option<String>,
}

impl Requests {
    /// Nothing where records were not looked at.
    pub fn of(report: &Report, links: &Links) -> Option<Self> {
        let requests = report.requests.as_ref()?;
        let shown = |request| Request::of(request, links);
        let mut recent: Vec<_> = requests.recent.iter().map(shown).collect();
        let older = recent.split_off(SEEN_AT_ONCE.min(recent.len()));
        let in_flight = requests.in_flight.iter().map(shown).collect();
        Some(Self { in_flight, recent, older, all: links.requests(), takes_another_key: links.has_key() })
    }
}

impl Request {
    pub fn of(request: &RequestEntry, links: &Links) -> Self {
        Self {
            id: words::name(&request.request_id),
            link: links.request(&request.request_id),
            namespace: words::name(&request.namespace),
            requested_by: request.requested_by.as_deref().filter(|by| !by.trim().is_empty()).map(words::name),
            stated_reason: request.stated_reason.as_deref().map(words::text),
            outcome: request.outcome.to_string().replace('-', " "),
            class: class(request.outcome),
            reason: request.reason.map(|reason| reason.code()),
            detail: request.detail.as_deref().map(words::text),
            submitted: words::moment(request.submitted_at),
            updated: words::moment(request.updated_at),
            progress: (request.pairs > 0).then(|| format!("{} of {}", request.trusted_pairs, request.pairs)),
        }
    }
}

/// The colour of an outcome.
pub fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AlreadyTrusted | Outcome::Trusted => "good",
        Outcome::Queued | Outcome::Syncing => "unknown",
        Outcome::Refused => "fair",
        Outcome::Unverified | Outcome::Failed => "bad",
    }
}
