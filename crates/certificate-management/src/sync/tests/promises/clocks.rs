//! An instance whose clock is not the queue's keeps the pauses between its looks.

use time::Duration;

use crate::sync::pause::CLOCKS_APART;
use crate::sync::tests::stage::{Stage, sees};
use crate::sync::{Context, Event, OperationState, PostEnd, Step, SyncOperation, SyncRecord, step};
use crate::trust::Trust::Stale;

/// How long a look takes.
const TAKES: Duration = Duration::milliseconds(300);
/// Looks after which nothing more is to be learnt about the clocks.
const LEARNS: usize = 8;

type Machine = fn(&SyncRecord, &Event<'_>, &Context) -> Step;

fn right(record: &SyncRecord, event: &Event<'_>, context: &Context) -> Step {
    step(Some(record), &[], event, context)
}

/// A machine that does not look at the clock.
fn without_measure(record: &SyncRecord, event: &Event<'_>, context: &Context) -> Step {
    let now = record.next_look_at.max(context.now);
    match event {
        Event::FollowUp { .. } => step(Some(record), &[], event, &Context { now, ..context.clone() }),
        _ => right(record, event, context),
    }
}

/// When looks come within ten minutes by the queue's clock, while an operation runs for which the service asks `pause`. The clock of the
/// instance is behind the queue's by `behind` at each look.
fn looks(machine: Machine, pause: Duration, behind: impl Fn(usize) -> Duration) -> Vec<Duration> {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale]));
    let running =
        SyncOperation { url: None, finished: false, retry_after_seconds: Some(5), started_at: None };
    stage.context.now -= behind(0);
    stage.post_ends(&claim, PostEnd::Accepted(running));
    let begun = stage.context.now + behind(0);
    let (mut queue, mut record, mut context) = (begun, stage.record().clone(), stage.context);
    let mut looks = Vec::new();
    while queue - begun < Duration::minutes(10) && looks.len() < 2_000 {
        queue = queue.max(record.next_look_at);
        looks.push(queue - begun);
        context.now = queue - behind(looks.len());
        let event = Event::FollowUp { sync_id: &record.sync_id, attempt: record.attempt };
        let begins = machine(&record, &event, &context);
        let [crate::sync::Effect::AskOperation(look, _)] = begins.effects.as_slice() else {
            panic!("no look began: {begins:?}")
        };
        (queue, context.now) = (queue + TAKES, context.now + TAKES);
        let event = Event::OperationTold { look: look.clone(), state: OperationState::Running(Some(pause)) };
        record = machine(&begins.record.unwrap(), &event, &context).record.unwrap();
    }
    looks
}

const PAUSES: [i64; 3] = [1, 5, 30];

#[test]
fn an_instance_whose_clock_is_behind_the_queues_keeps_each_pause_once_it_has_learnt_by_how_much() {
    for (pause, behind) in
        PAUSES.into_iter().flat_map(|pause| [0, 1, 4, 20, 60, 119, 120].map(|behind| (pause, behind)))
    {
        let (pause, behind) = (Duration::seconds(pause), Duration::seconds(behind));
        let looks = looks(right, pause, |_| behind);
        for pair in looks.windows(2).skip(LEARNS) {
            assert_eq!(pair[1] - pair[0], pause + TAKES, "{pause}, {behind} behind");
        }
        // What it learns on the way costs one pause that is too long by as much as the clocks are apart, at the most.
        let longest = looks.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest <= pause + TAKES + behind, "{longest} instead of {pause}, {behind} behind");
    }
}

#[test]
fn a_machine_that_does_not_look_at_the_clock_asks_several_times_a_second() {
    let seconds = Duration::seconds;
    assert!(looks(without_measure, seconds(5), |_| seconds(60)).len() >= 2_000);
    assert!(looks(right, seconds(5), |_| seconds(60)).len() < 130);
}

#[test]
fn instances_whose_clocks_differ_take_turns_and_no_pause_is_lost_or_longer_than_their_clocks_are_apart() {
    for pause in PAUSES.map(Duration::seconds) {
        let clocks = [Duration::minutes(1), -Duration::minutes(1)];
        let looks = looks(right, pause, |number| clocks[number % 2]);
        for pair in looks.windows(2).skip(LEARNS) {
            let waited = pair[1] - pair[0] - TAKES;
            assert!(waited >= pause && waited <= pause + CLOCKS_APART, "{waited} instead of {pause}");
        }
    }
}

#[test]
fn a_follow_up_that_comes_early_without_end_puts_the_next_look_off_by_two_minutes_at_the_most() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, PostEnd::AnswerLost("reset".to_owned()));
    stage.context.now -= Duration::DAY;
    let (sync_id, attempt) = (stage.record().sync_id.clone(), stage.record().attempt);
    stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
    stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
    let waits = stage.record().next_look_at - stage.context.now;
    assert_eq!(waits, CLOCKS_APART + crate::sync::pause::LEFT_ALONE);
}
