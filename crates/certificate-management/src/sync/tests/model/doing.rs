//! What comes of something that happens.

use std::rc::Rc;

use super::act::{Action, Fault};
use super::{Answer, Body, Fact, Happening, Message, Model, Run, Running, Setting, Todo};
use crate::configuration::Mode;
use crate::request::RequestRecord;
use crate::sync::tests::world::{HUBS, NOW};

impl Model {
    /// Lets something happen, and tells what it came to.
    pub fn act(&mut self, action: Action, setting: &Setting) -> Vec<Fact> {
        match action {
            Action::Go(worker, answer) => {
                self.charge(answer);
                return self.go(worker, answer, setting);
            }
            Action::Submit(index) => {
                let asked = &mut self.asked[index];
                asked.record = Some(Rc::new(RequestRecord::queued((*asked.request).clone(), NOW)));
                self.queue.push(Message { body: Body::Request(index), holder: None });
            }
            Action::Deliver(worker, place) => self.deliver(worker, place),
            Action::Report(worker) => self.begin(worker, Happening::TimerPassed),
            Action::TakeUp(worker) => {
                let unknown = self.unknown().cloned().collect();
                self.begin(worker, Happening::Requested(unknown));
            }
            Action::Wait(ticks) => self.grow_older(setting.tick * i32::from(ticks)),
            Action::Arrive(place) => {
                self.in_flight[place].has_arrived = true;
                if self.in_flight[place].worker.is_none() {
                    self.in_flight.remove(place);
                }
                self.operation = Running::Runs;
                for hub in &mut self.hubs {
                    hub.is_pushed = !hub.has_current;
                }
            }
            Action::Push(hub) => self.give_current(hub),
            Action::OperationEnds => self.operation = Running::Ended,
            Action::Readable(hub) => self.hubs[hub].is_readable = true,
            Action::Fault(fault, place) => {
                self.left[fault.place()] -= 1;
                self.fail(fault, place, setting);
            }
        }
        Vec::new()
    }

    fn charge(&mut self, answer: Answer) {
        let fault = match answer {
            Answer::Well => return,
            Answer::WithOldMode => Fault::OldMode,
            Answer::Unobservable(_) => Fault::Unobservable,
            Answer::Lost => Fault::AnswerLost,
            Answer::Refused(_) | Answer::Locked => Fault::PostRefused,
        };
        // An answer that is lost because the time is over costs nothing.
        self.left[fault.place()] = self.left[fault.place()].saturating_sub(1);
    }

    fn deliver(&mut self, worker: usize, place: usize) {
        self.queue[place].holder = Some(worker);
        let happening = match self.queue[place].body.clone() {
            Body::Request(index) => Happening::Requested(self.asked[index].record.iter().cloned().collect()),
            Body::FollowUp(sync_id, attempt) => Happening::FollowUp(sync_id, attempt),
        };
        self.begin(worker, happening);
    }

    fn begin(&mut self, worker: usize, happening: Happening) {
        self.workers[worker] =
            Some(Run { stack: vec![Todo::Step(happening)], claim_is_fresh: false, attempts: 0 });
    }

    fn give_current(&mut self, hub: usize) {
        self.hubs[hub].has_current = true;
        self.hubs[hub].is_pushed = false;
        self.posted[hub] = None;
    }

    fn fail(&mut self, fault: Fault, place: usize, setting: &Setting) {
        match fault {
            Fault::Kill => {
                self.workers[place] = None;
                self.release(place);
                self.in_flight.retain(|sent| !(sent.worker == Some(place) && sent.has_arrived));
                for sent in self.in_flight.iter_mut().filter(|sent| sent.worker == Some(place)) {
                    sent.worker = None;
                }
            }
            Fault::LockLost => self.release(place),
            Fault::Duplicate => self.queue.push(self.queue[place].clone()),
            Fault::DeadLettered => {
                if let Body::Request(index) = self.queue.remove(place).body {
                    self.asked[index].is_dead_lettered = true;
                }
            }
            Fault::Forged => self.forge(place),
            Fault::WindowOver => self.window.clear(),
            Fault::ModeSwitched => {
                self.mode = if self.mode == Mode::Audit { Mode::Enforce } else { Mode::Audit };
            }
            Fault::Configured => self.is_configured = !self.is_configured,
            Fault::Renewed => {
                self.renewals += 1;
                self.posted = [None; HUBS];
                for hub in &mut self.hubs {
                    (hub.has_current, hub.is_pushed) = (false, false);
                }
            }
            Fault::Unreadable => self.hubs[place].is_readable = false,
            Fault::OperationFailed => {
                self.operation = Running::Failed;
                self.posted = [None; HUBS];
                for hub in &mut self.hubs {
                    hub.is_pushed = false;
                }
            }
            Fault::Stalled => self.grow_older(setting.tick),
            Fault::ReportedEarly => self.begin(place, Happening::TimerPassed),
            Fault::PushedByOthers => self.give_current(place),
            Fault::SubmittedAgain => self.queue.push(Message { body: Body::Request(place), holder: None }),
            Fault::Unobservable | Fault::PostRefused | Fault::AnswerLost | Fault::OldMode => {}
        }
    }

    fn release(&mut self, worker: usize) {
        for message in self.queue.iter_mut().filter(|message| message.holder == Some(worker)) {
            message.holder = None;
        }
    }

    fn forge(&mut self, kind: usize) {
        let Some(record) = self.record.clone() else { return };
        let (sync_id, attempt) = match kind {
            0 => (record.sync_id.clone(), record.attempt),
            1 => (record.sync_id.clone(), record.attempt.saturating_add(1)),
            2 => (record.sync_id.clone(), u32::MAX),
            3 => (record.sync_id.clone(), record.attempt.saturating_sub(1)),
            _ => ("another".to_owned(), 1),
        };
        // The forger names the message as a true one would be, so the queue drops the true one.
        self.window.push((sync_id.clone(), attempt));
        self.queue.push(Message { body: Body::FollowUp(sync_id, attempt), holder: None });
    }
}
