//! A need has one deadline. A lock is final, and a request that cannot change ends.

use time::Duration;

use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::tests::stage::{Stage, accepted, claim_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{Effect, Event, Failure, FailureKind, Look, OperationState, Phase, PostEnd, SyncOperation};
use crate::trust::Trust::{Stale, Trusted, Unreadable};

fn locked(code: &str) -> PostEnd {
    PostEnd::Refused(Failure {
        code: Some(code.to_owned()),
        ..failure(FailureKind::Call(CallFailure::Conflict))
    })
}

#[test]
fn a_lock_is_final_at_the_first_post() {
    for code in ["ScopeLocked", "scopelocked", "ReadOnlyDisabledSubscription"] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let claim = stage.claims(&sees(&[Stale]));
        let wanted = stage.post_ends(&claim, locked(code));
        assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::NamespaceLocked)), "{code}");
        assert_eq!((stage.record().phase, &stage.record().sent), (Phase::Ended, &None));
        assert!(wanted.iter().any(|effect| matches!(effect, Effect::Measure { .. })));
    }
}

#[test]
fn a_conflict_ends_at_the_one_deadline_however_often_it_is_claimed_again() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let (mut posts, mut deadline) = (0, None);
    while stage.record().is_open() {
        assert!(posts < 100, "it is claimed for ever");
        let Some(claim) = claim_in(&stage.looks(&sees(&[Stale]))) else { continue };
        posts += 1;
        let first = *deadline.get_or_insert(stage.record().deadline);
        assert_eq!(stage.record().deadline, first, "claim {posts} moved the deadline");
        assert!(stage.context.now < first, "claim {posts} came after the deadline");
        stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
        assert_eq!(stage.record().deadline, first, "the conflict moved the deadline");
    }
    assert!(posts > 2, "it was tried again while there was time");
    assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::SyncConflict)));
    assert!(stage.context.now - deadline.unwrap() <= Duration::minutes(3), "{}", stage.context.now);
}

#[test]
fn a_request_that_joins_after_a_conflict_has_its_own_time() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
    stage.context.now = stage.record().deadline - Duration::MINUTE;
    stage.submit("r-2", "");
    stage.passes(Duration::minutes(2));
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, accepted());
    assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::SyncConflict)));
    assert_eq!(claim.planned.len(), 1);
    assert_eq!(claim.planned[0].request.request_id, "r-2");
}

#[test]
fn a_lost_answer_is_posted_again_three_times_at_the_most_and_ends_unverified() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let mut posts = 0;
    while stage.record().is_open() {
        let Some(claim) = claim_in(&stage.looks(&sees(&[Stale]))) else { continue };
        posts += 1;
        stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    }
    assert_eq!((posts, stage.record().posts), (3, 3));
    assert_eq!(stage.told("r-1"), (Outcome::Unverified, Some(Reason::EvidenceMissing)));
}

#[test]
fn a_patience_beyond_the_calendar_is_no_haste() {
    let mut stage = Stage::new();
    stage.context.patience = Duration::MAX;
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, accepted());
    stage.looks(&sees(&[Stale]));
    assert_eq!(stage.told("r-1").0, Outcome::Syncing);
}

#[test]
fn empty_pairs_become_final() {
    // For a request without outcomes of hubs, and for one with them.
    for with_hubs in [false, true] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let claim = stage.claims(&sees(&[Stale]));
        stage.post_ends(&claim, accepted());
        if !with_hubs {
            stage.requests[0].hubs.clear();
        }
        // Every hub is unlinked.
        stage.looks(&sees(&[]));
        assert_eq!(stage.told("r-1"), (Outcome::Refused, Some(Reason::HubGone)), "{with_hubs}");
        assert!(!stage.record().is_open());
    }
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[]));
    assert_eq!(stage.told("r-1"), (Outcome::Refused, Some(Reason::NoHubsLinked)));
    assert!(!stage.record().is_open());
}

#[test]
fn a_sync_of_requests_that_have_no_record_ends() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.requests.clear();
    for phase in [Phase::Gathering, Phase::Ended] {
        let look = stage.look_begins();
        let missing = vec!["r-1".to_owned()];
        let seen = sees(&[Stale]);
        let operation = OperationState::Silent;
        let wanted = stage.happens(&Event::Observed { look, seen: Ok(&seen), operation, missing });
        assert_eq!((claim_in(&wanted), stage.record().phase), (None, phase));
    }
}

#[test]
fn what_gathers_again_has_no_operation() {
    // After a conflict, and after a watch. If the sync kept the operation of before, a look would ask it and tell its
    // failure.
    let old = SyncOperation {
        url: Some("https://service/operations/0".to_owned()),
        finished: false,
        retry_after_seconds: None,
        started_at: None,
    };
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[Unreadable]));
    stage.record.as_mut().unwrap().operation = Some(old.clone());
    stage.looks(&sees(&[Stale]));
    assert_eq!((stage.record().phase, &stage.record().operation), (Phase::Gathering, &None));
    stage.record.as_mut().unwrap().operation = Some(old);
    // The last release left the operation in the record. No look asks it, since it says nothing about the requests that
    // gather.
    let Look { sync_id, attempt, .. } = stage.look_begins();
    let awaited = Event::FollowUp { sync_id: &sync_id, attempt };
    stage.record.as_mut().unwrap().look = None;
    assert!(matches!(stage.happens(&awaited).as_slice(), [Effect::Observe(..)]));
    stage.record.as_mut().unwrap().look = None;
    stage.claims(&sees(&[Stale]));
    assert_eq!(stage.record().operation, None, "a claim has no operation before its POST has an answer");
}

#[test]
fn an_operation_that_failed_ends_the_requests_and_lets_the_next_sync_post_at_once() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.post_ends(&claim, accepted());
    let look = stage.look_begins();
    stage.observed(look, Ok(&sees(&[Stale, Trusted])), OperationState::Failed("no".to_owned()));
    assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::SyncFailed)));
    stage.submit("r-2", "");
    stage.claims(&sees(&[Stale, Trusted]));
}
