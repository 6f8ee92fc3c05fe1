//! While a namespace is frozen no POST is sent, whenever the window opens, but for a request that insists; what is true stays true.

use time::Duration;

use crate::reason::Reason;
use crate::request::Outcome;
use crate::sync::pause::CLAIM_DEADLINE;
use crate::sync::tests::stage::{Stage, accepted, claim_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{FailureKind, Phase, PostEnd};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

const FROZEN: (Outcome, Option<Reason>) = (Outcome::Refused, Some(Reason::Frozen));
const INSISTS: &str = r#","breakFreeze":true,"reason":"INC-7""#;

fn freezes(stage: &mut Stage) {
    stage.context.freeze = Some("frozen until 2027-01-07 00:00 UTC: peak".to_owned());
}

#[test]
fn a_request_that_needs_the_post_is_refused_and_one_that_is_satisfied_is_told_so() {
    for seen in [[Stale, Trusted], [Missing, Missing], [Trusted, Trusted], [Unreadable, Trusted]] {
        let mut stage = Stage::new();
        freezes(&mut stage);
        stage.submit("r-1", "");
        let wanted = stage.looks(&sees(&seen));
        assert_eq!(claim_in(&wanted), None, "{seen:?}");
        let needs = seen.iter().any(|trust| trust.lacks_current());
        assert_eq!(stage.told("r-1") == FROZEN, needs, "{seen:?}: {:?}", stage.told("r-1"));
        if seen == [Trusted, Trusted] {
            assert_eq!(stage.told("r-1").0, Outcome::AlreadyTrusted);
        }
    }
}

#[test]
fn a_request_that_insists_is_done_and_the_others_beside_it_are_refused() {
    let mut stage = Stage::new();
    freezes(&mut stage);
    stage.submit("r-1", "");
    stage.submit("r-2", INSISTS);
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    let planned: Vec<_> = claim.planned.iter().map(|planned| planned.request.request_id.as_str()).collect();
    assert_eq!(planned, ["r-2"]);
    assert!(claim.planned[0].plan.as_ref().is_some_and(|plan| plan.len() == 32), "its plan has a hash");
    stage.post_ends(&claim, accepted());
    assert_eq!((stage.record().phase, stage.told("r-1")), (Phase::Started, FROZEN));
}

#[test]
fn a_window_that_opens_after_the_claim_ends_the_requests_without_a_post() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    freezes(&mut stage);
    // The sender asks the guard once more.
    let wanted = stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Frozen)));
    assert_eq!((stage.told("r-1"), claim_in(&wanted)), (FROZEN, None));
    assert_eq!((stage.record().phase, &stage.record().sent), (Phase::Ended, &None));
}

#[test]
fn a_lost_answer_is_not_sent_again_while_it_is_frozen_unless_a_request_insists() {
    for (rest, is_sent) in [("", false), (INSISTS, true)] {
        let mut stage = Stage::new();
        stage.submit("r-1", rest);
        let claim = stage.claims(&sees(&[Stale, Trusted]));
        stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
        freezes(&mut stage);
        stage.passes(CLAIM_DEADLINE + Duration::SECOND);
        let wanted = stage.looks(&sees(&[Stale, Trusted]));
        assert_eq!(claim_in(&wanted).is_some(), is_sent, "{rest}");
        assert_eq!(stage.told("r-1") == FROZEN, !is_sent, "{rest}");
    }
}

/// The service may have taken the POST, so its evidence may come until the claim counts as lost.
#[test]
fn a_window_that_opens_while_an_answer_may_come_ends_nothing() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    let claimed_at = stage.context.now;
    stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    freezes(&mut stage);
    stage.looks(&sees(&[Stale, Trusted]));
    assert!(stage.context.now - claimed_at <= CLAIM_DEADLINE);
    assert_eq!((stage.record().phase, stage.told("r-1").0), (Phase::Claimed, Outcome::Syncing));
}

#[test]
fn evidence_of_a_post_from_before_the_window_counts() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.post_ends(&claim, accepted());
    freezes(&mut stage);
    stage.passes(Duration::seconds(10));
    stage.looks(&sees(&[Trusted, Trusted]));
    assert_eq!(stage.told("r-1").0, Outcome::Trusted);
}
