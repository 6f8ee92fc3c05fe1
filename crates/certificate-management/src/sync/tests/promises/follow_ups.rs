//! Follow-ups: forged ones change nothing, and none depends on two clocks agreeing.

use time::Duration;

use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::tests::stage::{Stage, accepted, claim_in, follow_ups_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{Effect, Event, FailureKind, FollowUp, OperationState, Phase, PostEnd};
use crate::trust::Trust::{Stale, Trusted, Unreadable};

/// A sync in each phase.
fn in_each_phase() -> Vec<Stage> {
    let gathering = || {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        stage
    };
    let mut claimed = gathering();
    let claim = claimed.claims(&sees(&[Stale]));
    claimed.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    let mut started = gathering();
    let claim = started.claims(&sees(&[Stale]));
    started.post_ends(&claim, accepted());
    let mut watching = gathering();
    watching.looks(&sees(&[Unreadable]));
    let mut ended = gathering();
    ended.looks(&sees(&[Trusted]));
    vec![gathering(), claimed, started, watching, ended]
}

#[test]
fn a_follow_up_that_the_record_does_not_wait_for_only_sends_the_one_that_it_waits_for() {
    for mut stage in in_each_phase() {
        let record = stage.record().clone();
        let awaited = record.attempt;
        for (sync_id, attempt) in [
            (record.sync_id.as_str(), awaited + 1),
            (record.sync_id.as_str(), awaited + 2),
            (record.sync_id.as_str(), u32::MAX),
            (record.sync_id.as_str(), awaited - 1),
            (record.sync_id.as_str(), 0),
            ("sync-0", awaited),
            ("", 1),
        ] {
            let wanted = stage.happens(&Event::FollowUp { sync_id, attempt });
            assert_eq!(stage.record(), &record, "{} {sync_id} {attempt}", record.phase);
            if record.is_open() {
                assert_eq!(wanted, [Effect::SendFollowUp(FollowUp::of(&record))]);
            } else {
                assert_eq!(wanted, []);
            }
        }
    }
}

/// One follow-up is under way for the sync; each further one would be a look more.
#[test]
fn a_request_that_joins_sends_no_follow_up_and_a_message_that_comes_again_does() {
    let mut stage = Stage::new();
    assert_eq!(follow_ups_in(&stage.submit("r-1", "")).len(), 1);
    assert_eq!(follow_ups_in(&stage.submit("r-2", "")).len(), 0);
    assert_eq!(follow_ups_in(&stage.message_comes(&["r-1"])).len(), 1);
}

#[test]
fn a_follow_up_without_a_record_is_nothing() {
    let mut stage = Stage::new();
    assert_eq!(stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt: 1 }), []);
    assert_eq!(stage.record, None);
}

#[test]
fn a_record_that_a_forged_follow_up_brought_to_the_highest_number_counts_anew() {
    for mut stage in in_each_phase().into_iter().filter(|stage| stage.record().is_open()) {
        stage.record.as_mut().unwrap().attempt = u32::MAX;
        let phase = stage.record().phase;
        stage.looks_in_vain(&failure(FailureKind::Call(CallFailure::Unavailable)));
        assert_eq!((stage.record().attempt, stage.record().look), (1, None), "{phase}");
        assert_ne!(stage.record().sync_id, "sync-1", "the queue may know the low numbers of the old id");
        stage.goes_on_to_its_end(&sees(&[Trusted]));
        assert!(stage.told("r-1").0.is_final(), "{phase}");
    }
}

#[test]
fn the_report_takes_up_a_record_of_the_highest_number() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.record.as_mut().unwrap().attempt = u32::MAX;
    stage.passes(Duration::HOUR);
    let wanted = stage.happens(&Event::TimerPassed);
    assert_eq!(follow_ups_in(&wanted).len(), 1);
    stage.goes_on_to_its_end(&sees(&[Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::AlreadyTrusted, None));
}

#[test]
fn a_second_delivery_is_left_alone_once_and_then_takes_over_whatever_the_clock_says() {
    let minutes = [-2, 0, 2].map(Duration::minutes);
    for (second, third) in minutes.into_iter().flat_map(|second| minutes.map(|third| (second, third))) {
        for mut stage in in_each_phase().into_iter().filter(|stage| stage.record().is_open()) {
            let phase = stage.record().phase;
            let begun = stage.context.now;
            let first = stage.look_begins();
            let attempt = first.attempt;
            // Another instance gets the same message and sends one follow-up, under a number that the queue does not
            // know.
            stage.context.now = begun + second;
            let wanted = stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt });
            let sent = follow_ups_in(&wanted);
            assert_eq!((wanted.len(), sent.len(), sent[0].attempt), (1, 1, attempt + 1), "{phase}");
            assert_eq!(stage.record().look, Some(attempt), "{phase}: the first look goes on");
            // That follow-up comes early or late by any clock, and its look takes the place of the first look.
            stage.context.now = begun + third;
            let wanted = stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt: attempt + 1 });
            assert!(matches!(wanted.as_slice(), [Effect::Observe(look, _)] if look.attempt == attempt + 1));
            // The results of the first look count no more.
            let before = stage.record.clone();
            let wanted = stage.observed(first, Ok(&sees(&[Stale])), OperationState::Silent);
            assert_eq!((wanted, &stage.record), (vec![], &before), "{phase}");
        }
    }
}

#[test]
fn a_look_that_was_left_alone_still_counts() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let first = stage.look_begins();
    stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt: 1 });
    let wanted = stage.observed(first, Ok(&sees(&[Stale])), OperationState::Silent);
    let claim = claim_in(&wanted).unwrap();
    let wanted = stage.post_ends(&claim, accepted());
    let sent: Vec<u32> = follow_ups_in(&wanted).iter().map(|sent| sent.attempt).collect();
    assert_eq!((stage.record().phase, sent), (Phase::Started, vec![3]));
    // The follow-up that would have taken its place comes too, and begins no second look.
    let wanted = stage.happens(&Event::FollowUp { sync_id: "sync-1", attempt: 2 });
    assert_eq!(wanted, [Effect::SendFollowUp(FollowUp::of(stage.record()))]);
    stage.goes_on_to_its_end(&sees(&[Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::Trusted, None));
}

#[test]
fn a_follow_up_that_was_lost_is_sent_again_under_a_new_number_and_only_when_it_is_late() {
    for mut stage in in_each_phase().into_iter().filter(|stage| stage.record().is_open()) {
        let (awaited, due) = (stage.record().attempt, stage.record().next_look_at);
        for early in [Duration::ZERO, Duration::minutes(4)] {
            stage.context.now = due + early;
            assert_eq!(stage.happens(&Event::TimerPassed), [], "it is only late");
        }
        stage.context.now = due + Duration::minutes(5);
        let wanted = stage.happens(&Event::TimerPassed);
        assert_eq!(follow_ups_in(&wanted).iter().map(|sent| sent.attempt).collect::<Vec<_>>(), [awaited + 1]);
        stage.goes_on_to_its_end(&sees(&[Trusted]));
        assert!(stage.told("r-1").0.is_final());
    }
}

#[test]
fn a_message_that_comes_again_sends_the_follow_up_again_also_beside_a_new_one() {
    // A run is killed between the record and the follow-up; the message comes again, alone or with others.
    for beside in [false, true] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let awaited = stage.record().attempt;
        if beside {
            let request = crate::sync::tests::world::request("r-2", "");
            stage.requests.push(crate::request::RequestRecord::queued(request, stage.context.now));
        }
        let wanted = stage.message_comes(&["r-1", "r-2"]);
        assert_eq!(
            follow_ups_in(&wanted).iter().map(|sent| sent.attempt).collect::<Vec<_>>(),
            [awaited],
            "{beside}"
        );
        assert_eq!(stage.record().requests.len(), 1 + usize::from(beside));
    }
}

#[test]
fn an_observation_of_another_namespace_says_nothing() {
    let mut other = sees(&[Stale]);
    other.namespace.id =
        crate::ArmId::parse(&other.namespace.id.as_str().replace("contoso", "fabrikam")).unwrap();
    for mut stage in in_each_phase().into_iter().filter(|stage| stage.record().is_open()) {
        let told = stage.told("r-1");
        let wanted = stage.looks(&other);
        assert_eq!((claim_in(&wanted), follow_ups_in(&wanted).len()), (None, 1));
        assert_eq!(stage.told("r-1"), told);
        assert_ne!(told.1, Some(Reason::UnknownHub));
    }
}
