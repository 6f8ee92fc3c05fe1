//! Kills of runs that send.

use super::Row;
use super::looks::{joined, leaves_the_look_alone_once, sends_what_the_sync_waits_for};
use super::stage::{Stage, sends_in};
use crate::reason::failure::CallFailure;
use crate::request::Outcome::{Queued, Trusted, Unverified};
use crate::sync::tests::model::{Action, Answer, Todo};
use crate::sync::tests::world::request;
use crate::sync::{FailureKind, Phase};

pub(super) const ROWS: [Row; 5] = [
    Row {
        after: "the claim is recorded",
        leaves: "a claim without an answer, and no POST",
        next: "leaves the look alone once; the next look asks the hubs, and claims the POST again when the claim is over four minutes old, a hub still lacks the CA and fewer than three POSTs of the sync may have had effect",
        play: claimed,
    },
    Row {
        after: "the POST is sent",
        leaves: "a claim without an answer",
        next: "leaves the look alone once; the next look asks the hubs, and where the POST had effect they end the sync without a second one",
        play: posted,
    },
    Row {
        after: "the answer is recorded, the sync is `started`",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: started,
    },
    Row {
        after: "a refusal that passes is recorded, the sync gathers again",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: post_refused,
    },
    Row {
        after: "the follow-up after the POST is sent",
        leaves: "requests that are `queued` still in a sync that is `started`",
        next: "sends the same follow-up, which the queue drops; the look of that follow-up judges them",
        play: follow_up_after_the_post,
    },
];

fn claimed() {
    let claims = |_: &Stage, todo: &Todo| matches!(todo, Todo::Post(_));
    let mut stage = joined(1);
    stage.until(claims);
    leaves_the_look_alone_once(&mut stage);
    stage.run_to_its_end();
    assert_eq!((stage.record().phase, stage.posts), (Phase::Claimed, 0), "the claim is not old enough");
    stage.ends(&[Trusted], 1);
    assert_eq!(stage.claims, 2);

    let mut stage = Stage::patient(vec![request("r1", "")], 60);
    stage.submit(0);
    for claim in 1..=3 {
        stage.until(claims);
        assert_eq!((stage.claims, stage.record().posts), (usize::try_from(claim).unwrap(), claim));
        stage.kill();
    }
    stage.ends(&[Unverified], 0);
    assert_eq!(stage.claims, 3, "there is no fourth");
}

fn posted() {
    let mut stage = joined(1);
    stage.until(|_, todo| matches!(todo, Todo::Await(_)));
    leaves_the_look_alone_once(&mut stage);
    stage.ends(&[Trusted], 1);
    assert_eq!(stage.claims, 1);
}

fn started() {
    let mut stage = joined(1);
    stage.until(sends_in(Phase::Started));
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[Trusted], 1);
}

fn post_refused() {
    let mut stage = joined(1);
    stage.until(|_, todo| matches!(todo, Todo::Await(_)));
    stage.act(Action::Go(0, Answer::Refused(FailureKind::Call(CallFailure::Conflict))));
    stage.run_until(sends_in(Phase::Gathering));
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[Trusted], 1);
    assert_eq!(stage.claims, 2);
}

fn follow_up_after_the_post() {
    let mut stage = joined(1);
    stage.until(sends_in(Phase::Started));
    stage.run_until(|_, todo| matches!(todo, Todo::Conclude(..)));
    stage.kill();
    let (left, follow_ups) = (stage.record(), stage.follow_ups());
    assert!(follow_ups.contains(&left.attempt));
    assert_eq!(stage.outcomes().next(), Some(Queued));
    stage.comes_again();
    assert_eq!((stage.record(), stage.follow_ups()), (left.clone(), vec![left.attempt]));
    stage.ends(&[Trusted], 1);
}
