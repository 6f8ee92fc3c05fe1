//! The page of one sync request: what was asked for, how far each hub is, and what to do where it went wrong.

use std::cmp::Reverse;

use askama::Template;
use certificate_management::reason::Reason;
use certificate_management::request::{HubOutcome, Outcome, RequestRecord};
use certificate_management::trust::Evidence;

use super::links::Links;
use super::requests::class;
use super::runbook;
use super::words::{self, Moment, Piece};

/// How many pairs of a hub and a policy are shown; the JSON has all.
const PAIRS: usize = 500;
/// How many names a request's wish shows.
const NAMED: usize = 20;

/// One request.
#[derive(Template)]
#[template(path = "page/one_request.html")]
pub struct Document {
    id: String,
    headline: String,
    class: &'static str,
    /// Whether something will still happen; the page looks again then.
    is_open: bool,
    /// Its reason with its next step, where there is one.
    reason: Option<Told>,
    detail: Option<String>,
    facts: Vec<(&'static str, String)>,
    submitted: Moment,
    updated: Moment,
    pairs: Vec<Pair>,
    left_out: usize,
    /// The next step of each reason that a hub has, once.
    hub_reasons: Vec<Told>,
    list: String,
    overview: String,
    takes_another_key: bool,
}

/// A reason, for people.
struct Told {
    code: &'static str,
    meaning: Vec<Piece>,
    next_step: Vec<Piece>,
}

/// A hub and a policy.
struct Pair {
    hub: String,
    policy: String,
    outcome: String,
    class: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
    evidence: Option<Seen>,
}

/// The certificate that was seen on a hub.
struct Seen {
    certificate: String,
    thumbprint: Option<String>,
    ends: Option<String>,
    at: Moment,
}

impl Document {
    /// The page of a record.
    pub fn of(record: &RequestRecord, links: &Links, next_step: impl Fn(Reason) -> String) -> Self {
        let told = |reason: Reason| Told::of(reason, &next_step(reason));
        let request = &record.request;
        let mut hubs: Vec<&HubOutcome> = record.hubs.iter().collect();
        // The worst first, where a person looks.
        hubs.sort_by_key(|hub| (Reverse(hub.outcome), &hub.hub, &hub.policy));
        let mut reasons: Vec<Reason> = hubs.iter().filter_map(|hub| hub.reason).collect();
        reasons.sort();
        reasons.dedup();
        reasons.retain(|reason| Some(*reason) != record.reason);
        let names = |names: &Option<Vec<String>>| names.as_deref().map_or_else(|| "all".to_owned(), named);
        let mut facts = vec![
            ("Namespace", words::name(request.namespace_id.name())),
            ("Hubs", names(&request.hubs)),
            ("Policies", names(&request.policies)),
        ];
        if request.allow_whole_namespace {
            facts.push(("Scope", "the whole namespace may be synced".to_owned()));
        }
        facts.push(("Asked by", asked_by(record)));
        facts.extend(request.reason.as_deref().map(|reason| ("Why", words::text(reason))));
        Self {
            id: words::name(&request.request_id),
            headline: headline(record),
            class: class(record.outcome),
            is_open: !record.outcome.is_final(),
            reason: record.reason.map(told),
            detail: record.detail.as_deref().map(words::text),
            facts,
            submitted: words::moment(record.submitted_at),
            updated: words::moment(record.updated_at),
            left_out: hubs.len().saturating_sub(PAIRS),
            pairs: hubs.into_iter().take(PAIRS).map(Pair::of).collect(),
            hub_reasons: reasons.into_iter().map(told).collect(),
            list: links.requests(),
            overview: links.overview(),
            takes_another_key: links.has_key(),
        }
    }
}

/// What became of it, in one line.
fn headline(record: &RequestRecord) -> String {
    let trusts = |hub: &&HubOutcome| matches!(hub.outcome, Outcome::AlreadyTrusted | Outcome::Trusted);
    let (trusting, all) = (record.hubs.iter().filter(trusts).count(), record.hubs.len());
    let so_far = if all == 0 {
        String::new()
    } else {
        format!(": {} of {} trusted", words::thousands(trusting as u64), words::count(all as u64, "pair"))
    };
    match record.outcome {
        Outcome::AlreadyTrusted => "Every hub trusted already".to_owned(),
        Outcome::Trusted => "Every hub trusts".to_owned(),
        Outcome::Queued => "Waiting for its turn".to_owned(),
        Outcome::Syncing => format!("Under way{so_far}"),
        Outcome::Unverified => format!("Not proven in time{so_far}"),
        Outcome::Refused => "Refused".to_owned(),
        Outcome::Failed => format!("Failed{so_far}"),
    }
}

fn named(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| words::name(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), words::thousands(more as u64)),
    }
}

fn asked_by(record: &RequestRecord) -> String {
    let name = record.request.requested_by.as_deref().filter(|by| !by.trim().is_empty()).map(words::name);
    match (record.requester.how(), name) {
        (None, _) => "Policysync itself".to_owned(),
        (Some(how), Some(name)) => format!("{name}, {how}"),
        (_, None) => "not said".to_owned(),
    }
}

impl Told {
    fn of(reason: Reason, next_step: &str) -> Self {
        Self {
            code: reason.code(),
            meaning: words::prose(reason.meaning()),
            next_step: words::prose(&runbook::unlinked(next_step)),
        }
    }
}

impl Pair {
    fn of(hub: &HubOutcome) -> Self {
        Self {
            hub: words::name(&hub.hub),
            policy: words::name(&hub.policy),
            outcome: hub.outcome.to_string().replace('-', " "),
            class: class(hub.outcome),
            reason: hub.reason.map(Reason::code),
            detail: hub.detail.as_deref().map(words::text),
            evidence: hub.evidence.as_deref().map(Seen::of),
        }
    }
}

impl Seen {
    fn of(evidence: &Evidence) -> Self {
        Self {
            certificate: words::name(&evidence.certificate_name),
            thumbprint: evidence.thumbprint.as_deref().map(words::thumbprint),
            ends: evidence.expiry.map(words::date),
            at: words::moment(evidence.seen_at),
        }
    }
}
