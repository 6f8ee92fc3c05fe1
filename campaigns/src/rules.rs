//! The rules that a run must keep. Each broken one is a sentence that names the namespace or the request.

use azure_simulator::throttle::Limits;
use serde_json::Value;

use crate::accounts::Accounts;
use crate::fleet::CampaignNamespace;
use crate::requests::{Answer, CampaignRequest};

/// Most times that the wall time may be longer than the floor.
pub const HIGHEST_RATIO: f64 = 1.3;
/// The same for syncs, from their first call to the last one.
pub const HIGHEST_RATIO_OF_SYNCS: f64 = 1.1;
/// Most reads of Resource Manager for each hub, with its share of the reads for several hubs at once.
const MOST_READS_PER_HUB: f64 = 2.5;
/// Below this the floor proves nothing, since the seconds that a sync itself takes outweigh it.
pub const SHORTEST_FLOOR_SECONDS: f64 = 30.0;

/// The bounds on `POST .../synchronize` for each namespace that needs a sync.
#[derive(Debug, Clone, Copy)]
pub struct Syncs {
    /// At the most.
    pub most: usize,
}

/// Each namespace is synced as often as it needs, and no other is.
pub fn synchronize(namespaces: &[CampaignNamespace], accounts: &Accounts, syncs: Syncs) -> Vec<String> {
    let mut broken = Vec::new();
    for namespace in namespaces {
        let sent = accounts.synchronize.get(&namespace.name).copied().unwrap_or_default();
        let (name, start) = (&namespace.name, namespace.start);
        if !namespace.needs_sync() && sent > 0 {
            broken.push(format!("{name}: {sent} synchronize, though every hub trusted every policy already"));
        } else if namespace.needs_sync() && sent == 0 {
            broken.push(format!("{name}: no synchronize, though it started as {start:?}"));
        } else if sent > syncs.most {
            broken
                .push(format!("{name}: {sent} synchronize, at most {} are allowed ({start:?})", syncs.most));
        }
    }
    broken
}

/// Every request has its final outcome, and each of its hubs has proof.
pub fn requests(namespaces: &[CampaignNamespace], asked: &[(&CampaignRequest, Answer)]) -> Vec<String> {
    asked.iter().filter_map(|(request, answer)| unfinished(namespaces, request, answer)).collect()
}

fn unfinished(
    namespaces: &[CampaignNamespace],
    request: &CampaignRequest,
    answer: &Answer,
) -> Option<String> {
    let namespace = &namespaces[request.namespace];
    let place = format!("request {} ({}, started as {:?})", request.id, namespace.name, namespace.start);
    if answer.status != 200 {
        return Some(format!("{place}: lost: its record answers {}: {}", answer.status, answer.body));
    }
    let outcome = answer.body["outcome"].as_str().unwrap_or_default();
    if !is_good(outcome) {
        return Some(format!(
            "{place}: {outcome}, reason {}, {}",
            answer.body["reason"], answer.body["detail"]
        ));
    }
    let hubs = answer.body["hubs"].as_array().cloned().unwrap_or_default();
    let without_proof = |hub: &&Value| {
        !is_good(hub["outcome"].as_str().unwrap_or_default()) || !hub["evidence"]["thumbprint"].is_string()
    };
    if let Some(hub) = hubs.iter().find(without_proof) {
        return Some(format!("{place}: {outcome}, but a hub has no proof: {hub}"));
    }
    let most = namespace.hubs.len() * namespace.policies.len();
    if hubs.len() != most && hubs.len() != 1 {
        return Some(format!("{place}: {} pairs of hub and policy were judged, not {most} or 1", hubs.len()));
    }
    None
}

fn is_good(outcome: &str) -> bool {
    matches!(outcome, "trusted" | "already-trusted")
}

/// The campaign's processes, which share one subscription.
const PROCESSES: usize = 2;

/// One look plans, one proves. A third one is lawful where the second one came before the service was done with a hub, as on a
/// machine that is slow; [`reads`] keeps that from being the rule.
const MOST_LOOKS: usize = 3;

/// The app asks ARM no more than it needs to.
pub fn calls(namespaces: &[CampaignNamespace], accounts: &Accounts, batches: usize) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some((kind, count)) = accounts.other.iter().next() {
        broken.push(format!("{count} calls of a kind that no sync needs: {kind}"));
    }
    if accounts.versions > PROCESSES {
        broken.push(format!("{} questions for versions; each process asks once", accounts.versions));
    }
    if accounts.hub_lists > batches {
        broken.push(format!("{} lists of all hubs in {batches} batches", accounts.hub_lists));
    }
    for namespace in namespaces {
        let lists = accounts.policies.get(&namespace.name).copied().unwrap_or_default();
        let read = |hub: &String| accounts.certificates.get(hub).copied().unwrap_or_default();
        let most = namespace.hubs.iter().map(read).max().unwrap_or_default();
        if lists > MOST_LOOKS || most > MOST_LOOKS {
            broken.push(format!(
                "{}: its policies were listed {lists} times and the certificates of one hub {most} times; {MOST_LOOKS} are allowed ({:?})",
                namespace.name, namespace.start
            ));
        }
    }
    broken
}

/// The app reads from Resource Manager what a look needs, twice, and little beside it. No judgement where the fleet is
/// so small that the reads for all hubs outweigh the rest.
pub fn reads(accounts: &Accounts, limits: Limits, hubs: usize) -> Vec<String> {
    let per_hub = accounts.reads as f64 / hubs.max(1) as f64;
    if accounts.floor_seconds(limits) < SHORTEST_FLOOR_SECONDS || per_hub <= MOST_READS_PER_HUB {
        return Vec::new();
    }
    vec![format!("{per_hub:.2} reads per hub; {MOST_READS_PER_HUB} are allowed")]
}

/// The run takes at most `most` times as long as the buckets explain. No judgement where the floor is too short.
pub fn ratio(accounts: &Accounts, limits: Limits, wall_seconds: f64, most: f64) -> Vec<String> {
    let floor = accounts.floor_seconds(limits);
    if floor < SHORTEST_FLOOR_SECONDS || wall_seconds <= most * floor {
        return Vec::new();
    }
    let ratio = wall_seconds / floor;
    vec![format!("{wall_seconds:.1} s are {ratio:.2} times the floor of {floor:.1} s; {most} is allowed")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet;
    use crate::random;
    use crate::requests::{Order, plan};
    use serde_json::json;

    fn accounts(sent: &[(&str, usize)]) -> Accounts {
        let synchronize = sent.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Accounts { synchronize, ..Accounts::default() }
    }

    #[test]
    fn a_sync_too_many_too_few_or_out_of_place_is_named() {
        let (_, namespaces) = fleet::generate(4, 1, 100);
        let exact = [("contoso-000", 1), ("contoso-001", 1), ("contoso-002", 1)];
        let syncs = Syncs { most: 1 };
        assert!(synchronize(&namespaces, &accounts(&exact), syncs).is_empty());
        let wrong = [("contoso-000", 2), ("contoso-001", 1), ("contoso-003", 1)];
        let broken = synchronize(&namespaces, &accounts(&wrong), syncs);
        assert_eq!(broken.len(), 3, "{broken:?}");
        assert_eq!(synchronize(&namespaces, &accounts(&wrong), Syncs { most: 2 }).len(), 2);
    }

    #[test]
    fn a_request_without_an_end_or_without_proof_is_named() {
        let (_, namespaces) = fleet::generate(1, 1, 100);
        let request = &plan(&namespaces, 1, Order::Random, &mut random::part(1, "test"))[0];
        let judge = |status, body| requests(&namespaces, &[(request, Answer { status, body })]);
        let hub = json!({"hub": "h", "policy": "p", "outcome": "trusted", "evidence": {"thumbprint": "AB"}});
        assert!(judge(200, json!({"outcome": "trusted", "hubs": [hub, hub]})).is_empty());
        let bare = json!({"hub": "h", "policy": "p", "outcome": "trusted", "evidence": null});
        for wrong in
            [json!({"outcome": "syncing", "hubs": []}), json!({"outcome": "trusted", "hubs": [hub, bare]})]
        {
            assert_eq!(judge(200, wrong).len(), 1);
        }
        assert_eq!(judge(404, json!({})).len(), 1);
    }

    #[test]
    fn a_fourth_look_at_a_namespace_is_named() {
        let (_, namespaces) = fleet::generate(1, 1, 100);
        let looks = |count| {
            let policies = [(namespaces[0].name.clone(), count)].into_iter().collect();
            calls(&namespaces, &Accounts { policies, ..Accounts::default() }, 1).len()
        };
        assert_eq!((looks(3), looks(4)), (0, 1));
    }

    #[test]
    fn more_reads_than_two_looks_need_are_named() {
        let limits = Limits::default();
        let reads = |reads| super::reads(&Accounts { reads, ..Accounts::default() }, limits, 1_000);
        assert_eq!((reads(2_500).len(), reads(2_501).len(), reads(10).len()), (0, 1, 0));
    }

    #[test]
    fn a_slow_run_is_told_from_one_that_the_buckets_explain() {
        let limits = Limits::default();
        let long = Accounts { reads: 2_700, ..Accounts::default() };
        assert!(ratio(&long, limits, 129.0, 1.3).is_empty());
        assert_eq!(ratio(&long, limits, 131.0, 1.3).len(), 1);
        assert!(ratio(&Accounts::default(), limits, 30.0, 1.3).is_empty());
    }
}
