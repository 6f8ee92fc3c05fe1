//! Makes states equal that differ in nothing that can ever matter, so that a search over them ends:
//!
//! - The machine compares numbers of follow-ups and ids of syncs only for equality, and never waits again for a
//!   follow-up that is older than the awaited one. So the awaited number is always the same here, and all older ones
//!   are one.
//! - Times matter relative to now, and only up to the last point where they decide something. They are rounded up to
//!   the model's step of time.
//! - The order of messages, and of requests in a record, does not matter.

use std::rc::Rc;

use time::{Duration, OffsetDateTime};

use super::{Body, Happening, Model, Running, Setting, Todo};
use crate::sync::tests::world::{NOW, Way};
use crate::sync::{Claim, Conclusion, Look, Outcomes, Phase, SyncRecord, pause};

/// The number that a record waits for.
const AWAITED: u32 = 1_000;
const CURRENT: &str = "current";
/// The sync of the last POST, where that is not the current one.
const LAST: &str = "last";
const OLD: &str = "old";

impl Model {
    /// Time passes.
    pub(super) fn grow_older(&mut self, by: Duration) {
        if let Some(record) = &mut self.record {
            let record = Rc::make_mut(record);
            for time in [&mut record.since, &mut record.deadline, &mut record.next_look_at] {
                *time -= by;
            }
            record.claimed_at = record.claimed_at.map(|time| time - by);
            record.scheduled_at = record.scheduled_at.map(|time| time - by);
            record.sent.iter_mut().for_each(|sent| sent.claimed_at -= by);
        }
        for known in self.asked.iter_mut().filter_map(|asked| asked.record.as_mut()) {
            if !known.outcome.is_final() {
                Rc::make_mut(known).submitted_at -= by;
            }
        }
        for run in self.workers.iter_mut().flatten() {
            run.claim_is_fresh = false;
        }
        // A POST takes less than the shortest step of time.
        self.in_flight.clear();
        for posted in self.posted.iter_mut().flatten().flatten() {
            *posted = (*posted + by).min(pause::CLAIM_DEADLINE);
        }
    }

    /// Makes this state equal to every state that differs in nothing that matters.
    pub fn canonical(&mut self, setting: &Setting) {
        let names = Names::of(self.record.as_deref());
        for asked in &mut self.asked {
            if let Some(known) = &mut asked.record {
                let oldest = NOW - setting.patience - setting.ahead.abs() - setting.tick;
                let submitted_at = known.submitted_at.max(oldest);
                let sync_id = known.sync_id.as_deref().map(|id| names.sync(id));
                if known.submitted_at != submitted_at || known.sync_id.as_deref() != sync_id {
                    let known = Rc::make_mut(known);
                    known.submitted_at = submitted_at;
                    known.sync_id = sync_id.map(str::to_owned);
                }
            }
        }
        for message in &mut self.queue {
            if let Body::FollowUp(sync_id, attempt) = &mut message.body {
                (*sync_id, *attempt) = names.follow_up(sync_id, *attempt);
            }
        }
        self.queue.sort();
        // A follow-up that is older than the awaited one only makes a run send that again, so one of them is as good as
        // many.
        self.queue
            .dedup_by(|a, b| a == b && a.holder.is_none() && a.body == Body::FollowUp(OLD.to_owned(), 0));
        for (sync_id, attempt) in &mut self.window {
            (*sync_id, *attempt) = names.follow_up(sync_id, *attempt);
        }
        self.window.retain(|(sync_id, _)| sync_id != OLD);
        self.window.sort();
        self.window.dedup();
        for run in self.workers.iter_mut().flatten() {
            for todo in &mut run.stack {
                rename(todo, &names);
            }
        }
        if self.operation != Running::Runs
            && self.operation != Running::Failed
            && self.pairs(Way::Synced).all(|(hub, policy)| !self.hubs[hub].is_pushed[policy])
        {
            self.operation = Running::Ended;
        }
        if let Some(record) = &mut self.record {
            let record = Rc::make_mut(record);
            names.rename_record(record);
            settle_times(record, setting);
            self.syncs = 0;
        }
        if setting.ahead.is_zero() && self.rank(0) > self.rank(1) {
            self.swap_workers();
        }
    }

    /// Two workers with the same clock are told apart by nothing else.
    fn swap_workers(&mut self) {
        self.workers.swap(0, 1);
        let holders = self.queue.iter_mut().map(|message| &mut message.holder);
        let senders = self.in_flight.iter_mut().map(|sent| &mut sent.worker);
        for worker in holders.chain(senders).flatten() {
            *worker = 1 - *worker;
        }
        self.queue.sort();
    }
}

/// The canonical names of the current sync and its numbers.
struct Names {
    sync_id: Option<String>,
    sent: Option<String>,
    attempt: u32,
    look: Option<u32>,
}

impl Names {
    fn of(record: Option<&SyncRecord>) -> Self {
        let open = record.filter(|record| record.is_open());
        Self {
            sync_id: record.map(|record| record.sync_id.clone()),
            sent: record.and_then(|record| record.sent.as_ref()).map(|sent| sent.sync_id.clone()),
            attempt: open.map_or(u32::MAX, |record| record.attempt),
            look: open.and_then(|record| record.look),
        }
    }

    fn sync(&self, sync_id: &str) -> &'static str {
        match sync_id {
            _ if self.sync_id.as_deref() == Some(sync_id) => CURRENT,
            _ if self.sent.as_deref() == Some(sync_id) => LAST,
            _ => OLD,
        }
    }

    fn follow_up(&self, sync_id: &str, attempt: u32) -> (String, u32) {
        match attempt.checked_sub(self.attempt) {
            Some(_) if attempt == u32::MAX && self.attempt < u32::MAX && self.sync(sync_id) == CURRENT => {
                (CURRENT.to_owned(), u32::MAX)
            }
            Some(ahead) if self.attempt < u32::MAX && self.sync(sync_id) == CURRENT => {
                (CURRENT.to_owned(), AWAITED + ahead)
            }
            _ => (OLD.to_owned(), 0),
        }
    }

    fn look(&self, attempt: u32) -> u32 {
        match self.look {
            Some(look) if look == attempt && look == self.attempt => AWAITED,
            Some(look) if look == attempt => AWAITED - 1,
            _ => 0,
        }
    }

    fn rename_look(&self, look: &mut Look) {
        let sync_id = self.sync(&look.sync_id);
        look.attempt = if sync_id == CURRENT { self.look(look.attempt) } else { 0 };
        look.sync_id = sync_id.to_owned();
    }

    fn rename_record(&self, record: &mut SyncRecord) {
        if let Some(sent) = &mut record.sent {
            sent.sync_id = self.sync(&sent.sync_id).to_owned();
        }
        record.sync_id = CURRENT.to_owned();
        if let Some(missing) = &mut record.missing {
            missing.look = self.look(missing.look);
            missing.requests.sort();
        }
        record.look = record.look.map(|look| self.look(look));
        record.attempt = AWAITED;
        record.requests.sort();
        record.waiting.sort();
    }
}

fn settle_times(record: &mut SyncRecord, setting: &Setting) {
    let apart = setting.ahead.abs() + setting.tick;
    let rounded = |time: OffsetDateTime, oldest: Duration| {
        let ahead = (time - NOW).as_seconds_f64() / setting.tick.as_seconds_f64();
        // Ages stay below a hundred steps.
        #[allow(clippy::cast_possible_truncation)]
        let steps = ahead.ceil() as i32;
        (NOW + setting.tick * steps).max(NOW - oldest - apart)
    };
    record.since =
        if record.phase == Phase::Claimed { rounded(record.since, pause::CLAIM_DEADLINE) } else { NOW };
    record.deadline = rounded(record.deadline, Duration::ZERO);
    record.next_look_at = rounded(record.next_look_at, pause::LOST_AFTER);
    record.claimed_at = record.claimed_at.map(|_| NOW);
    // Which plan it is decides nothing.
    record.plan = record.plan.as_ref().map(|_| String::new());
    // It matters only whether a look comes in the same instant, by one of the two clocks.
    record.scheduled_at = record.scheduled_at.filter(|at| [NOW, NOW + setting.ahead].contains(at));
    if let Some(sent) = &mut record.sent {
        sent.claimed_at = rounded(sent.claimed_at, pause::CLAIM_DEADLINE);
        if NOW - sent.claimed_at > pause::CLAIM_DEADLINE + setting.ahead.abs() {
            record.sent = None;
        }
    }
    if record.phase == Phase::Ended {
        (record.deadline, record.next_look_at, record.claimed_at) = (NOW, NOW, None);
        (record.posts, record.setback, record.look) = (0, None, None);
        (record.scheduled_at, record.plan) = (None, None);
    }
}

fn rename(todo: &mut Todo, names: &Names) {
    match todo {
        Todo::Ask(look) | Todo::Observe(look, _) | Todo::Read(look, ..) => names.rename_look(look),
        Todo::Step(happening) => rename_happening(happening, names),
        Todo::Post(claim) | Todo::Await(claim) => rename_claim(claim, names),
        Todo::Send(sync_id, attempt) => (*sync_id, *attempt) = names.follow_up(sync_id, *attempt),
        Todo::Conclude(outcomes, _) => {
            let Outcomes { conclusions, look, .. } = Rc::make_mut(outcomes);
            look.iter_mut().for_each(|look| names.rename_look(look));
            conclusions.iter_mut().for_each(|conclusion| rename_conclusion(conclusion, names));
        }
        Todo::PutBack(_) => {}
    }
}

fn rename_claim(claim: &mut Rc<Claim>, names: &Names) {
    let claim = Rc::make_mut(claim);
    names.rename_look(&mut claim.look);
    claim.planned.iter_mut().for_each(|conclusion| rename_conclusion(conclusion, names));
}

fn rename_conclusion(conclusion: &mut Conclusion, names: &Names) {
    conclusion.sync_id = conclusion.sync_id.as_deref().map(|id| names.sync(id).to_owned());
}

fn rename_happening(happening: &mut Happening, names: &Names) {
    if let Happening::Requested(read) | Happening::Observed { read, .. } = happening {
        for known in read.iter_mut().filter(|known| known.sync_id.is_some()) {
            let known = Rc::make_mut(known);
            known.sync_id = known.sync_id.as_deref().map(|id| names.sync(id).to_owned());
        }
    }
    match happening {
        Happening::FollowUp(sync_id, attempt) => {
            (*sync_id, *attempt) = names.follow_up(sync_id, *attempt);
        }
        Happening::Told(look, _) | Happening::Observed { look, .. } | Happening::Concluded(look, _) => {
            names.rename_look(look);
        }
        Happening::PostEnded(claim, _) => rename_claim(claim, names),
        Happening::Requested(_) | Happening::TimerPassed => {}
    }
}
