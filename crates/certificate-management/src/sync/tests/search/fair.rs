//! Once nothing goes wrong any more, every request ends, from whatever state: runs go on, messages come in their order, time
//! passes between them, the service does what it is asked and the report runs.

use std::collections::HashMap;

use crate::sync::Phase;
use crate::sync::tests::model::{Action, Answer, Body, Message, Model, Running, Setting, Todo};
use crate::sync::tests::world::NOW;

/// Most actions of a fair run.
const MOST: u32 = 400;

/// The distance of states from the end, where it is known already.
#[derive(Default)]
pub(super) struct Endings {
    known: HashMap<u64, u32>,
}

impl Endings {
    /// How many actions a fair run takes from a state until every request has its outcome and the sync has ended.
    pub fn of(&mut self, model: &Model, setting: &Setting) -> Result<u32, String> {
        let mut model = model.clone();
        let mut way = Vec::new();
        let mut told = Vec::new();
        let mut length = loop {
            let fingerprint = model.fingerprint();
            if let Some(length) = self.known.get(&fingerprint) {
                break *length;
            }
            way.push(fingerprint);
            let Some(action) = next(&model, setting) else {
                if let Some(open) = model.open_requests().next() {
                    return Err(format!(
                        "nothing is left to do, and {} has no outcome",
                        open.request.request_id
                    ));
                }
                break 0;
            };
            told.push(action);
            if way.len() > MOST as usize {
                let open: Vec<_> = model
                    .open_requests()
                    .map(|open| (open.request.request_id.clone(), open.outcome))
                    .collect();
                return Err(format!(
                    "no end after {MOST} fair actions; open {open:?}; record {:?}; fair run {told:?}",
                    model.record
                ));
            }
            model.act(action, setting);
            model.canonical(setting);
        };
        for fingerprint in way.into_iter().rev() {
            self.known.insert(fingerprint, length);
            length += 1;
        }
        ensure_bounded(length)
    }
}

fn ensure_bounded(length: u32) -> Result<u32, String> {
    if length <= MOST { Ok(length) } else { Err(format!("a fair run of {length} actions")) }
}

/// The next action when nothing goes wrong. `None`: everything has ended.
pub(in crate::sync::tests) fn next(model: &Model, setting: &Setting) -> Option<Action> {
    let runs = (0..model.workers.len()).find_map(|worker| Some((worker, model.workers[worker].as_ref()?)));
    if let Some(hub) = model.hubs.iter().position(|hub| !hub.is_readable) {
        return Some(Action::Readable(hub));
    }
    if let Some(place) =
        model.in_flight.iter().position(|sent| !sent.has_arrived && model.operation != Running::Runs)
    {
        return Some(Action::Arrive(place));
    }
    if let Some((worker, run)) = runs {
        // The service refuses a second operation beside one that runs.
        let is_stuck = matches!(run.stack.last(), Some(Todo::Await(_)))
            && model.in_flight.iter().any(|sent| sent.worker == Some(worker) && !sent.has_arrived);
        if is_stuck {
            return Some(Action::OperationEnds);
        }
        return Some(Action::Go(worker, Answer::Well));
    }
    if let Some((hub, policy)) = model.pushes().next() {
        return Some(Action::Push(hub, policy));
    }
    if model.operation == Running::Runs {
        return Some(Action::OperationEnds);
    }
    let open = model.record.as_ref().filter(|record| record.is_open());
    let is_due = open.is_none_or(|record| record.next_look_at <= NOW);
    let free = |message: &Message| message.holder.is_none();
    // A request that a full sync puts back comes again once the looks have made room.
    let has_room = |index: usize| {
        let id = &model.asked[index].request.request_id;
        open.is_none_or(|open| open.knows(id) || open.known().count() < setting.most_requests)
    };
    let may_come = |message: &Message| {
        free(message)
            && match message.body {
                Body::Request(index) => has_room(index),
                Body::FollowUp(..) => is_due,
            }
    };
    if let Some(place) = model.queue.iter().position(may_come) {
        return Some(Action::Deliver(0, place));
    }
    if model.is_overdue(0, setting) {
        return Some(Action::Report(0));
    }
    if model.lost().next().is_some() {
        return Some(Action::TakeUp(0));
    }
    (open.is_some() || model.queue.iter().any(free)).then_some(Action::Wait(1))
}

/// The state in which a world without faults gets into a phase, once this many requests were submitted.
pub(super) fn led_to(mut model: Model, setting: &Setting, phase: Phase, submitted: usize) -> Model {
    for index in 0..submitted {
        model.act(Action::Submit(index), setting);
    }
    while model.record.as_ref().is_none_or(|record| record.phase != phase) {
        let action = next(&model, setting).expect("a state on the way to the end");
        model.act(action, setting);
        model.canonical(setting);
    }
    model
}
