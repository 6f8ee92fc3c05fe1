//! Takes a step twice with each kind of event in each phase.

use crate::reason::failure::CallFailure;
use time::Duration;

use super::{Second, twice};
use crate::request::RequestRecord;
use crate::sync::tests::stage::{Stage, accepted, sees};
use crate::sync::tests::world::{failure, request};
use crate::sync::{
    Claim, Event, FailureKind, Look, OperationState, Phase, PostEnd, SyncOperation, SyncRecord,
};
use crate::trust::Trust::{Stale, Trusted, Unreadable};

/// A sync in a phase, with a request that has joined, and a claim of its last POST.
fn stage(phase: Phase, is_looking: bool) -> (Stage, Claim) {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let look = Look { sync_id: "sync-1".to_owned(), attempt: 1, early: Duration::ZERO };
    let mut claim = Claim { look, post: 1, planned: vec![] };
    match phase {
        Phase::Gathering => {}
        Phase::Watching => drop(stage.looks(&sees(&[Unreadable]))),
        Phase::Claimed => {
            claim = stage.claims(&sees(&[Stale]));
            if !is_looking {
                stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
            }
        }
        Phase::Started => {
            claim = stage.claims(&sees(&[Stale]));
            let operation =
                SyncOperation { url: None, finished: false, retry_after_seconds: None, started_at: None };
            stage.post_ends(&claim, PostEnd::Accepted(operation));
        }
        Phase::Ended => {
            claim = stage.claims(&sees(&[Stale]));
            stage.post_ends(&claim, accepted());
            stage.goes_on_to_its_end(&sees(&[Trusted]));
        }
    }
    if is_looking && !matches!(phase, Phase::Ended | Phase::Claimed) {
        stage.look_begins();
    }
    (stage, claim)
}

fn look_of(record: &SyncRecord) -> Look {
    Look { sync_id: record.sync_id.clone(), attempt: record.attempt, early: Duration::ZERO }
}

/// The effect of an event the second time, in each phase: gathering, claimed, started, watching, ended.
fn seconds(is_looking: bool, happen: impl Fn(&Stage, &Claim) -> Result<Second, String>) -> [Second; 5] {
    Phase::ALL.map(|phase| {
        let (stage, claim) = stage(phase, is_looking);
        happen(&stage, &claim).unwrap_or_else(|says| panic!("{phase}: {says}"))
    })
}

fn with(stage: &Stage, requests: &[RequestRecord], event: &Event<'_>) -> Result<Second, String> {
    twice(stage.record.as_ref(), requests, event, &stage.context)
}

#[test]
fn requests() {
    use Second::FollowUpAgain;
    // New requests, and those that have joined. They open the next sync after one that has ended.
    let new = |stage: &Stage, _: &Claim| {
        let new = RequestRecord::queued(request("r-2", ""), stage.context.now);
        with(stage, &[new], &Event::Requested)
    };
    assert_eq!(seconds(false, new), [FollowUpAgain; 5]);
    assert_eq!(seconds(true, new), [FollowUpAgain; 5]);
    let joined = |stage: &Stage, _: &Claim| with(stage, &stage.requests, &Event::Requested);
    let expected = [FollowUpAgain, FollowUpAgain, FollowUpAgain, FollowUpAgain, Second::Nothing];
    assert_eq!(seconds(false, joined), expected);
    let request = RequestRecord::queued(request("r-1", ""), Stage::new().context.now);
    let first = twice(None, &[request], &Event::Requested, &Stage::new().context);
    assert_eq!(first, Ok(FollowUpAgain));
}

#[test]
fn follow_ups() {
    use Second::{FollowUpAgain, LeftAlone, Nothing};
    let awaited = |stage: &Stage, _: &Claim| {
        let Look { sync_id, attempt, .. } = look_of(stage.record());
        with(stage, &[], &Event::FollowUp { sync_id: &sync_id, attempt })
    };
    // The look begins, and is left alone the second time.
    assert_eq!(seconds(false, awaited), [LeftAlone, LeftAlone, LeftAlone, LeftAlone, Nothing]);
    // The machine leaves the look alone the first time, and sends the same follow-up again the second time.
    let again = [FollowUpAgain, FollowUpAgain, FollowUpAgain, FollowUpAgain, Nothing];
    assert_eq!(seconds(true, awaited), again);
    let forged = |stage: &Stage, _: &Claim| {
        with(stage, &[], &Event::FollowUp { sync_id: "sync-1", attempt: u32::MAX })
    };
    assert_eq!((seconds(false, forged), seconds(true, forged)), (again, again));
}

#[test]
fn what_an_operation_told() {
    use Second::{Nothing, Same};
    let told = |state: OperationState| {
        move |stage: &Stage, _: &Claim| {
            let look = look_of(stage.record());
            with(stage, &[], &Event::OperationTold { look, state: state.clone() })
        }
    };
    assert_eq!(seconds(false, told(OperationState::Silent)), [Nothing; 5]);
    for state in [OperationState::Silent, OperationState::Failed("no".to_owned())] {
        assert_eq!(seconds(true, told(state)), [Same, Same, Same, Same, Nothing]);
    }
    assert_eq!(seconds(true, told(OperationState::Running(None))), [Nothing; 5]);
}

#[test]
fn what_was_seen() {
    use Second::{MadeRoom, Nothing, Same};
    let seen = |hub, minutes| {
        move |stage: &Stage, _: &Claim| {
            let mut context = stage.context.clone();
            context.now += Duration::minutes(minutes);
            let observation = sees(&[hub]);
            let event = Event::Observed {
                look: look_of(stage.record()),
                seen: Ok(&observation),
                operation: OperationState::Silent,
                missing: vec![],
            };
            twice(stage.record.as_ref(), &stage.requests, &event, &context)
        }
    };
    // The machine ignores a look that does not hold the record.
    assert_eq!(seconds(false, seen(Stale, 0)), [Nothing; 5]);
    // The requests become `trusted`, and the sync ends once that is recorded.
    assert_eq!(seconds(true, seen(Trusted, 0)), [Same, Same, Same, Same, Nothing]);
    assert_eq!(seconds(true, seen(Stale, 0)), [MadeRoom, Nothing, Nothing, Nothing, Nothing]);
    // The answer of a claim was lost.
    assert_eq!(seconds(true, seen(Stale, 5)), [MadeRoom, MadeRoom, Nothing, Nothing, Nothing]);
    let overdue = [MadeRoom, Same, Same, Nothing, Nothing];
    assert_eq!(seconds(true, seen(Stale, 40)), overdue);
    let unseen = |kind: FailureKind| {
        move |stage: &Stage, _: &Claim| {
            let failure = failure(kind);
            let (look, operation) = (look_of(stage.record()), OperationState::Silent);
            let event = Event::Observed { look, seen: Err(&failure), operation, missing: vec![] };
            with(stage, &stage.requests, &event)
        }
    };
    assert_eq!(seconds(true, unseen(FailureKind::Call(CallFailure::Unavailable))), [Nothing; 5]);
    assert_eq!(seconds(true, unseen(FailureKind::NotConfigured)), [Same, Same, Same, Same, Nothing]);
}

#[test]
fn how_a_post_ended() {
    use Second::{Nothing, Same};
    let ended = |end: PostEnd| {
        move |stage: &Stage, claim: &Claim| {
            with(stage, &[], &Event::PostEnded { claim: claim.clone(), end: end.clone() })
        }
    };
    let refused = |kind| PostEnd::Refused(failure(kind));
    for is_looking in [false, true] {
        let seconds = |end| seconds(is_looking, ended(end));
        assert_eq!(seconds(accepted()), [Nothing; 5]);
        assert_eq!(seconds(refused(FailureKind::Call(CallFailure::Conflict))), [Nothing; 5]);
        // The machine wants the planned outcome, or the failure, recorded again.
        let claimed_only = [Nothing, Same, Nothing, Nothing, Nothing];
        assert_eq!(seconds(PostEnd::AnswerLost("reset".to_owned())), claimed_only);
        assert_eq!(seconds(refused(FailureKind::Call(CallFailure::Forbidden))), claimed_only);
    }
}

#[test]
fn what_was_concluded_and_what_the_report_found() {
    let concluded = |finished: &'static [&str]| {
        move |stage: &Stage, _: &Claim| {
            let finished = finished.iter().map(|id| (*id).to_owned()).collect();
            with(stage, &[], &Event::Concluded { look: look_of(stage.record()), finished })
        }
    };
    for finished in [&["r-1"][..], &[]] {
        assert_eq!(seconds(true, concluded(finished)), [Second::Nothing; 5]);
        assert_eq!(seconds(false, concluded(finished)), [Second::Nothing; 5]);
    }
    let overdue = |stage: &Stage, _: &Claim| {
        let mut context = stage.context.clone();
        context.now += Duration::HOUR;
        twice(stage.record.as_ref(), &[], &Event::TimerPassed, &context)
    };
    assert_eq!(
        (seconds(false, overdue), seconds(true, overdue)),
        ([Second::Nothing; 5], [Second::Nothing; 5])
    );
}
