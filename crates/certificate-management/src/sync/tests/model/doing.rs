//! Carries out the actions.

use std::rc::Rc;

use super::act::{Action, Fault};
use super::{Answer, Body, Fact, Happening, Message, Model, Run, Running, Setting, Todo};
use crate::configuration::Mode;
use crate::request::RequestRecord;
use crate::sync::tests::world::{NOW, POLICIES, Way};

impl Model {
    /// Carries out an action, and tells what happened.
    pub fn act(&mut self, action: Action, setting: &Setting) -> Vec<Fact> {
        match action {
            Action::Go(worker, answer) => {
                self.charge(answer);
                return self.go(worker, answer, setting);
            }
            Action::Submit(index) => {
                self.submitted = index + 1;
                self.admit(index);
                self.queue.push(Message { body: Body::Request(index), holder: None });
            }
            Action::Deliver(worker, place) => self.deliver(worker, &[place]),
            Action::DeliverTogether(worker, places) => {
                self.deliver(worker, &places.into_iter().flatten().collect::<Vec<_>>());
            }
            Action::Report(worker) => self.begin(worker, vec![Happening::TimerPassed], 1),
            Action::TakeUp(worker) => {
                let lost = self.lost().cloned().collect();
                self.begin(worker, vec![Happening::Requested(lost)], 1);
            }
            Action::Wait(ticks) => self.grow_older(setting.tick * i32::from(ticks)),
            Action::Arrive(place) => {
                self.in_flight[place].has_arrived = true;
                if self.in_flight[place].worker.is_none() {
                    self.in_flight.remove(place);
                }
                self.operation = Running::Runs;
                for (hub, policy) in self.pairs(Way::Synced) {
                    self.hubs[hub].is_pushed[policy] = !self.hubs[hub].has_current[policy];
                }
            }
            Action::Push(hub, policy) => self.give_current(hub, policy),
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
        // A lost answer that the deadline of the run has caused does not count as a fault.
        self.left[fault.place()] = self.left[fault.place()].saturating_sub(1);
    }

    /// The requests of a batch join first, all at once; then its follow-ups have their looks, each of them once.
    fn deliver(&mut self, worker: usize, places: &[usize]) {
        let (mut requests, mut follow_ups) = (Vec::new(), Vec::new());
        for place in places {
            self.queue[*place].holder = Some(worker);
            match self.queue[*place].body.clone() {
                Body::Request(index) => requests.push(self.admit(index)),
                Body::FollowUp(sync_id, attempt) if !follow_ups.contains(&(sync_id.clone(), attempt)) => {
                    follow_ups.push((sync_id, attempt));
                }
                Body::FollowUp(..) => {}
            }
        }
        let requested = (!requests.is_empty()).then_some(Happening::Requested(requests));
        let looks = follow_ups.into_iter().map(|(sync_id, attempt)| Happening::FollowUp(sync_id, attempt));
        self.begin(worker, requested.into_iter().chain(looks).collect(), places.len());
    }

    /// The record of a request whose message has come. The run creates it where there is none.
    fn admit(&mut self, index: usize) -> Rc<RequestRecord> {
        let asked = &mut self.asked[index];
        asked.is_marked |= asked.record.is_none();
        let queued = || Rc::new(RequestRecord::queued((*asked.request).clone(), NOW));
        Rc::clone(asked.record.get_or_insert_with(queued))
    }

    fn begin(&mut self, worker: usize, happenings: Vec<Happening>, messages: usize) {
        let stack = happenings.into_iter().rev().map(Todo::Step).collect();
        let messages = u8::try_from(messages).unwrap();
        self.workers[worker] = Some(Run { stack, claim_is_fresh: false, attempts: 0, messages });
    }

    fn give_current(&mut self, hub: usize, policy: usize) {
        self.hubs[hub].has_current[policy] = true;
        self.hubs[hub].is_pushed[policy] = false;
        self.posted[hub][policy] = None;
    }

    /// Forgets the POSTs for these policies: none of them brings the CA that the hubs lack now.
    fn nothing_is_posted(&mut self, of_policy: impl Fn(usize) -> bool) {
        for (hub, policy) in self.pairs(Way::Synced).filter(|(_, policy)| of_policy(*policy)) {
            self.posted[hub][policy] = None;
            self.hubs[hub].is_pushed[policy] = false;
        }
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
                self.queue.remove(place);
            }
            Fault::Forged => self.forge(place),
            Fault::WindowOver => self.window.clear(),
            Fault::ModeSwitched => {
                self.mode = if self.mode == Mode::Audit { Mode::Enforce } else { Mode::Audit };
            }
            Fault::Configured => self.is_configured = !self.is_configured,
            Fault::Renewed => {
                self.renewals[place] += 1;
                self.nothing_is_posted(|policy| policy == place);
                let is_pushed = self.policies[place] == Some(Way::Pushed);
                for hub in &mut self.hubs {
                    hub.has_current[place] = false;
                    hub.is_pushed[place] = is_pushed && hub.is_linked;
                }
            }
            Fault::Unreadable => self.hubs[place].is_readable = false,
            Fault::OperationFailed => {
                self.operation = Running::Failed;
                self.nothing_is_posted(|_| true);
            }
            Fault::Stalled => self.grow_older(setting.tick),
            Fault::ReportedEarly => self.begin(place, vec![Happening::TimerPassed], 1),
            Fault::PushedByOthers => self.give_current(place / POLICIES, place % POLICIES),
            Fault::LinkFailed => {
                self.hubs[place].is_linked = false;
                let pushed: Vec<_> = self.pairs(Way::Pushed).filter(|(hub, _)| *hub == place).collect();
                for (hub, policy) in pushed {
                    self.hubs[hub].is_pushed[policy] = false;
                }
            }
            Fault::RecordLost => self.asked[place].record = None,
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
        // The forged message has the id of the true one, so the queue drops the true one.
        self.window.push((sync_id.clone(), attempt));
        self.queue.push(Message { body: Body::FollowUp(sync_id, attempt), holder: None });
    }
}
