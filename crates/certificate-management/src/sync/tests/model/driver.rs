//! The driver's contract, one thing at a time: what a worker does next.

use crate::reason::failure::CallFailure;
use std::rc::Rc;

use super::{Body, Fact, Happening, InFlight, Message, Model, Running, Setting, Stepped};
use crate::configuration::Mode;
use crate::request::Outcome;
use crate::sync::tests::world::{NOW, Sights, Way, failure};
use crate::sync::{
    Claim, Effect, Failure, FailureKind, Look, OperationState, Outcomes, PostEnd, SyncOperation, SyncRecord,
    without_marks,
};

/// One thing that a run has to do.
#[derive(Debug, Clone)]
pub(in crate::sync::tests) enum Todo {
    Step(Happening),
    Ask(Look),
    Observe(Look, OperationState),
    /// Read the records of requests, after the observation of the namespace.
    Read(Look, OperationState, Result<Sights, Failure>),
    Post(Rc<Claim>),
    /// Wait for the answer to a POST.
    Await(Rc<Claim>),
    Send(String, u32),
    /// Record outcomes from this one on.
    Conclude(Rc<Outcomes>, usize),
    PutBack(Vec<usize>),
}

/// The answer of the world to what a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sync::tests) enum Answer {
    /// All is well.
    Well,
    /// The mode was read just before it was switched.
    WithOldMode,
    /// The namespace could not be observed.
    Unobservable(FailureKind),
    /// No answer came.
    Lost,
    /// The service refused the POST.
    Refused(FailureKind),
    /// A person has locked the namespace.
    Locked,
}

impl Model {
    /// The run of a worker does its next thing.
    pub(super) fn go(&mut self, worker: usize, answer: Answer, setting: &Setting) -> Vec<Fact> {
        let Some(run) = &mut self.workers[worker] else { return Vec::new() };
        let Some(todo) = run.stack.pop() else {
            self.workers[worker] = None;
            self.queue.retain(|message| message.holder != Some(worker));
            return Vec::new();
        };
        match todo {
            Todo::Step(happening) => return self.step(worker, happening, answer, setting),
            Todo::Ask(look) => {
                let state = match self.operation {
                    Running::Runs => OperationState::Running(None),
                    Running::Failed => OperationState::Failed("it failed".to_owned()),
                    Running::Nothing | Running::Ended => OperationState::Silent,
                };
                run.stack.push(Todo::Step(Happening::Told(look, state)));
            }
            Todo::Observe(look, operation) => {
                let seen = match answer {
                    _ if !self.is_configured => Err(failure(FailureKind::NotConfigured)),
                    Answer::Unobservable(kind) => Err(failure(kind)),
                    _ => Ok(self.sights()),
                };
                self.push(worker, Todo::Read(look, operation, seen));
            }
            Todo::Read(look, operation, seen) => {
                let known = self.asked.iter().filter(|asked| self.is_known(&asked.request.request_id));
                let (mut read, mut missing) = (Vec::new(), Vec::new());
                for asked in known {
                    match &asked.record {
                        Some(record) => read.push(Rc::clone(record)),
                        None => missing.push(asked.request.request_id.clone()),
                    }
                }
                self.push(worker, Todo::Step(Happening::Observed { look, seen, operation, read, missing }));
            }
            Todo::Post(claim) => return self.post(worker, claim),
            Todo::Await(claim) => {
                let end = self.answer(worker, answer);
                self.push(worker, Todo::Step(Happening::PostEnded(claim, end)));
            }
            Todo::Send(sync_id, attempt) => self.send(sync_id, attempt),
            Todo::Conclude(outcomes, next) => return self.conclude(worker, outcomes, next),
            Todo::PutBack(requests) => {
                let messages =
                    requests.into_iter().map(|index| Message { body: Body::Request(index), holder: None });
                self.queue.extend(messages);
            }
        }
        Vec::new()
    }

    fn push(&mut self, worker: usize, todo: Todo) {
        if let Some(run) = &mut self.workers[worker] {
            run.stack.push(todo);
        }
    }

    fn step(&mut self, worker: usize, happening: Happening, answer: Answer, setting: &Setting) -> Vec<Fact> {
        let mut context = self.context(setting, worker);
        if answer == Answer::WithOldMode {
            context.mode = if self.mode == Mode::Audit { Mode::Enforce } else { Mode::Audit };
        }
        let before = self.record.clone();
        let happening = self.as_old_as_now(happening);
        let step = happening.step(setting.machine, before.as_deref(), &context);
        if let Happening::Requested(requests) = &happening {
            // A kill before this would leave marks, which cost time only.
            let requests = requests.iter().map(|request| &**request);
            for id in without_marks(before.as_deref(), requests, &step.effects) {
                let of_request = self.asked.iter_mut().filter(|asked| asked.request.request_id == *id);
                of_request.for_each(|asked| asked.is_marked = false);
            }
        }
        if let Some(record) = &step.record {
            if record.sync_id == context.next_sync_id {
                self.syncs += 1;
            }
            let grown = grown(before.as_deref(), record);
            self.record = Some(Rc::new(record.clone()));
            if let Some(run) = &mut self.workers[worker] {
                run.attempts = run.attempts.saturating_add(grown);
            }
        }
        let mode = context.mode;
        for effect in step.effects.iter().rev().cloned() {
            self.queue_up(worker, effect);
        }
        vec![Fact::Stepped(Box::new(Stepped { before, after: self.record.clone(), happening, mode, step }))]
    }

    /// Makes the records that a run has read as old as the world is now.
    fn as_old_as_now(&self, mut happening: Happening) -> Happening {
        if let Happening::Requested(read) | Happening::Observed { read, .. } = &mut happening {
            for known in read {
                let stored = self.asked.iter().filter_map(|asked| asked.record.as_ref());
                let mut stored =
                    stored.filter(|stored| stored.request.request_id == known.request.request_id);
                let submitted_at = stored.next().map_or(known.submitted_at, |stored| stored.submitted_at);
                if submitted_at != known.submitted_at {
                    Rc::make_mut(known).submitted_at = submitted_at;
                }
            }
        }
        happening
    }

    fn queue_up(&mut self, worker: usize, effect: Effect) {
        let todo = match effect {
            Effect::AskOperation(look, _) => Todo::Ask(look),
            Effect::Observe(look, operation) => Todo::Observe(look, operation),
            Effect::Post(claim) => {
                if let Some(run) = &mut self.workers[worker] {
                    run.claim_is_fresh = true;
                }
                Todo::Post(Rc::new(claim))
            }
            Effect::SendFollowUp(follow_up) => Todo::Send(follow_up.sync_id, follow_up.attempt),
            Effect::Conclude(outcomes) => Todo::Conclude(Rc::new(outcomes), 0),
            Effect::PutBack(requests) => {
                let index = |id: &str| self.asked.iter().position(|asked| asked.request.request_id == id);
                Todo::PutBack(requests.iter().filter_map(|request| index(&request.request_id)).collect())
            }
            Effect::Measure { .. } => return,
        };
        self.push(worker, todo);
    }

    /// The one place that writes to Azure: it asks for the mode again, and sends only a POST that was claimed within
    /// the last minute.
    fn post(&mut self, worker: usize, claim: Rc<Claim>) -> Vec<Fact> {
        let is_fresh = self.workers[worker].as_ref().is_some_and(|run| run.claim_is_fresh);
        let kind = match self.mode {
            _ if !self.is_configured => Some(FailureKind::NotConfigured),
            Mode::Audit => Some(FailureKind::Audit),
            Mode::Enforce if !is_fresh => Some(FailureKind::Call(CallFailure::Unavailable)),
            Mode::Enforce => None,
        };
        if let Some(kind) = kind {
            self.push(worker, Todo::Step(Happening::PostEnded(claim, PostEnd::Refused(failure(kind)))));
            return Vec::new();
        }
        self.push(worker, Todo::Await(claim));
        self.in_flight.push(InFlight { worker: Some(worker), has_arrived: false, before: self.posted });
        let mut again_after = None;
        for (hub, policy) in self.pairs(Way::Synced) {
            if !self.hubs[hub].has_current[policy] {
                let posted = &mut self.posted[hub][policy];
                again_after = again_after.into_iter().chain(*posted).min();
                *posted = Some(time::Duration::ZERO);
            }
        }
        vec![Fact::Sent { mode: self.mode, again_after }]
    }

    fn answer(&mut self, worker: usize, answer: Answer) -> PostEnd {
        let Some(place) = self.in_flight.iter().position(|sent| sent.worker == Some(worker)) else {
            return PostEnd::AnswerLost("the time was over".to_owned());
        };
        let mut sent = self.in_flight.remove(place);
        match answer {
            Answer::Refused(_) | Answer::Locked if !sent.has_arrived => {
                self.posted = sent.before;
                let (kind, code) = match answer {
                    Answer::Refused(kind) => (kind, None),
                    _ => (FailureKind::Call(CallFailure::Conflict), Some("ScopeLocked".to_owned())),
                };
                PostEnd::Refused(Failure { code, ..failure(kind) })
            }
            Answer::Well if sent.has_arrived => PostEnd::Accepted(SyncOperation {
                url: Some("https://service/operation".to_owned()),
                finished: false,
                retry_after_seconds: None,
                started_at: Some(NOW),
            }),
            _ => {
                // The POST may still reach the service.
                if !sent.has_arrived {
                    sent.worker = None;
                    self.in_flight.push(sent);
                }
                PostEnd::AnswerLost("no answer came".to_owned())
            }
        }
    }

    /// Puts a follow-up on the queue, which drops it when it knows its id.
    fn send(&mut self, sync_id: String, attempt: u32) {
        let id = (sync_id.clone(), attempt);
        if !self.window.contains(&id) {
            self.window.push(id);
            self.queue.push(Message { body: Body::FollowUp(sync_id, attempt), holder: None });
        }
    }

    fn conclude(&mut self, worker: usize, outcomes: Rc<Outcomes>, next: usize) -> Vec<Fact> {
        let Some(conclusion) = outcomes.conclusions.get(next) else {
            if let Some(look) = outcomes.look.clone() {
                let told =
                    outcomes.conclusions.iter().map(|conclusion| conclusion.request.request_id.as_str());
                let told =
                    told.filter(|id| self.outcome(id).is_some_and(Outcome::is_final)).map(str::to_owned);
                let finished = outcomes.already_final.iter().cloned().chain(told).collect();
                self.push(worker, Todo::Step(Happening::Concluded(look, finished)));
            }
            return Vec::new();
        };
        self.push(worker, Todo::Conclude(Rc::clone(&outcomes), next + 1));
        let of = |asked: &&mut super::Asked| asked.request.request_id == conclusion.request.request_id;
        let Some(stored) = self.asked.iter_mut().find(of).and_then(|asked| asked.record.as_mut()) else {
            return Vec::new();
        };
        let before = Rc::clone(stored);
        conclusion.apply(Rc::make_mut(stored), NOW);
        vec![Fact::Told { before, after: Rc::clone(stored) }]
    }

    fn outcome(&self, id: &str) -> Option<Outcome> {
        let of = |asked: &&super::Asked| asked.request.request_id == id;
        self.asked.iter().find(of).and_then(|asked| asked.record.as_ref()).map(|record| record.outcome)
    }
}

/// By how much the number of the awaited follow-up grew.
fn grown(before: Option<&SyncRecord>, after: &SyncRecord) -> u8 {
    let before = before.filter(|before| before.sync_id == after.sync_id).map_or(0, |before| before.attempt);
    u8::try_from(after.attempt.saturating_sub(before)).unwrap_or(u8::MAX)
}
