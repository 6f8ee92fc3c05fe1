//! The actions that can happen next.

use crate::reason::failure::CallFailure;
use std::rc::Rc;

use super::{Answer, Asked, Body, Model, Run, Running, Setting, Todo};
use crate::request::RequestRecord;
use crate::sync::tests::world::{POLICIES, Way};
use crate::sync::{FailureKind, pause};

/// Most messages of a batch.
pub(in crate::sync::tests) const TOGETHER: usize = 3;

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sync::tests) enum Action {
    /// A caller submits a request: it is recorded, and its message is on the queue.
    Submit(usize),
    /// A worker gets the message at this place.
    Deliver(usize, usize),
    /// A worker gets the messages at these places as one batch.
    DeliverTogether(usize, [Option<usize>; TOGETHER]),
    /// The run of a worker does its next thing.
    Go(usize, Answer),
    /// The report looks whether a follow-up was lost.
    Report(usize),
    /// The report takes up the requests that no sync knows.
    TakeUp(usize),
    /// Time passes, as many ticks.
    Wait(u8),
    /// A POST reaches the service.
    Arrive(usize),
    /// The service gives a hub the current CA of a policy.
    Push(usize, usize),
    /// The operation ends.
    OperationEnds,
    /// A hub answers again.
    Readable(usize),
    /// Something goes wrong, or changes.
    Fault(Fault, usize),
}

/// The ways in which something can go wrong or change. The search says how often each may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sync::tests) enum Fault {
    /// The process of a worker ends.
    Kill,
    /// A worker loses the lock of its message and goes on.
    LockLost,
    /// A message is delivered once more than it was sent.
    Duplicate,
    /// A message is dead-lettered.
    DeadLettered,
    /// A follow-up that no run has sent: with the next number, the number after it, the highest, an old one, another
    /// sync's.
    Forged,
    /// The duplicate-detection window is over.
    WindowOver,
    /// The mode is switched.
    ModeSwitched,
    /// The configuration loses the namespace, or gets it back.
    Configured,
    /// The CA of a policy is renewed: no hub has the current one.
    Renewed,
    /// A hub does not answer any more.
    Unreadable,
    /// The whole namespace cannot be observed.
    Unobservable,
    /// The service refuses a POST.
    PostRefused,
    /// The answer to a POST is lost.
    AnswerLost,
    /// The operation fails.
    OperationFailed,
    /// Another client gives a hub the current CA of a policy.
    PushedByOthers,
    /// A run takes a step with the mode that it read just before it was switched.
    OldMode,
    /// A run stands still while time passes, longer than an invocation may take.
    Stalled,
    /// The report runs although a message is still there: it is only late.
    ReportedEarly,
    /// The message of a request comes while another one of it does.
    SubmittedAgain,
    /// The link of a hub fails: the service pushes nothing to it.
    LinkFailed,
    /// The record of a request is gone.
    RecordLost,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 21] = [
        Self::Kill,
        Self::LockLost,
        Self::Duplicate,
        Self::DeadLettered,
        Self::Forged,
        Self::WindowOver,
        Self::ModeSwitched,
        Self::Configured,
        Self::Renewed,
        Self::Unreadable,
        Self::Unobservable,
        Self::PostRefused,
        Self::AnswerLost,
        Self::OperationFailed,
        Self::PushedByOthers,
        Self::OldMode,
        Self::Stalled,
        Self::ReportedEarly,
        Self::SubmittedAgain,
        Self::LinkFailed,
        Self::RecordLost,
    ];

    pub(super) fn place(self) -> usize {
        self as usize
    }
}

impl Model {
    /// Lets this fault happen so often.
    pub fn allow(mut self, fault: Fault, times: u8) -> Self {
        self.left[fault.place()] = times;
        self
    }

    fn may(&self, fault: Fault) -> bool {
        self.left[fault.place()] > 0
    }

    /// Every action that makes a difference now. A change that matters only once a run reads it happens right before
    /// that: the world changes when a run is about to look at it, the mode when a step or a POST is about to ask for
    /// it.
    pub fn actions(&self, setting: &Setting) -> Vec<Action> {
        let mut actions = Vec::with_capacity(24);
        // Putting a message on the queue, or completing one, has the same effect before and after anything that others
        // do.
        for (worker, run) in self.workers.iter().enumerate() {
            if let Some(run) = run
                .as_ref()
                .filter(|run| matches!(run.stack.last(), None | Some(Todo::Send(..) | Todo::PutBack(_))))
            {
                self.of_run(worker, run, &mut actions);
                if self.may(Fault::WindowOver) && !self.window.is_empty() {
                    actions.push(Action::Fault(Fault::WindowOver, 0));
                }
                return actions;
            }
        }
        for worker in 0..self.workers.len() {
            match &self.workers[worker] {
                Some(run) => self.of_run(worker, run, &mut actions),
                // Two idle workers with the same clock are one.
                None if worker == 1 && setting.ahead.is_zero() && self.workers[0].is_none() => {}
                None => self.of_idle(worker, setting, &mut actions),
            }
        }
        if self.workers.iter().any(Option::is_none) {
            self.of_callers(&mut actions);
            self.of_queue(&mut actions);
        }
        if self.may(Fault::RecordLost) {
            self.of_records(&mut actions);
        }
        self.of_world(&mut actions);
        actions
    }

    fn of_callers(&self, actions: &mut Vec<Action>) {
        for index in 0..self.asked.len() {
            match &self.asked[index].record {
                // Requests come in the order of their numbers; each search has an order of its own.
                None if index == self.submitted => actions.push(Action::Submit(index)),
                Some(_) if self.may(Fault::SubmittedAgain) => {
                    actions.push(Action::Fault(Fault::SubmittedAgain, index));
                }
                _ => {}
            }
        }
    }

    /// Records of requests can be gone when a message is about to be delivered, or a run is about to read or write them.
    fn of_records(&self, actions: &mut Vec<Action>) {
        let is_idle = self.workers.iter().any(Option::is_none);
        let mut next = self.workers.iter().flatten().filter_map(|run| run.stack.last());
        if is_idle || next.any(|todo| matches!(todo, Todo::Read(..) | Todo::Conclude(..))) {
            let with_records = (0..self.asked.len()).filter(|index| self.asked[*index].record.is_some());
            actions.extend(with_records.map(|index| Action::Fault(Fault::RecordLost, index)));
        }
    }

    fn of_run(&self, worker: usize, run: &Run, actions: &mut Vec<Action>) {
        let mut go = |answer| actions.push(Action::Go(worker, answer));
        match run.stack.last() {
            Some(Todo::Observe(..)) => {
                go(Answer::Well);
                if self.may(Fault::Unobservable) && self.is_configured {
                    for kind in [
                        FailureKind::Call(CallFailure::Unavailable),
                        FailureKind::Call(CallFailure::Unauthorized),
                        FailureKind::Call(CallFailure::Forbidden),
                    ] {
                        go(Answer::Unobservable(kind));
                    }
                }
            }
            Some(Todo::Await(_)) => {
                let sent = self.in_flight.iter().find(|sent| sent.worker == Some(worker));
                match sent {
                    Some(sent) if sent.has_arrived => {
                        go(Answer::Well);
                        if self.may(Fault::AnswerLost) {
                            go(Answer::Lost);
                        }
                    }
                    Some(_) => {
                        if self.may(Fault::AnswerLost) {
                            go(Answer::Lost);
                        }
                        if self.may(Fault::PostRefused) {
                            for kind in [
                                FailureKind::Call(CallFailure::Conflict),
                                FailureKind::Call(CallFailure::Unavailable),
                                FailureKind::Call(CallFailure::Forbidden),
                            ] {
                                go(Answer::Refused(kind));
                            }
                            go(Answer::Locked);
                        }
                    }
                    None => go(Answer::Lost),
                }
            }
            Some(Todo::Step(_)) => {
                go(Answer::Well);
                if self.may(Fault::OldMode) {
                    go(Answer::WithOldMode);
                }
            }
            _ => go(Answer::Well),
        }
        if self.may(Fault::Kill) {
            actions.push(Action::Fault(Fault::Kill, worker));
        }
        let has_lock = self.queue.iter().any(|message| message.holder == Some(worker));
        if has_lock && self.may(Fault::LockLost) {
            actions.push(Action::Fault(Fault::LockLost, worker));
        }
    }

    fn of_idle(&self, worker: usize, setting: &Setting, actions: &mut Vec<Action>) {
        for (place, message) in self.queue.iter().enumerate() {
            let is_first = !self.queue[..place].contains(message);
            if message.holder.is_none() && is_first {
                actions.push(Action::Deliver(worker, place));
            }
        }
        self.of_batches(worker, setting, actions);
        if self.is_overdue(worker, setting) {
            if self.queue.is_empty() {
                actions.push(Action::Report(worker));
            } else if self.may(Fault::ReportedEarly) {
                actions.push(Action::Fault(Fault::ReportedEarly, worker));
            }
        }
        if self.lost().next().is_some() {
            actions.push(Action::TakeUp(worker));
        }
    }

    /// Batches of two messages and more: requests in the order of the queue, then follow-ups in every order.
    fn of_batches(&self, worker: usize, setting: &Setting, actions: &mut Vec<Action>) {
        let free: Vec<usize> =
            (0..self.queue.len()).filter(|place| self.queue[*place].holder.is_none()).collect();
        let bodies = |batch: &[usize]| batch.iter().map(|place| &self.queue[*place].body).collect::<Vec<_>>();
        let mut batches: Vec<Vec<usize>> = free.iter().map(|place| vec![*place]).collect();
        let mut shorter = batches.clone();
        for _ in 1..setting.batch.min(TOGETHER) {
            let mut longer: Vec<Vec<usize>> = Vec::new();
            for batch in &shorter {
                let last = *batch.last().unwrap();
                let is_request = |place: usize| matches!(self.queue[place].body, Body::Request(_));
                for place in free.iter().copied().filter(|place| !batch.contains(place)) {
                    let is_in_order = !is_request(place) || (is_request(last) && last < place);
                    let with: Vec<usize> = batch.iter().copied().chain([place]).collect();
                    if is_in_order && !longer.iter().any(|known| bodies(known) == bodies(&with)) {
                        longer.push(with);
                    }
                }
            }
            batches.extend(longer.iter().cloned());
            shorter = longer;
        }
        actions.extend(batches.into_iter().filter(|batch| batch.len() > 1).map(|batch| {
            let mut places = [None; TOGETHER];
            places.iter_mut().zip(batch).for_each(|(place, of)| *place = Some(of));
            Action::DeliverTogether(worker, places)
        }));
    }

    /// Whether the report of a worker would find the next look overdue.
    pub fn is_overdue(&self, worker: usize, setting: &Setting) -> bool {
        let now = self.context(setting, worker).now;
        let open = self.record.as_ref().filter(|record| record.is_open());
        open.is_some_and(|record| now - record.next_look_at >= pause::LOST_AFTER)
    }

    /// Requests without an outcome that no sync knows and whose message is gone, as far as their marks let the report find them.
    pub fn lost(&self) -> impl Iterator<Item = &Rc<RequestRecord>> {
        let is_lost = |(index, asked): &(usize, &Asked)| {
            let has_message = self.queue.iter().any(|message| message.body == Body::Request(*index));
            asked.is_marked && !has_message && !self.is_known(&asked.request.request_id)
        };
        let records =
            self.asked.iter().enumerate().filter(is_lost).filter_map(|(_, asked)| asked.record.as_ref());
        records.filter(|record| !record.outcome.is_final())
    }

    fn of_queue(&self, actions: &mut Vec<Action>) {
        for (place, message) in self.queue.iter().enumerate() {
            if message.holder.is_none() && !self.queue[..place].contains(message) {
                for fault in [Fault::Duplicate, Fault::DeadLettered] {
                    if self.may(fault) {
                        actions.push(Action::Fault(fault, place));
                    }
                }
            }
        }
        if self.may(Fault::Forged) && self.record.as_ref().is_some_and(|record| record.is_open()) {
            actions.extend((0..5).map(|kind| Action::Fault(Fault::Forged, kind)));
        }
    }

    fn of_world(&self, actions: &mut Vec<Action>) {
        if self.workers.iter().all(Option::is_none) {
            actions.push(Action::Wait(1));
        } else if self.may(Fault::Stalled) {
            actions.push(Action::Fault(Fault::Stalled, 1));
        }
        let next = |matching: fn(&Todo) -> bool| {
            self.workers.iter().flatten().filter_map(|run| run.stack.last()).any(matching)
        };
        let is_looked_at = next(|todo| matches!(todo, Todo::Ask(_) | Todo::Observe(..)));
        let is_sent = next(|todo| matches!(todo, Todo::Await(_)));
        for (place, sent) in self.in_flight.iter().enumerate() {
            let may_arrive = !sent.has_arrived && self.operation != Running::Runs;
            if may_arrive && (is_looked_at || is_sent) {
                actions.push(Action::Arrive(place));
            }
        }
        if self.operation == Running::Runs && (is_sent || next(|todo| matches!(todo, Todo::Ask(_)))) {
            actions.push(Action::OperationEnds);
            if self.may(Fault::OperationFailed) {
                actions.push(Action::Fault(Fault::OperationFailed, 0));
            }
        }
        // The state of the hubs tells a POST apart from one for the same need.
        if next(|todo| matches!(todo, Todo::Observe(..) | Todo::Post(_) | Todo::Await(_))) {
            self.of_hubs(actions);
        }
        if next(|todo| matches!(todo, Todo::Step(_) | Todo::Post(_) | Todo::Observe(..))) {
            for fault in [Fault::ModeSwitched, Fault::Configured] {
                if self.may(fault) {
                    actions.push(Action::Fault(fault, 0));
                }
            }
        }
    }

    fn of_hubs(&self, actions: &mut Vec<Action>) {
        actions.extend(self.pushes().map(|(hub, policy)| Action::Push(hub, policy)));
        for (hub, policy) in self.pairs(Way::Synced).filter(|_| self.may(Fault::PushedByOthers)) {
            if !self.hubs[hub].is_pushed[policy] && !self.hubs[hub].has_current[policy] {
                actions.push(Action::Fault(Fault::PushedByOthers, hub * POLICIES + policy));
            }
        }
        for (place, hub) in self.hubs.iter().enumerate() {
            if hub.is_linked && self.may(Fault::LinkFailed) {
                actions.push(Action::Fault(Fault::LinkFailed, place));
            }
            if !hub.is_readable {
                actions.push(Action::Readable(place));
            } else if self.may(Fault::Unreadable) {
                actions.push(Action::Fault(Fault::Unreadable, place));
            }
        }
        if self.may(Fault::Renewed) {
            let policies = (0..POLICIES).filter(|policy| self.policies[*policy].is_some());
            actions.extend(policies.map(|policy| Action::Fault(Fault::Renewed, policy)));
        }
    }
}
