//! Whatever a service asks for, the next look is between a second and two minutes away.

use crate::reason::failure::CallFailure;
use time::Duration;

use crate::sync::pause::{LONGEST_PAUSE, SHORTEST_PAUSE};
use crate::sync::tests::stage::{Stage, accepted, follow_ups_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{Effect, Event, Failure, FailureKind, OperationState, PostEnd, SyncOperation};
use crate::trust::Trust::Stale;

/// The pause that a service asks for, in seconds, and the pause that the machine makes of it.
const ASKED: [(i64, Duration); 8] = [
    (900_000_000_000, LONGEST_PAUSE),
    (i64::MAX, LONGEST_PAUSE),
    (86_400, LONGEST_PAUSE),
    (121, LONGEST_PAUSE),
    (30, Duration::seconds(30)),
    (0, SHORTEST_PAUSE),
    (-1, SHORTEST_PAUSE),
    (i64::MIN, SHORTEST_PAUSE),
];

fn gathering() -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage
}

fn started(retry_after_seconds: Option<u64>, finished: bool) -> (Stage, Vec<Effect>) {
    let mut stage = gathering();
    let claim = stage.claims(&sees(&[Stale]));
    let operation = SyncOperation { url: None, finished, retry_after_seconds, started_at: None };
    let wanted = stage.post_ends(&claim, PostEnd::Accepted(operation));
    (stage, wanted)
}

/// How long the machine waits for the next look, which the follow-up says too.
fn waits(stage: &Stage, wanted: &[Effect]) -> Duration {
    let sent = follow_ups_in(wanted);
    assert_eq!(sent.len(), 1, "{wanted:?}");
    assert_eq!(sent[0].due, stage.record().next_look_at);
    stage.record().next_look_at - stage.context.now
}

#[test]
fn a_post_that_was_accepted() {
    for (asked, waited) in ASKED {
        let Ok(asked) = u64::try_from(asked) else { continue };
        let (stage, wanted) = started(Some(asked), true);
        assert_eq!(waits(&stage, &wanted), waited, "{asked} s");
    }
    let (stage, wanted) = started(Some(u64::MAX), false);
    assert_eq!(waits(&stage, &wanted), LONGEST_PAUSE);
}

#[test]
fn an_operation_that_runs() {
    for (asked, waited) in ASKED {
        let (mut stage, _) = started(None, false);
        let look = stage.look_begins();
        let state = OperationState::Running(Some(Duration::seconds(asked)));
        let wanted = stage.happens(&Event::OperationTold { look, state });
        assert_eq!(waits(&stage, &wanted), waited, "{asked} s");
    }
}

#[test]
fn a_failure_to_observe_what_was_started() {
    for (asked, waited) in ASKED {
        let (mut stage, _) = started(None, true);
        let retry_after = Some(Duration::seconds(asked));
        let wanted = stage
            .looks_in_vain(&Failure { retry_after, ..failure(FailureKind::Call(CallFailure::Unavailable)) });
        assert_eq!(waits(&stage, &wanted), waited, "{asked} s");
    }
}

#[test]
fn a_failure_to_observe_what_gathers_and_a_post_that_is_refused_wait_longer_each_time() {
    for (asked, waited) in ASKED {
        let failure = Failure {
            retry_after: Some(Duration::seconds(asked)),
            ..failure(FailureKind::Call(CallFailure::Unavailable))
        };
        let mut stage = gathering();
        let wanted = stage.looks_in_vain(&failure);
        let pause = waits(&stage, &wanted);
        assert!(
            pause >= waited.max(Duration::seconds(2)) && pause <= waited.max(Duration::seconds(3)),
            "{asked} s: {pause}"
        );
        let mut stage = gathering();
        let claim = stage.claims(&sees(&[Stale]));
        let wanted = stage.post_ends(&claim, PostEnd::Refused(failure));
        let pause = waits(&stage, &wanted);
        assert!(
            pause >= waited.max(Duration::seconds(2)) && pause <= waited.max(Duration::seconds(3)),
            "{asked} s: {pause}"
        );
    }
}

#[test]
fn no_run_of_any_look_waits_less_than_a_second_or_more_than_two_minutes() {
    let mut stage = gathering();
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, accepted());
    let mut last = Duration::ZERO;
    while stage.record().is_open() {
        let wanted = stage.looks(&sees(&[Stale]));
        if stage.record().is_open() {
            let pause = waits(&stage, &wanted);
            assert!(pause >= last && (SHORTEST_PAUSE..=LONGEST_PAUSE).contains(&pause), "{pause}");
            last = pause;
        }
    }
    assert_eq!(last, LONGEST_PAUSE);
}
