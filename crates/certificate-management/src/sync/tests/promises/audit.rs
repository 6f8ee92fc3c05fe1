//! In `audit` the app writes nothing, whenever the mode changes.

use time::Duration;

use crate::configuration::Mode;
use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::pause::CLAIM_DEADLINE;
use crate::sync::tests::stage::{Stage, accepted, claim_in, follow_ups_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{Effect, FailureKind, Phase, PostEnd};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

const IN_AUDIT: (Outcome, Option<Reason>) = (Outcome::Refused, Some(Reason::AuditMode));

/// A sync whose POST was claimed, sent, and not answered.
fn answer_lost() -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    assert_eq!(stage.record().phase, Phase::Claimed);
    stage
}

#[test]
fn audit_after_the_claim_ends_the_requests_and_the_sync_without_a_post() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.context.mode = Mode::Audit;
    // The sender asks for the mode once more.
    let wanted = stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Audit)));
    assert_eq!((stage.told("r-1"), claim_in(&wanted)), (IN_AUDIT, None));
    assert_eq!((stage.record().phase, &stage.record().sent), (Phase::Ended, &None));
}

#[test]
fn a_lost_answer_is_sent_again_in_enforce_and_never_in_audit() {
    for seen in [[Stale, Trusted], [Missing, Stale], [Unreadable, Stale], [Unreadable, Unreadable]] {
        for mode in [Mode::Enforce, Mode::Audit] {
            let mut stage = answer_lost();
            stage.context.mode = mode;
            stage.passes(CLAIM_DEADLINE + Duration::SECOND);
            let wanted = stage.looks(&sees(&seen));
            let is_sent = mode == Mode::Enforce && seen.iter().any(|trust| trust.lacks_current());
            assert_eq!(claim_in(&wanted).is_some(), is_sent, "{seen:?} in {mode:?}");
            let is_ended = mode == Mode::Audit;
            assert_eq!(stage.told("r-1") == IN_AUDIT, is_ended, "{seen:?} in {mode:?}");
            assert_eq!(stage.record().is_open(), !is_ended, "{seen:?} in {mode:?}");
        }
    }
}

#[test]
fn audit_before_the_claims_deadline_waits_for_evidence_and_sends_nothing() {
    let mut stage = answer_lost();
    stage.context.mode = Mode::Audit;
    let wanted = stage.looks(&sees(&[Stale, Trusted]));
    assert_eq!((claim_in(&wanted), stage.told("r-1").0), (None, Outcome::Syncing));
    // The POST had reached the service before.
    let wanted = stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
    assert_eq!((claim_in(&wanted), stage.told("r-1")), (None, (Outcome::Trusted, None)));
}

#[test]
fn no_look_of_any_sync_ends_in_a_post_in_audit() {
    for seen in [[Missing, Missing], [Stale, Unreadable], [Unreadable, Trusted]] {
        let mut gathering = Stage::new();
        gathering.submit("r-1", "");
        let mut watching = Stage::new();
        watching.submit("r-1", "");
        watching.looks(&sees(&[Unreadable, Trusted]));
        let mut started = Stage::new();
        started.submit("r-1", "");
        let claim = started.claims(&sees(&[Stale, Trusted]));
        started.post_ends(&claim, accepted());
        let mut again = answer_lost();
        again.passes(CLAIM_DEADLINE + Duration::SECOND);
        let claim = again.claims(&sees(&[Stale, Trusted]));
        again.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
        for mut stage in [gathering, watching, started, answer_lost(), again] {
            let begins = stage.record().phase;
            stage.context.mode = Mode::Audit;
            let wanted = stage.goes_on_to_its_end(&sees(&seen));
            assert_eq!(claim_in(&wanted), None, "{begins}, {seen:?}");
            assert!(stage.told("r-1").0.is_final(), "{begins}, {seen:?}");
        }
    }
}

#[test]
fn a_request_whose_message_comes_again_in_audit_while_its_post_is_under_way_is_not_refused() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.context.mode = Mode::Audit;
    let before = stage.record.clone();
    let wanted = stage.message_comes(&["r-1"]);
    assert_eq!((follow_ups_in(&wanted).len(), wanted.len()), (1, 1), "{wanted:?}");
    assert_eq!(stage.record, before);
    // A new request is refused meanwhile.
    let wanted = stage.submit("r-2", "");
    assert!(matches!(wanted.as_slice(), [Effect::Conclude(_)]), "{wanted:?}");
    assert_eq!((stage.told("r-1").0, stage.told("r-2")), (Outcome::Queued, IN_AUDIT));
    stage.post_ends(&claim, accepted());
    stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::Trusted, None));
}
