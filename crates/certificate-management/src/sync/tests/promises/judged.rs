//! What a look makes of a request, case by case: how it was planned and not recorded, how it ends without an observation,
//! which bounds count to the second.

use time::Duration;

use crate::configuration::Mode;
use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::{Outcome, RequestRecord};
use crate::sync::pause::CLAIM_DEADLINE;
use crate::sync::tests::stage::{Stage, accepted, claim_in, sees};
use crate::sync::tests::world::{failure, request};
use crate::sync::{Effect, Event, FailureKind, Look, OperationState, Phase, PostEnd, SyncOperation, step};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

const H1: &str = r#","hubs":["h1"]"#;

fn call(failed: CallFailure) -> crate::sync::Failure {
    failure(FailureKind::Call(failed))
}

/// A look has claimed a POST for `r-1`, and its run was killed before it recorded what it had planned for `r-2`. The next run has
/// left that look alone once.
fn killed_after_the_claim(rest: &str) -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.submit("r-2", rest);
    stage.claims(&sees(&[Stale, Missing]));
    stage.left.clear();
    let (sync_id, attempt) = (stage.record().sync_id.clone(), stage.record().attempt);
    stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
    assert!(stage.record().requests.contains(&"r-2".to_owned()));
    assert_eq!(stage.told("r-2").0, Outcome::Queued);
    stage
}

/// The operation has the POST, and every hub is as this look sees it.
fn started() -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Missing]));
    stage.post_ends(&claim, accepted());
    stage
}

#[test]
fn a_plan_that_was_not_recorded_is_made_again() {
    // One that would have been refused because of the sync that has covered it is not.
    let mut stage = killed_after_the_claim(H1);
    stage.looks(&sees(&[Stale, Missing]));
    assert_eq!(stage.told("r-2"), (Outcome::Syncing, Some(Reason::SyncRunning)));
    // One that no sync can help is refused, as it would have been.
    let mut whole = Stage::new();
    whole.submit("r-2", r#","hubs":["h9"]"#);
    whole.looks(&sees(&[Stale, Missing]));
    let mut stage = killed_after_the_claim(r#","hubs":["h9"]"#);
    stage.looks(&sees(&[Stale, Missing]));
    assert_eq!((stage.told("r-2").0, stage.told("r-2")), (Outcome::Refused, whole.told("r-2")));
}

#[test]
fn a_sync_that_only_watches_says_that_the_hubs_trusted_without_it() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[Trusted, Unreadable]));
    assert_eq!(stage.record().phase, Phase::Watching);
    // The run that saw this was killed before it recorded it.
    stage.requests = vec![RequestRecord::queued(request("r-1", ""), stage.context.now)];
    stage.looks(&sees(&[Trusted, Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::AlreadyTrusted, None));
}

#[test]
fn a_sync_that_only_watches_takes_in_once_what_comes() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[Trusted, Unreadable]));
    stage.submit("r-2", "");
    assert_eq!(stage.record().waiting, ["r-2"]);
    stage.looks(&sees(&[Trusted, Unreadable]));
    assert_eq!(
        (stage.record().waiting.len(), stage.record().requests.as_slice()),
        (0, &["r-1".into(), "r-2".into()][..])
    );
}

#[test]
fn an_operation_that_failed_ends_a_hub_that_cannot_be_read_at_the_deadline_and_not_before() {
    for (after, outcome) in [(Duration::ZERO, Outcome::Syncing), (Duration::hours(2), Outcome::Unverified)] {
        let mut stage = started();
        let look = stage.look_begins();
        stage.passes(after);
        let seen = sees(&[Unreadable, Unreadable]);
        stage.observed(look, Ok(&seen), OperationState::Failed("it failed".to_owned()));
        assert_eq!(stage.told("r-1"), (outcome, Some(Reason::HubUnreadable)), "{after}");
    }
}

#[test]
fn a_post_is_sent_again_only_past_the_deadline_of_its_claim() {
    for (past, again) in [(Duration::ZERO, false), (Duration::SECOND, true)] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let claim = stage.claims(&sees(&[Stale, Missing]));
        let claimed_at = stage.record().since;
        stage.post_ends(&claim, PostEnd::AnswerLost("nothing came".to_owned()));
        stage.context.now = claimed_at + CLAIM_DEADLINE + past;
        let wanted = stage.looks(&sees(&[Stale, Missing]));
        assert_eq!(claim_in(&wanted).is_some(), again, "{past}");
    }
}

#[test]
fn a_post_holds_up_the_next_sync_until_its_deadline_to_the_second() {
    for (past, claims) in [(Duration::ZERO, false), (Duration::SECOND, true)] {
        let mut stage = Stage::new();
        stage.submit("r-1", r#","hubs":["h1"],"allowWholeNamespace":true"#);
        let claim = stage.claims(&sees(&[Stale, Stale]));
        let claimed_at = stage.record().since;
        stage.submit("r-2", r#","hubs":["h2"],"allowWholeNamespace":true"#);
        stage.post_ends(&claim, accepted());
        stage.looks(&sees(&[Trusted, Stale]));
        assert_eq!(
            (stage.record().phase, stage.record().requests.as_slice()),
            (Phase::Gathering, &["r-2".into()][..])
        );
        stage.context.now = claimed_at + CLAIM_DEADLINE + past;
        let wanted = stage.looks(&sees(&[Trusted, Stale]));
        assert_eq!(claim_in(&wanted).is_some(), claims, "{past}");
    }
}

#[test]
fn an_operation_is_asked_and_left_alone_as_long_as_it_runs_before_the_deadline() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Missing]));
    let operation = SyncOperation {
        url: Some("https://service/operations/1".to_owned()),
        finished: false,
        retry_after_seconds: None,
        started_at: Some(stage.context.now),
    };
    stage.post_ends(&claim, PostEnd::Accepted(operation));
    let (sync_id, attempt) = (stage.record().sync_id.clone(), stage.record().attempt);
    let wanted = stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
    assert!(matches!(wanted.as_slice(), [Effect::AskOperation(..)]), "{wanted:?}");
    let look = Look { sync_id, attempt, early: Duration::ZERO };
    for (before, observes) in [(Duration::SECOND, false), (Duration::ZERO, true), (-Duration::SECOND, true)] {
        stage.context.now = stage.record().deadline - before;
        let told = Event::OperationTold { look: look.clone(), state: OperationState::Running(None) };
        let told = step(stage.record.as_ref(), &[], &told, &stage.context);
        let is_observed = matches!(told.effects.as_slice(), [Effect::Observe(..)]);
        assert_eq!(is_observed, observes, "{before} before the deadline");
    }
}

#[test]
fn what_a_look_concludes_after_another_one_has_taken_its_place_only_removes_requests() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.submit("r-2", "");
    let late = stage.look_begins();
    // The look of the next follow-up but one takes its place.
    let (sync_id, attempt) = (late.sync_id.clone(), late.attempt);
    stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
    stage.look_begins();
    let concluded = |finished: &[&str]| {
        let finished = finished.iter().map(ToString::to_string).collect();
        step(stage.record.as_ref(), &[], &Event::Concluded { look: late.clone(), finished }, &stage.context)
    };
    let nothing = concluded(&["r-9"]);
    assert_eq!((nothing.record, nothing.effects.len()), (None, 0));
    let one = concluded(&["r-1"]);
    assert_eq!(one.effects, []);
    assert_eq!(one.record.unwrap().requests, ["r-2"]);
}

#[test]
fn each_request_without_a_record_is_counted_by_itself() {
    let missing = |stage: &mut Stage, ids: &[&str]| {
        let look = stage.look_begins();
        let seen = sees(&[Trusted, Unreadable]);
        let missing = ids.iter().map(ToString::to_string).collect();
        stage.happens(&Event::Observed { look, seen: Ok(&seen), operation: OperationState::Silent, missing });
    };
    // Another one is missing in the second look: it stays, and so does the first.
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.submit("r-2", "");
    missing(&mut stage, &["r-1"]);
    missing(&mut stage, &["r-2"]);
    assert!(stage.record().knows("r-1") && stage.record().knows("r-2"));
    // The message of the first comes in between: the second leaves, and the first stays.
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.submit("r-2", "");
    missing(&mut stage, &["r-1", "r-2"]);
    stage.requests.retain(|known| known.request.request_id == "r-1");
    stage.message_comes(&["r-1"]);
    missing(&mut stage, &["r-1", "r-2"]);
    assert!(stage.record().knows("r-1") && !stage.record().knows("r-2"));
}

#[test]
fn before_a_claim_an_outage_is_waited_for_and_a_refusal_is_not() {
    let waits = |stage: &mut Stage, failed, reason| {
        stage.looks_in_vain(&call(failed));
        assert_eq!(stage.told("r-1"), (Outcome::Queued, Some(reason)), "{failed:?}");
        assert!(stage.record().is_open());
    };
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    waits(&mut stage, CallFailure::Unavailable, call(CallFailure::Unavailable).reason());
    waits(&mut stage, CallFailure::Conflict, call(CallFailure::Conflict).reason());
    // Without a claim there is no deadline for an outage.
    stage.passes(Duration::hours(3));
    waits(&mut stage, CallFailure::Unavailable, call(CallFailure::Unavailable).reason());
    let wanted = stage.looks_in_vain(&call(CallFailure::Forbidden));
    assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::NotPermitted)));
    assert_eq!(stage.record().phase, Phase::Ended, "the look tells that its requests have ended");
    assert!(
        !wanted.iter().any(|effect| matches!(effect, Effect::Measure { .. })),
        "no sync began: {wanted:?}"
    );
}

#[test]
fn a_need_whose_post_was_refused_waits_for_an_outage_until_its_deadline() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Missing]));
    stage.post_ends(&claim, PostEnd::Refused(call(CallFailure::Unavailable)));
    assert_eq!(stage.record().phase, Phase::Gathering);
    stage.looks_in_vain(&call(CallFailure::Unavailable));
    assert_eq!(stage.told("r-1").0, Outcome::Queued);
    stage.passes(Duration::hours(3));
    stage.looks_in_vain(&call(CallFailure::Unavailable));
    assert_eq!(stage.told("r-1").0, Outcome::Failed);
}

#[test]
fn after_a_claim_the_deadline_ends_a_request_with_what_kept_the_look_from_seeing() {
    for (failed, reason) in
        [(CallFailure::Forbidden, Reason::NotPermitted), (CallFailure::Unavailable, Reason::HubUnreadable)]
    {
        let mut stage = started();
        let before = stage.told("r-1");
        stage.looks_in_vain(&call(failed));
        assert_eq!(stage.told("r-1"), before, "{failed:?}");
        stage.passes(Duration::hours(3));
        let wanted = stage.looks_in_vain(&call(failed));
        assert_eq!(stage.told("r-1"), (Outcome::Unverified, Some(reason)));
        assert!(wanted.iter().any(|effect| matches!(effect, Effect::Measure { .. })), "{wanted:?}");
    }
}

#[test]
fn a_request_that_audit_mode_refuses_says_which_namespace_is_in_it() {
    let mut stage = Stage::new();
    stage.context.mode = Mode::Audit;
    stage.submit("r-1", "");
    let told = stage.requests[0].detail.clone().unwrap();
    assert!(told.contains(request("r-1", "").namespace_id.name()) && told.contains("audit"), "{told}");
}
