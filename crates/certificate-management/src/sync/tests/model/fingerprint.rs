//! The search takes two states with the same fingerprint for the same. The fingerprint leaves out texts for people and
//! the times of evidence: no decision reads them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;

use super::{Happening, Model, Run, Todo};
use crate::configuration::Mode;
use crate::request::{HubOutcome, RequestRecord};
use crate::sync::{Claim, Conclusion, OperationState, Outcomes, PostEnd};

impl Model {
    /// 64 bits: among ten million states the chance that two are confused is below one in 100,000.
    pub fn fingerprint(&self) -> u64 {
        let mut state = DefaultHasher::new();
        let into = &mut state;
        self.record.hash(into);
        for asked in &self.asked {
            asked.record.is_some().hash(into);
            if let Some(record) = &asked.record {
                // The time at which a request was submitted does not matter once its outcome is final.
                (!record.outcome.is_final()).then_some(record.submitted_at).hash(into);
                request(record, into);
            }
            asked.is_marked.hash(into);
        }
        self.queue.hash(into);
        self.window.hash(into);
        for run in &self.workers {
            run.is_some().hash(into);
            if let Some(run) = run {
                self::run(run, into);
            }
        }
        ((self.mode == Mode::Audit), self.is_configured, self.hubs, self.renewals, self.operation).hash(into);
        (&self.in_flight, self.posted, self.left, self.submitted).hash(into);
        state.finish()
    }
}

impl Model {
    /// Orders the workers.
    pub(super) fn rank(&self, worker: usize) -> u64 {
        let mut state = DefaultHasher::new();
        if let Some(run) = &self.workers[worker] {
            self::run(run, &mut state);
        }
        self.queue
            .iter()
            .filter(|message| message.holder == Some(worker))
            .for_each(|message| message.body.hash(&mut state));
        let sent = self.in_flight.iter().filter(|sent| sent.worker == Some(worker));
        sent.for_each(|sent| sent.has_arrived.hash(&mut state));
        if self.workers[worker].is_none() { u64::MAX } else { state.finish() }
    }
}

fn run(run: &Run, into: &mut DefaultHasher) {
    (run.stack.len(), run.claim_is_fresh, run.attempts, run.messages).hash(into);
    run.stack.iter().for_each(|todo| self::todo(todo, into));
}

fn request(record: &RequestRecord, into: &mut DefaultHasher) {
    (&record.request.request_id, record.outcome, record.reason, &record.sync_id).hash(into);
    hubs(&record.hubs, into);
}

fn hubs(told: &[HubOutcome], into: &mut DefaultHasher) {
    for hub in told {
        (&hub.hub, &hub.policy, hub.outcome, hub.reason).hash(into);
    }
}

fn todo(todo: &Todo, into: &mut DefaultHasher) {
    discriminant(todo).hash(into);
    match todo {
        Todo::Step(happening) => self::happening(happening, into),
        Todo::Ask(look) => look.hash(into),
        Todo::Observe(look, operation) => {
            look.hash(into);
            told(operation, into);
        }
        Todo::Read(look, operation, seen) => {
            (look, seen).hash(into);
            told(operation, into);
        }
        Todo::Post(claim) | Todo::Await(claim) => self::claim(claim, into),
        Todo::Send(sync_id, attempt) => (sync_id, attempt).hash(into),
        Todo::Conclude(outcomes, next) => {
            next.hash(into);
            self::outcomes(outcomes, into);
        }
        Todo::PutBack(requests) => requests.hash(into),
    }
}

fn happening(happening: &Happening, into: &mut DefaultHasher) {
    discriminant(happening).hash(into);
    match happening {
        Happening::Requested(read) => read.iter().for_each(|record| request(record, into)),
        Happening::FollowUp(sync_id, attempt) => (sync_id, attempt).hash(into),
        Happening::Told(look, state) => {
            look.hash(into);
            told(state, into);
        }
        Happening::Observed { look, seen, operation, read, missing } => {
            (look, seen, missing).hash(into);
            told(operation, into);
            read.iter().for_each(|record| request(record, into));
        }
        Happening::PostEnded(claim, end) => {
            self::claim(claim, into);
            discriminant(end).hash(into);
            match end {
                PostEnd::Accepted(operation) => operation.hash(into),
                PostEnd::AnswerLost(_) => {}
                PostEnd::Refused(failure) => failure.hash(into),
            }
        }
        Happening::Concluded(look, finished) => (look, finished).hash(into),
        Happening::TimerPassed => {}
    }
}

fn told(state: &OperationState, into: &mut DefaultHasher) {
    discriminant(state).hash(into);
}

fn claim(claim: &Claim, into: &mut DefaultHasher) {
    (&claim.look, claim.post).hash(into);
    claim.planned.iter().for_each(|planned| conclusion(planned, into));
}

fn outcomes(outcomes: &Outcomes, into: &mut DefaultHasher) {
    (&outcomes.look, &outcomes.already_final).hash(into);
    outcomes.conclusions.iter().for_each(|told| conclusion(told, into));
}

fn conclusion(told: &Conclusion, into: &mut DefaultHasher) {
    (&told.request.request_id, &told.sync_id, told.outcome, told.reason).hash(into);
    hubs(&told.hubs, into);
}
