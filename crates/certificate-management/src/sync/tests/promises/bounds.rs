//! The bounds of what a record holds, and how long it holds it.

use time::Duration;

use crate::reason::Reason;
use crate::request::{MAX_REQUEST_ID, Outcome, RequestRecord, SyncRequest};
use crate::sync::tests::stage::{Stage, accepted, claim_in, follow_ups_in, sees};
use crate::sync::tests::world::{NAMESPACE, NOW, request};
use crate::sync::{
    Effect, Event, MOST_REQUESTS, Missing, Phase, Sent, Setback, SyncOperation, SyncRecord, look_again_after,
    purges,
};
use crate::trust::Trust::{Stale, Trusted};

/// As many requests, with ids of the longest kind.
fn many(count: usize, rest: &str) -> Vec<RequestRecord> {
    let id = |number: usize| format!("{number:0>width$}", width = MAX_REQUEST_ID);
    (0..count).map(|number| RequestRecord::queued(request(&id(number), rest), NOW)).collect()
}

fn put_back(wanted: &[Effect]) -> Vec<&SyncRequest> {
    let put_back = wanted.iter().flat_map(|effect| match effect {
        Effect::PutBack(requests) => requests.as_slice(),
        _ => &[],
    });
    put_back.collect()
}

#[test]
fn what_comes_beyond_the_most_requests_goes_back_to_the_queue() {
    let mut stage = Stage::new();
    stage.requests = many(MOST_REQUESTS + 3, "");
    let ids: Vec<String> = stage.requests.iter().map(|known| known.request.request_id.clone()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let wanted = stage.message_comes(&ids);
    assert_eq!(stage.record().known().count(), MOST_REQUESTS);
    assert_eq!((follow_ups_in(&wanted).len(), put_back(&wanted).len()), (1, 3));
    // No request joins twice, and none is dropped.
    let back: Vec<&str> = put_back(&wanted).iter().map(|request| request.request_id.as_str()).collect();
    assert!(back.iter().all(|id| !stage.record().knows(id)));
    assert!(ids.iter().all(|id| stage.record().knows(id) || back.contains(id)));
    // The bound holds after the claim too, when new requests wait.
    let claim = claim_in(&stage.looks(&sees(&[Stale, Trusted]))).unwrap();
    let wanted = stage.message_comes(&back);
    assert_eq!((put_back(&wanted).len(), stage.record().waiting.len()), (3, 0));
    stage.post_ends(&claim, accepted());
    // Requests that have their outcome make room.
    stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
    let wanted = stage.message_comes(&back);
    assert_eq!((put_back(&wanted).len(), stage.record().requests.len()), (0, 3));
}

#[test]
fn a_message_of_many_that_comes_again_sends_the_follow_up_again() {
    let mut stage = Stage::new();
    stage.requests = many(MOST_REQUESTS + 1, "");
    let ids: Vec<String> = stage.requests.iter().map(|known| known.request.request_id.clone()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let first = stage.message_comes(&ids);
    let second = stage.message_comes(&ids);
    assert_eq!(first, second);
}

#[test]
fn a_record_of_the_most_and_the_longest_stays_under_256_kib() {
    let namespace = format!("{NAMESPACE}{}", "n".repeat(2_048 - NAMESPACE.len()));
    let ids = many(MOST_REQUESTS, "").into_iter().map(|known| known.request.request_id);
    let record = SyncRecord {
        sync_id: "s".repeat(26),
        namespace_id: crate::ArmId::parse(&namespace).unwrap(),
        phase: Phase::Claimed,
        since: NOW,
        deadline: NOW,
        next_look_at: NOW,
        scheduled_at: Some(NOW),
        attempt: u32::MAX,
        look: Some(u32::MAX),
        claimed_at: Some(NOW),
        posts: u32::MAX,
        missing: Some(Missing { look: u32::MAX, requests: vec!["0".repeat(8); MOST_REQUESTS] }),
        refused: u32::MAX,
        operation: Some(SyncOperation {
            url: Some("u".repeat(8_192)),
            finished: false,
            retry_after_seconds: Some(u64::MAX),
            started_at: Some(NOW),
        }),
        setback: Some(Setback { reason: Reason::SyncConflict, detail: "d".repeat(4_096) }),
        sent: Some(Sent {
            sync_id: "s".repeat(26),
            post: u32::MAX,
            claimed_at: NOW,
            is_accepted: false,
            pairs: Some(vec!["0".repeat(16); 1_000]),
        }),
        plan: Some("0".repeat(32)),
        requests: ids.collect(),
        waiting: Vec::new(),
        traceparent: Some("t".repeat(1_024)),
    };
    let length = serde_json::to_vec(&record).unwrap().len();
    assert!(length < 256 * 1024, "{length} bytes");
}

#[test]
fn where_there_are_many_pairs_the_post_counts_as_one_for_every_pair() {
    let pairs = |hubs: usize| {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        stage.claims(&sees(&vec![Stale; hubs]));
        stage.record().sent.clone().unwrap().pairs.map(|pairs| pairs.len())
    };
    assert_eq!((pairs(1_000), pairs(1_001)), (Some(1_000), None));
}

#[test]
fn only_what_is_final_is_ever_purged() {
    let record = |outcome| {
        let mut record = RequestRecord::queued(request("r-1", ""), NOW - Duration::weeks(1_000));
        record.outcome = outcome;
        record
    };
    for (outcome, is_purged) in [
        (Outcome::Queued, false),
        (Outcome::Syncing, false),
        (Outcome::AlreadyTrusted, true),
        (Outcome::Trusted, true),
        (Outcome::Unverified, true),
        (Outcome::Refused, true),
        (Outcome::Failed, true),
    ] {
        assert_eq!(purges(&record(outcome)), is_purged, "{outcome}");
    }
}

#[test]
fn looks_after_events_back_off_and_end() {
    let pauses: Vec<Duration> = (0..).map_while(|attempt| look_again_after(attempt, true)).collect();
    assert_eq!(pauses.len(), 8);
    assert!(pauses.windows(2).all(|two| two[0] <= two[1]), "{pauses:?}");
    assert!(pauses[0] > Duration::seconds(7) && pauses[7] > Duration::minutes(2), "{pauses:?}");
    for attempt in [0, 1, 7, 8, u32::MAX] {
        assert_eq!(look_again_after(attempt, false), None, "what does not pass is not tried again");
    }
    assert_eq!((look_again_after(8, true), look_again_after(u32::MAX, true)), (None, None));
}

#[test]
fn a_request_that_no_sync_knows_joins_when_the_report_finds_it() {
    // The message of the request was dead-lettered; its record says `queued`, or has an outcome of an earlier sync.
    let mut stage = Stage::new();
    let mut known = RequestRecord::queued(request("r-1", ""), NOW - Duration::DAY);
    known.conclude(Outcome::Syncing, None, None, NOW - Duration::DAY);
    stage.requests.push(known);
    let wanted = stage.message_comes(&["r-1"]);
    assert_eq!(follow_ups_in(&wanted).len(), 1);
    stage.goes_on_to_its_end(&sees(&[Trusted]));
    assert!(stage.told("r-1").0.is_final());
    // A request with a final outcome opens no sync.
    let before = stage.record.clone();
    assert_eq!((stage.message_comes(&["r-1"]), &stage.record), (vec![], &before));
    assert_eq!(stage.happens(&Event::TimerPassed), []);
}
