//! Kills of runs that look and send nothing.

use super::Row;
use super::stage::{Stage, sends_in};
use crate::request::Outcome::{self, Trusted};
use crate::sync::Phase;
use crate::sync::tests::model::Todo;
use crate::sync::tests::world::request;

pub(super) const ROWS: [Row; 4] = [
    Row {
        after: "a look is recorded",
        leaves: "a look that never ends",
        next: "gets the follow-up again, leaves that look alone once and sends the next follow-up, whose look takes its place",
        play: look_recorded,
    },
    Row {
        after: "the look is put off",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: look_put_off,
    },
    Row {
        after: "the sync is `watching`",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: watching,
    },
    Row {
        after: "a sync that was `watching` gathers again",
        leaves: "a sync without its next follow-up",
        next: "gets the old follow-up again and sends the one that the sync waits for",
        play: gathers_again,
    },
];

/// A request for one hub that lets the other one be synced too.
pub(super) const ONE: &str = r#","hubs":["h1"],"allowWholeNamespace":true"#;

/// Requests that have joined a sync whose first look has not begun. The second one is for one hub only.
pub(super) fn joined(submitted: usize) -> Stage {
    let mut stage = Stage::new(vec![request("r1", ""), request("r2", ONE)]);
    for index in 0..submitted {
        stage.submit(index);
        stage.deliver_request(index);
        stage.run_to_its_end();
    }
    stage
}

/// The run was killed between a record and its follow-up: the old follow-up comes again and makes a run send the
/// awaited one.
pub(super) fn sends_what_the_sync_waits_for(stage: &mut Stage) {
    stage.kill();
    let left = stage.record();
    assert!(!stage.follow_ups().contains(&left.attempt));
    stage.comes_again();
    assert_eq!((stage.record(), stage.follow_ups()), (left.clone(), vec![left.attempt]));
}

/// The run was killed within a look: the next run leaves that look alone once.
pub(super) fn leaves_the_look_alone_once(stage: &mut Stage) {
    stage.kill();
    let (left, outcomes) = (stage.record(), stage.outcomes().collect::<Vec<Outcome>>());
    assert_eq!(left.look, Some(left.attempt));
    stage.comes_again();
    let after = stage.record();
    assert_eq!((after.look, after.attempt, after.phase), (left.look, left.attempt + 1, left.phase));
    assert_eq!(stage.follow_ups(), [after.attempt]);
    assert_eq!(stage.outcomes().collect::<Vec<_>>(), outcomes);
    stage.deliver_follow_up();
    stage.run_until(|_, todo| matches!(todo, Todo::Ask(_) | Todo::Observe(..)));
    assert_eq!(stage.record().look, Some(after.attempt), "it takes the place of the look that was killed");
}

fn look_recorded() {
    let mut stage = joined(1);
    stage.deliver_follow_up();
    stage.run_until(|_, todo| matches!(todo, Todo::Observe(..)));
    leaves_the_look_alone_once(&mut stage);
    stage.ends(&[Trusted], 1);
}

fn look_put_off() {
    let mut stage = joined(1);
    stage.until(sends_in(Phase::Started));
    stage.run_to_its_end();
    // The operation runs still.
    stage.deliver_follow_up();
    stage.run_until(sends_in(Phase::Started));
    assert_eq!(stage.record().look, None);
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[Trusted], 1);
}

/// The first look has seen one hub trusting and not the other one.
fn watched() -> Stage {
    let mut stage = joined(1);
    stage.model.hubs[0].has_current[0] = true;
    stage.model.hubs[1].is_readable = false;
    stage.deliver_follow_up();
    stage.run_until(sends_in(Phase::Watching));
    stage
}

fn watching() {
    let mut stage = watched();
    sends_what_the_sync_waits_for(&mut stage);
    // The other hub turns out to lack the CA.
    stage.ends(&[Trusted], 1);
}

fn gathers_again() {
    let mut stage = watched();
    stage.run_to_its_end();
    stage.model.hubs[1].is_readable = true;
    stage.deliver_follow_up();
    stage.run_until(sends_in(Phase::Gathering));
    sends_what_the_sync_waits_for(&mut stage);
    stage.ends(&[Trusted], 1);
}
