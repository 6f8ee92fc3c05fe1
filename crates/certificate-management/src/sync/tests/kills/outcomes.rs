//! Kills of runs that record outcomes.

use super::Row;
use super::looks::{ONE, joined, leaves_the_look_alone_once, sends_what_the_sync_waits_for};
use super::stage::{Stage, sends, sends_in};
use crate::request::Outcome::{self, AlreadyTrusted, Trusted};
use crate::sync::Phase;
use crate::sync::tests::model::{Action, Happening, Todo};
use crate::sync::tests::world::request;

pub(super) const ROWS: [Row; 5] = [
    Row {
        after: "some outcomes are recorded",
        leaves: "outcomes that are final, and a sync that knows their requests",
        next: "leaves the look alone once; the next look keeps what is final and judges the rest",
        play: some_outcomes,
    },
    Row {
        after: "all outcomes are recorded",
        leaves: "a sync that knows requests whose outcome is final",
        next: "leaves the look alone once; the next look lets them go and ends the sync",
        play: all_outcomes,
    },
    Row {
        after: "the requests have left the record, and one that joined during the look gathers still",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: gathers_still,
    },
    Row {
        after: "the requests have left the record, the sync is `ended`",
        leaves: "the message of a sync that has ended",
        next: "changes nothing",
        play: ended,
    },
    Row {
        after: "the requests have left the record, and one that came later has opened the next sync",
        leaves: "a sync without its first follow-up",
        next: "gets the follow-up of the old sync again and sends that of the new one",
        play: next_sync,
    },
];

/// A look has seen every hub trusting and has two outcomes to record.
fn judged() -> Stage {
    let mut stage = joined(2);
    stage.until(|stage, todo| match todo {
        Todo::Conclude(told, 0) => {
            stage.phase() == Some(Phase::Started) && told.conclusions.len() == 2 && told.look.is_some()
        }
        _ => false,
    });
    stage
}

fn some_outcomes() {
    let mut stage = judged();
    stage.run_until(|_, todo| matches!(todo, Todo::Conclude(_, 1)));
    let finals = |stage: &Stage| stage.outcomes().filter(|outcome| outcome.is_final()).count();
    assert_eq!((finals(&stage), stage.record().requests.len()), (1, 2));
    leaves_the_look_alone_once(&mut stage);
    stage.ends(&[Trusted, Trusted], 1);
}

fn all_outcomes() {
    let mut stage = judged();
    stage.run_until(|_, todo| matches!(todo, Todo::Step(_)));
    assert!(stage.outcomes().all(Outcome::is_final));
    assert_eq!(stage.record().requests.len(), 2);
    leaves_the_look_alone_once(&mut stage);
    stage.ends(&[Trusted, Trusted], 1);
}

/// The first look has seen that one request needs nothing, and another request has joined since.
fn gathers_still() {
    let mut stage = Stage::new(vec![request("r1", ONE), request("r2", "")]);
    stage.model.hubs[0].has_current[0] = true;
    stage.submit(0);
    stage.deliver_request(0);
    stage.run_to_its_end();
    stage.deliver_follow_up();
    stage.run_until(|_, todo| matches!(todo, Todo::Step(Happening::Observed { .. })));
    stage.submit(1);
    stage.takes_in_beside(1);
    stage.run_until(sends);
    assert_eq!((stage.phase(), &*stage.record().requests), (Some(Phase::Gathering), &["r2".to_owned()][..]));
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[AlreadyTrusted, Trusted], 1);
}

fn ended() {
    let mut stage = judged();
    stage.run_through();
    stage.kill();
    let left = stage.record();
    assert_eq!((left.phase, left.known().count(), stage.model.queue.len()), (Phase::Ended, 0, 1));
    stage.comes_again();
    assert_eq!((stage.record(), stage.model.queue.len()), (left, 0));
    stage.ends(&[Trusted, Trusted], 1);
}

/// A request for the other hub.
const OTHER: &str = r#","hubs":["h2"],"allowWholeNamespace":true"#;

/// The sync was made for one hub's request; one for the other hub came after its claim, and that hub gets the CA later.
fn next_sync() {
    let mut stage = Stage::new(vec![request("r1", ONE), request("r2", OTHER)]);
    stage.submit(0);
    stage.until(sends_in(Phase::Started));
    stage.run_to_its_end();
    stage.submit(1);
    stage.deliver_request(1);
    stage.run_to_its_end();
    assert_eq!(stage.record().waiting, ["r2"]);
    stage.act(Action::Push(0, 0));
    stage.act(Action::OperationEnds);
    let old = stage.record().sync_id.clone();
    stage.deliver_follow_up();
    stage.run_until(sends);
    assert_ne!(stage.record().sync_id, old);
    assert_eq!((stage.record().phase, &*stage.record().requests), (Phase::Gathering, &["r2".to_owned()][..]));
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[Trusted, AlreadyTrusted], 1);
}
