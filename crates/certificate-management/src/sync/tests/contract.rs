//! The JSON of the record is a contract: a version reads the record of the version before it, in every phase, and takes
//! the sync to its end. The texts here are written by hand; a change of one of them changes the contract.

use serde_json::Value;

use super::stage::{Stage, sees};
use super::world::{NAMESPACE, NOW, request};
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord};
use crate::sync::pause::CLAIM_DEADLINE;
use crate::sync::{Phase, PostEnd, SyncOperation, SyncRecord};
use crate::trust::Trust::{Stale, Trusted};
use time::Duration;

/// A stored record for each phase. Every optional member is in one of them at least.
const STORED: [(Phase, &str); 5] = [
    (
        Phase::Gathering,
        r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"gathering","since":"2026-11-23T05:00:00Z","deadline":"2026-11-23T05:30:00Z","nextLookAt":"2026-11-23T05:00:01Z","attempt":1,"claimedAt":null,"posts":0,"operation":null,"requests":["r-1"],"waiting":[],"traceparent":null}"#,
    ),
    (
        Phase::Claimed,
        r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"claimed","since":"2026-11-23T05:00:01Z","deadline":"2026-11-23T05:30:01Z","nextLookAt":"2026-11-23T05:00:01Z","attempt":7,"look":7,"claimedAt":"2026-11-23T05:00:01Z","posts":2,"refused":1,"operation":null,"setback":{"reason":"sync-conflict","detail":"another operation runs"},"sent":{"syncId":"sync-1","post":2,"claimedAt":"2026-11-23T05:00:01Z","isAccepted":false,"pairs":["5aae2a63eb1857d2"]},"requests":["r-1"],"waiting":["r-2","r-3"],"missing":{"look":6,"requests":["2ad1b4c2"]},"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}"#,
    ),
    (
        Phase::Started,
        r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"started","since":"2026-11-23T05:00:02Z","deadline":"2026-11-23T05:30:01Z","nextLookAt":"2026-11-23T05:00:12Z","attempt":8,"claimedAt":"2026-11-23T05:00:01Z","posts":1,"operation":{"url":"https://management.azure.com/operations/1?t=1","finished":false,"retryAfterSeconds":10,"startedAt":"2026-11-23T05:00:02Z"},"sent":{"syncId":"sync-1","post":1,"claimedAt":"2026-11-23T05:00:01Z","isAccepted":true},"requests":["r-1"],"waiting":[],"traceparent":null}"#,
    ),
    (
        Phase::Watching,
        r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"watching","since":"2026-11-23T05:00:01Z","deadline":"2026-11-23T05:30:01Z","nextLookAt":"2026-11-23T05:00:06Z","attempt":2,"claimedAt":"2026-11-23T05:00:01Z","posts":0,"operation":null,"requests":["r-1"],"waiting":[],"traceparent":null}"#,
    ),
    (
        Phase::Ended,
        r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"ended","since":"2026-11-23T05:01:00Z","deadline":"2026-11-23T05:30:01Z","nextLookAt":"2026-11-23T05:00:12Z","attempt":9,"claimedAt":"2026-11-23T05:00:01Z","posts":1,"operation":null,"sent":{"syncId":"sync-0","post":1,"claimedAt":"2026-11-23T05:00:01Z","isAccepted":true,"pairs":[]},"requests":[],"waiting":[],"traceparent":null}"#,
    ),
];

/// A record of the last release: without `look`, `setback` and `sent`, and with a time until which a look held it.
const LAST_RELEASE: &str = r#"{"syncId":"sync-1","namespaceId":"{namespace}","phase":"{phase}","since":"2026-11-23T05:00:00Z","deadline":"2026-11-23T05:30:00Z","nextLookAt":"2026-11-23T05:00:05Z","attempt":3,"lookingUntil":{looking},"claimedAt":{claimed},"posts":{posts},"operation":{operation},"requests":{requests},"waiting":[],"traceparent":null}"#;

fn read(text: &str) -> SyncRecord {
    serde_json::from_str(&text.replace("{namespace}", NAMESPACE)).unwrap()
}

#[test]
fn every_phase_and_every_member_is_stored_as_it_always_was() {
    let mut phases = Vec::new();
    for (phase, text) in STORED {
        let text = text.replace("{namespace}", NAMESPACE);
        let record = read(&text);
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        assert_eq!(
            (record.phase, record.phase.to_string()),
            (phase, json(&text)["phase"].as_str().unwrap().to_owned())
        );
        phases.push(phase);
    }
    assert_eq!(phases, Phase::ALL);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_optional_member_is_in_one_of_the_texts_and_absent_or_null_in_another() {
    for place in [
        "/look",
        "/claimedAt",
        "/refused",
        "/missing",
        "/operation",
        "/setback",
        "/sent",
        "/sent/pairs",
        "/traceparent",
    ] {
        let is_there =
            |(_, text): &(Phase, &str)| json(text).pointer(place).is_some_and(|value| !value.is_null());
        let there = STORED.iter().filter(|stored| is_there(stored)).count();
        assert!((1..STORED.len()).contains(&there), "{place} is in {there}");
    }
}

#[test]
fn members_that_are_not_known_are_ignored_at_every_level() {
    for (_, text) in STORED {
        let known = read(text);
        let mut value = json(&text.replace("{namespace}", NAMESPACE));
        for place in ["", "/operation", "/setback", "/sent", "/missing"] {
            if let Some(Value::Object(members)) = value.pointer_mut(place) {
                members.insert("later".to_owned(), json(r#"{"version":[9]}"#));
            }
        }
        assert_eq!(serde_json::from_value::<SyncRecord>(value).unwrap(), known);
    }
}

#[test]
fn an_operation_of_which_little_was_stored_is_read() {
    let operation: SyncOperation = serde_json::from_str(r#"{"url":null}"#).unwrap();
    let none = SyncOperation { url: None, finished: false, retry_after_seconds: None, started_at: None };
    assert_eq!(operation, none);
}

/// A stage with a record of the last release.
fn left_by_the_last_release(phase: Phase, is_looking: bool) -> Stage {
    let was_claimed = !matches!(phase, Phase::Gathering);
    let posts = u32::from(matches!(phase, Phase::Claimed | Phase::Started | Phase::Ended));
    let operation = match phase {
        Phase::Started => {
            r#"{"url":"https://management.azure.com/operations/1","finished":false,"retryAfterSeconds":10,"startedAt":"2026-11-23T05:00:02Z"}"#
        }
        _ => "null",
    };
    let time = |is_there: bool| if is_there { r#""2026-11-23T05:00:01Z""# } else { "null" };
    let text = LAST_RELEASE
        .replace("{phase}", &phase.to_string())
        .replace("{looking}", time(is_looking))
        .replace("{claimed}", time(was_claimed))
        .replace("{posts}", &posts.to_string())
        .replace("{operation}", operation)
        .replace("{requests}", if phase == Phase::Ended { "[]" } else { r#"["r-1"]"# });
    let mut stage = Stage::new();
    stage.requests.push(RequestRecord::queued(request("r-1", ""), NOW));
    stage.record = Some(read(&text));
    assert_eq!((stage.record().phase, stage.record().look), (phase, None));
    stage.context.next_sync_id = "sync-2".to_owned();
    stage
}

#[test]
fn a_record_of_the_last_release_goes_on_to_its_end_in_every_phase() {
    for (phase, is_looking) in Phase::ALL.into_iter().flat_map(|phase| [(phase, false), (phase, true)]) {
        // Evidence comes.
        let mut stage = left_by_the_last_release(phase, is_looking);
        if phase == Phase::Ended {
            stage.message_comes(&["r-1"]);
            assert_eq!(stage.record().sync_id, "sync-2");
        }
        stage.goes_on_to_its_end(&sees(&[Trusted]));
        assert!(matches!(stage.told("r-1").0, Outcome::Trusted | Outcome::AlreadyTrusted), "{phase}");
        // Evidence does not come: the sync sends the POST that was not sent, and every request ends at the deadline.
        let mut stage = left_by_the_last_release(phase, is_looking);
        if phase == Phase::Ended {
            stage.message_comes(&["r-1"]);
        }
        let mut posts = 0;
        while stage.record().is_open() {
            let Some(claim) = super::stage::claim_in(&stage.looks(&sees(&[Stale]))) else { continue };
            posts += 1;
            assert!(
                phase != Phase::Claimed || stage.context.now - NOW > CLAIM_DEADLINE,
                "the first is under way"
            );
            stage.post_ends(&claim, super::stage::accepted());
        }
        assert_eq!(posts, u32::from(phase != Phase::Started), "{phase}");
        assert_eq!(stage.told("r-1"), (Outcome::Unverified, Some(Reason::EvidenceMissing)), "{phase}");
    }
}

#[test]
fn the_answer_to_a_post_that_the_last_release_claimed_is_taken() {
    let mut stage = left_by_the_last_release(Phase::Claimed, false);
    stage.passes(CLAIM_DEADLINE + Duration::MINUTE);
    let claim = stage.claims(&sees(&[Stale]));
    assert_eq!((claim.post, stage.record().sent.as_ref().map(|sent| sent.post)), (2, Some(2)));
    stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    stage.goes_on_to_its_end(&sees(&[Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::Trusted, None));
}

#[test]
fn debug_shows_no_query_of_an_operations_address() {
    let url = "https://management.azure.com/operations/1?t=638&c=MII&s=SIGNATURE#FRAGMENT".to_owned();
    let operation = SyncOperation {
        url: Some(url),
        finished: false,
        retry_after_seconds: Some(1),
        started_at: Some(NOW),
    };
    let record = SyncRecord { operation: Some(operation.clone()), ..read(STORED[2].1) };
    let end = PostEnd::Accepted(operation.clone());
    for shown in [format!("{operation:?}"), format!("{record:?}"), format!("{record:#?}"), format!("{end:?}")]
    {
        assert!(shown.contains("/operations/1"), "{shown}");
        for secret in ["SIGNATURE", "c=MII", "?", "FRAGMENT"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
