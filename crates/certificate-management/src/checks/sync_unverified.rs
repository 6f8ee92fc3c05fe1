//! A sync that ended, or failed, without evidence: the newest request about a hub says so, and the hub still does not
//! show the policy's CA.

use time::Duration;

use super::CheckId;
use crate::facts::{Facts, NamespaceFacts};
use crate::finding::Finding;
use crate::plan::Pair;
use crate::reason::Reason;
use crate::request::{HubOutcome, Outcome, RequestRecord};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(records) = facts.records else { return Vec::new() };
    let since = facts.now - Duration::days(i64::from(facts.thresholds.sync_unverified.days));
    let recent: Vec<&RequestRecord> =
        records.requests.iter().filter(|record| record.updated_at >= since).collect();
    let mut findings = Vec::new();
    for (namespace, _) in facts.readable() {
        // A request that is under way has not changed anything yet: a request that the app makes itself each day must
        // not clear the finding and raise it again.
        let about = recent.iter().filter(|record| {
            record.request.namespace_id == namespace.configuration.id && record.outcome.is_final()
        });
        let about: Vec<&RequestRecord> = about.copied().collect();
        let is_open = |pair: &&Pair<'_>| !pair.assessment.trust.admits_current() && !pair.has_ended;
        for pair in namespace.pairs.iter().filter(is_open) {
            // The newest request decides: the older ones were tried again since.
            let newest = about.iter().find_map(|record| Some((*record, outcome_on(record, pair)?)));
            if let Some((record, hub)) = newest.filter(|(_, hub)| is_bad(hub.outcome)) {
                findings.push(on_hub(namespace, pair, record, hub));
            }
        }
        // A request that failed before it came to hubs.
        let whole = about.first().filter(|record| record.hubs.is_empty() && is_bad(record.outcome));
        if let Some(record) = whole {
            let subject = namespace.subject().of_request(&record.request.request_id);
            let reason = record.reason.unwrap_or(Reason::SyncFailed);
            let message = record.detail.clone().unwrap_or_else(|| format!("it ended as {}", record.outcome));
            findings.push(Finding::new(CheckId::SyncUnverified, reason, subject, message));
        }
    }
    findings
}

fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Unverified | Outcome::Failed)
}

fn outcome_on<'r>(record: &'r RequestRecord, pair: &Pair<'_>) -> Option<&'r HubOutcome> {
    record.hubs.iter().find(|hub| {
        hub.hub.eq_ignore_ascii_case(&pair.hub.name) && hub.policy.eq_ignore_ascii_case(&pair.policy.name)
    })
}

fn on_hub(
    namespace: &NamespaceFacts<'_>,
    pair: &Pair<'_>,
    record: &RequestRecord,
    hub: &HubOutcome,
) -> Finding {
    let subject = namespace.subject().in_policy(&pair.policy.name).on_hub(&pair.hub.name);
    let id = &record.request.request_id;
    let message = format!(
        "request {id} ended as {} on {}, and {}",
        hub.outcome,
        record.updated_at.date(),
        pair.assessment.why
    );
    let reason = hub.reason.unwrap_or(Reason::EvidenceMissing);
    // The occasion is the CA that the hub lacks, and not the request: each day's request is about the same CA.
    let occasion = pair
        .policy
        .issuing_ca
        .not_after
        .map_or_else(|| "ca".to_owned(), |end| end.unix_timestamp().to_string());
    Finding::new(CheckId::SyncUnverified, reason, subject, message)
        .on_occasion(&occasion)
        .with("requestId", id)
        .with("outcome", hub.outcome)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World, request};
    use super::*;
    use crate::report_input::Records;

    fn world(requests: Vec<RequestRecord>) -> World {
        let mut world = World::healthy();
        world.hub().certificates = Ok(vec![]);
        world.records = Some(Records { requests, ..Records::default() });
        world
    }

    #[test]
    fn the_newest_request_about_a_hub_decides() {
        let bad = || request("r-1", Outcome::Unverified, NOW - Duration::DAY);
        let found = world(vec![bad()]).found(CheckId::SyncUnverified);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].reason, Reason::EvidenceMissing);
        let trusted = request("r-2", Outcome::Trusted, NOW);
        assert_eq!(world(vec![trusted, bad()]).found(CheckId::SyncUnverified), []);
        let old = request("r-0", Outcome::Unverified, NOW - Duration::days(8));
        assert_eq!(world(vec![old]).found(CheckId::SyncUnverified), []);
    }

    #[test]
    fn a_need_that_is_asked_for_again_each_day_is_one_finding_and_not_a_new_one_each_day() {
        let first = world(vec![request("r-1", Outcome::Unverified, NOW - Duration::DAY)]);
        let first = first.found(CheckId::SyncUnverified).remove(0);
        let again = request("r-2", Outcome::Syncing, NOW);
        let while_it_runs = world(vec![again, request("r-1", Outcome::Unverified, NOW - Duration::DAY)]);
        assert_eq!(while_it_runs.found(CheckId::SyncUnverified)[0].id, first.id);
        let second = world(vec![request("r-2", Outcome::Unverified, NOW)]);
        assert_eq!(second.found(CheckId::SyncUnverified)[0].id, first.id);
        let mut renewed = world(vec![request("r-2", Outcome::Unverified, NOW)]);
        renewed.policy().issuing_ca.not_after = Some(NOW + Duration::days(3_000));
        assert_ne!(renewed.found(CheckId::SyncUnverified)[0].id, first.id, "another CA is another occasion");
    }

    #[test]
    fn evidence_that_came_after_all_settles_it() {
        let mut world = World::healthy();
        let requests = vec![request("r-1", Outcome::Unverified, NOW)];
        world.records = Some(Records { requests, ..Records::default() });
        assert_eq!(world.found(CheckId::SyncUnverified), []);
    }

    #[test]
    fn a_request_that_failed_as_a_whole_is_told() {
        let mut failed = request("r-1", Outcome::Failed, NOW);
        failed.hubs.clear();
        let found = world(vec![failed]).found(CheckId::SyncUnverified);
        assert_eq!(found[0].subject.request.as_deref(), Some("r-1"));
    }
}
