//! One POST per need, also across syncs, and `trusted` is proof.

use time::Duration;

use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::pause::{CLAIM_DEADLINE, CLOCKS_APART, MOST_POSTS};
use crate::sync::tests::stage::{Stage, accepted, claim_in, follow_ups_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{Claim, Effect, Event, FailureKind, Phase, PostEnd};
use crate::trust::Trust::{Stale, Trusted};

/// `sync-1` claimed a POST for `h1`. Before it has an answer another client has given `h1` the CA, so that the sync
/// ends. Then `h2` lacks the CA, and `r-2` asks for a sync.
fn ended_while_its_post_is_under_way() -> (Stage, Claim) {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    // The run that sends the POST is slow: the report makes room for another look, which takes its place.
    stage.passes(Duration::minutes(3));
    stage.record.as_mut().unwrap().next_look_at = stage.context.now - Duration::minutes(5);
    stage.happens(&Event::TimerPassed);
    stage.passes(Duration::seconds(-170));
    stage.record.as_mut().unwrap().next_look_at = stage.context.now;
    stage.left.clear();
    stage.looks(&sees(&[Trusted, Trusted]));
    assert_eq!((stage.told("r-1").0, stage.record().phase), (Outcome::Trusted, Phase::Ended));
    stage.submit("r-2", "");
    (stage, claim)
}

#[test]
fn the_next_sync_waits_while_a_post_may_be_on_its_way() {
    let (mut stage, claim) = ended_while_its_post_is_under_way();
    let wanted = stage.looks(&sees(&[Trusted, Stale]));
    assert_eq!((claim_in(&wanted), stage.record().phase), (None, Phase::Gathering));
    assert_eq!(follow_ups_in(&wanted).len(), 1);
    assert_eq!(stage.told("r-2").0, Outcome::Syncing);
    // The answer comes, and `h1` has the CA that the POST was for, so a POST for the other need can be sent.
    stage.post_ends(&claim, accepted());
    assert!(stage.record().sent.as_ref().unwrap().is_accepted);
    let next = stage.claims(&sees(&[Trusted, Stale]));
    assert_eq!(next.look.sync_id, "sync-2");
}

#[test]
fn the_next_sync_waits_for_what_the_last_post_was_for() {
    let (mut stage, claim) = ended_while_its_post_is_under_way();
    stage.post_ends(&claim, accepted());
    // `h1` lacks the CA again: the POST may be about to give it.
    assert_eq!(claim_in(&stage.looks(&sees(&[Stale, Stale]))), None);
    stage.claims(&sees(&[Trusted, Stale]));
}

#[test]
fn a_post_that_was_refused_late_is_waited_for_no_more() {
    let (mut stage, claim) = ended_while_its_post_is_under_way();
    stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
    assert_eq!(stage.record().sent, None);
    stage.claims(&sees(&[Stale, Stale]));
}

#[test]
fn a_lost_answer_is_waited_for_until_the_claims_time_is_over_and_no_longer() {
    let (mut stage, claim) = ended_while_its_post_is_under_way();
    let claimed_at = stage.record().sent.as_ref().unwrap().claimed_at;
    stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    let mut looks = 0;
    let next = loop {
        if let Some(next) = claim_in(&stage.looks(&sees(&[Stale, Stale]))) {
            break next;
        }
        looks += 1;
        assert!(looks < 20);
    };
    assert!(looks > 1 && stage.context.now - claimed_at > CLAIM_DEADLINE);
    assert!(stage.context.now - claimed_at < CLAIM_DEADLINE + CLOCKS_APART + Duration::MINUTE);
    // The record remembers the second POST now, so the late answer to the first one changes nothing.
    let before = stage.record.clone();
    for end in [accepted(), PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict)))] {
        let wanted = stage.happens(&Event::PostEnded { claim: claim.clone(), end });
        assert_eq!((wanted, &stage.record), (vec![], &before));
    }
    assert_eq!(
        before.unwrap().sent.map(|sent| (sent.sync_id, sent.post)),
        Some((next.look.sync_id, next.post))
    );
}

#[test]
fn a_renewed_ca_is_another_need() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.post_ends(&claim, accepted());
    stage.looks(&sees(&[Trusted, Trusted]));
    stage.submit("r-2", "");
    let mut renewed = sees(&[Trusted, Trusted]);
    let end = &mut renewed.policies[0].issuing_ca.not_after;
    *end = end.map(|end| end + Duration::DAY);
    stage.claims(&renewed);
}

#[test]
fn a_request_whose_progress_was_not_recorded_after_the_post_is_told_trusted() {
    // The run is killed after it sent the POST, before it recorded anything of the POST or the requests.
    for is_answered in [false, true] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let claim = stage.claims(&sees(&[Stale, Trusted]));
        if is_answered {
            stage.post_ends(&claim, accepted());
            stage.requests[0].hubs.clear();
            stage.requests[0].conclude(Outcome::Queued, None, None, stage.context.now);
        } else {
            stage.left.clear();
            // Its message comes again: the look is left alone once, then another takes its place.
            let attempt = claim.look.attempt;
            stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt });
        }
        assert_eq!(stage.told("r-1"), (Outcome::Queued, None));
        stage.looks(&sees(&[Trusted, Trusted]));
        assert_eq!(stage.told("r-1"), (Outcome::Trusted, None), "{is_answered}");
        let evidence = stage.requests[0].hubs.iter().filter(|hub| hub.evidence.is_some()).count();
        assert_eq!(evidence, 2);
    }
}

#[test]
fn trusted_is_told_with_what_was_seen_and_a_finished_operation_is_no_proof() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.post_ends(&claim, accepted());
    stage.looks(&sees(&[Stale, Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::Syncing, Some(Reason::SyncRunning)));
    let wanted = stage.looks(&sees(&[Trusted, Trusted]));
    let outcomes: Vec<_> = stage.requests[0].hubs.iter().map(|hub| hub.outcome).collect();
    assert_eq!(outcomes, [Outcome::Trusted, Outcome::AlreadyTrusted]);
    assert!(stage.requests[0].hubs.iter().all(|hub| hub.evidence.is_some()));
    let measured = wanted.iter().filter(|effect| matches!(effect, Effect::Measure { .. })).count();
    assert_eq!(measured, 1);
}

#[test]
fn a_post_that_was_refused_leaves_the_lost_ones_their_tries() {
    let seen = sees(&[Stale, Stale]);
    let mut stage = Stage::new();
    stage.context.patience = Duration::hours(9);
    stage.submit("r-1", "");
    for _ in 0..MOST_POSTS {
        let claim = stage.claims(&seen);
        stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
        assert_eq!(stage.record().phase, Phase::Gathering);
    }
    // The answers to these POSTs are lost, one after the other.
    let mut claims = Vec::new();
    for _ in 0..40 {
        if let Some(claim) = claim_in(&stage.looks(&seen)) {
            stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
            claims.push(claim.post);
        }
    }
    assert_eq!(claims, (MOST_POSTS + 1..=2 * MOST_POSTS).collect::<Vec<_>>());
    assert!(stage.record().is_open() && stage.context.now < stage.record().deadline);
}

#[test]
fn the_post_is_wanted_before_any_outcome() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let wanted = stage.looks(&sees(&[Stale, Trusted]));
    assert!(matches!(wanted.as_slice(), [Effect::Post(_), Effect::Conclude(_)]), "{wanted:?}");
    assert_eq!(stage.told("r-1").0, Outcome::Queued);
}
