//! The model, led to an instant and killed there.

use std::rc::Rc;

use time::Duration;

use crate::request::{Outcome, SyncRequest};
use crate::sync::tests::model::{Action, Answer, Body, Fact, Fault, Model, Running, Setting, Todo};
use crate::sync::tests::search::{fair, properties};
use crate::sync::{Effect, MOST_REQUESTS, Phase, SyncRecord, step};

/// Most actions of a play.
const MOST: usize = 400;

/// A play with one worker. Its model holds the world; the stage counts the POSTs.
pub(super) struct Stage {
    pub model: Model,
    setting: Setting,
    /// The message that the killed run had in hand.
    in_hand: Option<Body>,
    /// POSTs that were sent and not refused.
    pub posts: usize,
    /// POSTs that were claimed.
    pub claims: usize,
}

impl Stage {
    /// A world of two hubs that lack the current CA, and requests that were not submitted yet.
    pub fn new(requests: Vec<SyncRequest>) -> Self {
        Self::patient(requests, 8)
    }

    /// The same, where the app looks for evidence for as many minutes.
    pub fn patient(requests: Vec<SyncRequest>, minutes: i64) -> Self {
        let patience = Duration::minutes(minutes);
        let setting = Setting {
            machine: step,
            ahead: Duration::ZERO,
            patience,
            tick: Duration::minutes(2),
            batch: 1,
            most_requests: MOST_REQUESTS,
        };
        let faults =
            [Fault::Kill, Fault::DeadLettered, Fault::SubmittedAgain, Fault::PostRefused, Fault::Duplicate];
        let model = faults.into_iter().fold(Model::new(requests), |model, fault| model.allow(fault, 9));
        Self { model, setting, in_hand: None, posts: 0, claims: 0 }
    }

    pub fn act(&mut self, action: Action) {
        let facts = self.model.act(action, &self.setting);
        for fact in &facts {
            match fact {
                Fact::Sent { .. } => self.posts += 1,
                Fact::Stepped(stepped) => {
                    let posts = stepped.step.effects.iter().filter(|e| matches!(e, Effect::Post(_)));
                    self.claims += posts.count();
                }
                Fact::Told { .. } => {}
            }
        }
        if matches!(action, Action::Go(_, Answer::Refused(_))) {
            self.posts -= 1;
        }
        for property in &properties::ALL {
            if let Err(says) = (property.holds)(&self.model, &facts, &self.setting) {
                panic!("`{}` does not hold after {action:?}: {says}", property.name);
            }
        }
    }

    pub fn submit(&mut self, index: usize) {
        self.act(Action::Submit(index));
    }

    /// A worker gets the message of a request.
    pub fn deliver_request(&mut self, index: usize) {
        self.deliver(&Body::Request(index));
    }

    /// A worker gets the follow-up that the record waits for.
    pub fn deliver_follow_up(&mut self) {
        let record = self.record();
        self.deliver(&Body::FollowUp(record.sync_id.clone(), record.attempt));
    }

    fn deliver(&mut self, body: &Body) {
        let place = self.model.queue.iter().position(|message| message.body == *body);
        let place = place.unwrap_or_else(|| panic!("{body:?} is not on the queue"));
        self.act(Action::Deliver(0, place));
    }

    /// While the run of this worker stands still, the other worker gets the message of a request and takes it in.
    pub fn takes_in_beside(&mut self, index: usize) {
        let place = self.model.queue.iter().position(|message| message.body == Body::Request(index));
        self.act(Action::Deliver(1, place.expect("its message is on the queue")));
        while self.model.workers[1].is_some() {
            self.act(Action::Go(1, Answer::Well));
        }
    }

    /// The run goes on until `is_there` holds for what it does next.
    pub fn run_until(&mut self, is_there: impl Fn(&Self, &Todo) -> bool) {
        for _ in 0..MOST {
            match self.todo() {
                Some(todo) if is_there(self, todo) => return,
                _ => self.go(),
            }
        }
        panic!("the run never came there");
    }

    /// The run does all of its effects; its message is not completed yet.
    pub fn run_through(&mut self) {
        while self.todo().is_some() {
            self.go();
        }
    }

    /// The run ends, and its message is completed.
    pub fn run_to_its_end(&mut self) {
        self.run_through();
        self.act(Action::Go(0, Answer::Well));
    }

    /// The world goes on without faults until `is_there` holds for what a run does next.
    pub fn until(&mut self, is_there: impl Fn(&Self, &Todo) -> bool) {
        for _ in 0..MOST {
            if self.todo().is_some_and(|todo| is_there(self, todo)) {
                return;
            }
            self.act(fair::next(&self.model, &self.setting).expect("the play goes on"));
        }
        panic!("no run ever came there");
    }

    fn go(&mut self) {
        assert!(self.model.workers[0].is_some(), "the run has ended");
        let may_arrive = self.model.operation != Running::Runs;
        let is_under_way = self.model.in_flight.iter().position(|sent| !sent.has_arrived);
        match (self.todo(), is_under_way) {
            (Some(Todo::Await(_)), Some(place)) if may_arrive => self.act(Action::Arrive(place)),
            _ => self.act(Action::Go(0, Answer::Well)),
        }
    }

    fn todo(&self) -> Option<&Todo> {
        self.model.workers[0].as_ref()?.stack.last()
    }

    /// The process ends, with all that it had still to do.
    pub fn kill(&mut self) {
        let in_hand = self.model.queue.iter().find(|message| message.holder == Some(0));
        self.in_hand = in_hand.map(|message| message.body.clone());
        self.act(Action::Fault(Fault::Kill, 0));
        assert!(self.model.workers[0].is_none());
    }

    /// A message is on the queue once more, to come later.
    pub fn put_back_for_later(&mut self, body: &Body) {
        let place = self.model.queue.iter().position(|message| message.body == *body);
        self.act(Action::Fault(Fault::Duplicate, place.expect("it is on the queue")));
    }

    /// The message that the killed run had in hand is delivered again, and its run ends.
    pub fn comes_again(&mut self) {
        let body = self.in_hand.clone().expect("the killed run had a message");
        self.deliver(&body);
        self.run_to_its_end();
    }

    /// From here on nothing goes wrong: the requests end with these outcomes, after so many POSTs.
    pub fn ends(&mut self, outcomes: &[Outcome], posts: usize) {
        for _ in 0..MOST {
            let Some(action) = fair::next(&self.model, &self.setting) else { break };
            self.act(action);
        }
        let ended: Vec<Outcome> = self.outcomes().collect();
        assert_eq!((ended.as_slice(), self.posts), (outcomes, posts));
        assert_eq!((self.record().phase, self.record().known().count()), (Phase::Ended, 0));
    }

    /// The outcomes of the requests that were submitted.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.model.asked.iter().filter_map(|asked| asked.record.as_ref()).map(|known| known.outcome)
    }

    pub fn record(&self) -> Rc<SyncRecord> {
        Rc::clone(self.model.record.as_ref().expect("the namespace has a sync"))
    }

    /// How far the sync is, if there is one.
    pub fn phase(&self) -> Option<Phase> {
        self.model.record.as_ref().map(|record| record.phase)
    }

    /// The numbers of the follow-ups of the current sync that are on the queue.
    pub fn follow_ups(&self) -> Vec<u32> {
        let sync_id = self.model.record.as_ref().map(|record| record.sync_id.clone());
        let numbers = self.model.queue.iter().filter_map(|message| match &message.body {
            Body::FollowUp(of, number) if Some(of) == sync_id.as_ref() => Some(*number),
            _ => None,
        });
        numbers.collect()
    }

    /// Whether the report would find the look overdue.
    pub fn is_overdue(&self) -> bool {
        self.model.is_overdue(0, &self.setting)
    }
}

/// Whether a follow-up is about to be sent.
pub(super) fn sends(_: &Stage, todo: &Todo) -> bool {
    matches!(todo, Todo::Send(..))
}

/// The same of a sync in a phase.
pub(super) fn sends_in(phase: Phase) -> impl Fn(&Stage, &Todo) -> bool {
    move |stage, todo| matches!(todo, Todo::Send(..)) && stage.phase() == Some(phase)
}
