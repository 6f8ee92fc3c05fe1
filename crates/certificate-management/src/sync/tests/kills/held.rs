//! Kills of runs that have put a message back.

use super::Row;
use super::looks::joined;
use super::stage::{Stage, sends};
use crate::request::Outcome::Trusted;
use crate::sync::tests::model::{Body, Todo};
use crate::sync::tests::world::request;

pub(super) const ROWS: [Row; 1] = [Row {
    after: "a message is put back for later, since records, queue or time did not suffice",
    leaves: "the message twice",
    next: "does what is left of it; the second message finds that done",
    play: put_back_for_later,
}];

/// One play for the message of a request, and one for a follow-up.
fn put_back_for_later() {
    let mut stage = Stage::new(vec![request("r1", "")]);
    stage.submit(0);
    stage.deliver_request(0);
    // The queue did not take the follow-up.
    stage.run_until(sends);
    stage.kill();
    comes_twice(&mut stage, &Body::Request(0));
    stage.ends(&[Trusted], 1);

    let mut stage = joined(1);
    let follow_up = Body::FollowUp(stage.record().sync_id.clone(), 1);
    stage.deliver_follow_up();
    // The records of the requests could not be read.
    stage.run_until(|_, todo| matches!(todo, Todo::Read(..)));
    stage.kill();
    comes_twice(&mut stage, &follow_up);
    stage.ends(&[Trusted], 1);
}

fn comes_twice(stage: &mut Stage, body: &Body) {
    stage.put_back_for_later(body);
    stage.comes_again();
    let (after, follow_ups) = (stage.record(), stage.follow_ups());
    assert!(follow_ups.contains(&after.attempt));
    stage.comes_again();
    let left: Vec<u32> = stage.follow_ups().into_iter().filter(|number| *number == after.attempt).collect();
    assert_eq!((stage.record(), left), (after.clone(), vec![after.attempt]), "{follow_ups:?}");
}
