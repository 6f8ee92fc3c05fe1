//! One sync by hand: does what the driver does around the machine, one event at a time, with one worker. A test says
//! what happens, and looks at the effects that the machine wants and at the records of the requests.

use std::collections::VecDeque;

use time::Duration;

use super::world::{NOW, request};
use crate::ArmId;
use crate::checks::testing::{FAR, World};
use crate::configuration::Mode;
use crate::model::ReadFailure;
use crate::plan::Observation;
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord};
use crate::sync::{
    Claim, Context, Effect, Event, Failure, FollowUp, Look, MOST_REQUESTS, OperationState, PostEnd,
    SyncOperation, SyncRecord, step,
};
use crate::trust::Trust;

/// A namespace in `enforce`, where the app looks for evidence for half an hour.
pub(super) struct Stage {
    pub record: Option<SyncRecord>,
    /// The records of the requests.
    pub requests: Vec<RequestRecord>,
    pub context: Context,
    /// The effects that are left once a POST has its answer. A run that is killed while it waits leaves them.
    pub left: VecDeque<Effect>,
}

impl Stage {
    pub fn new() -> Self {
        let context = Context {
            now: NOW,
            mode: Mode::Enforce,
            freeze: None,
            is_configured: true,
            patience: Duration::minutes(30),
            most_requests: MOST_REQUESTS,
            next_sync_id: "sync-1".to_owned(),
            early: Duration::ZERO,
        };
        Self { record: None, requests: Vec::new(), context, left: VecDeque::new() }
    }

    pub fn record(&self) -> &SyncRecord {
        self.record.as_ref().unwrap()
    }

    pub fn passes(&mut self, time: Duration) {
        self.context.now += time;
    }

    /// The last outcome of a request, with its reason.
    pub fn told(&self, id: &str) -> (Outcome, Option<Reason>) {
        let known = self.requests.iter().find(|known| known.request.request_id == id).unwrap();
        (known.outcome, known.reason)
    }

    /// A request is recorded, and its message comes.
    pub fn submit(&mut self, id: &str, rest: &str) -> Vec<Effect> {
        self.requests.push(RequestRecord::queued(request(id, rest), self.context.now));
        self.message_comes(&[id])
    }

    /// The messages of these requests come, together.
    pub fn message_comes(&mut self, ids: &[&str]) -> Vec<Effect> {
        let come = |known: &&RequestRecord| ids.contains(&known.request.request_id.as_str());
        let requests: Vec<RequestRecord> = self.requests.iter().filter(come).cloned().collect();
        self.takes(&requests, &Event::Requested)
    }

    pub fn happens(&mut self, event: &Event<'_>) -> Vec<Effect> {
        self.takes(&[], event)
    }

    fn takes(&mut self, requests: &[RequestRecord], event: &Event<'_>) -> Vec<Effect> {
        let step = step(self.record.as_ref(), requests, event, &self.context);
        if let Some(record) = step.record {
            if record.sync_id == self.context.next_sync_id {
                let number: u32 = record.sync_id.trim_start_matches("sync-").parse().unwrap();
                self.context.next_sync_id = format!("sync-{}", number + 1);
            }
            self.record = Some(record);
        }
        let mut wanted = step.effects.clone();
        wanted.extend(self.does(step.effects.into()));
        wanted
    }

    /// Records outcomes and tells the machine, up to a POST. Returns what the machine wants after that.
    fn does(&mut self, mut effects: VecDeque<Effect>) -> Vec<Effect> {
        let mut wanted = Vec::new();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Post(_) => {
                    effects.append(&mut self.left);
                    self.left = effects;
                    break;
                }
                Effect::Conclude(outcomes) => {
                    let mut finished = outcomes.already_final;
                    for told in &outcomes.conclusions {
                        for known in &mut self.requests {
                            told.apply(known, self.context.now);
                            let is_it = known.request.request_id == told.request.request_id;
                            if is_it && known.outcome.is_final() {
                                finished.push(known.request.request_id.clone());
                            }
                        }
                    }
                    if let Some(look) = outcomes.look {
                        wanted.extend(self.happens(&Event::Concluded { look, finished }));
                    }
                }
                _ => {}
            }
        }
        wanted
    }

    /// The follow-up that the record waits for comes when it is due, and its look begins.
    pub fn look_begins(&mut self) -> Look {
        let (sync_id, attempt, due) =
            (self.record().sync_id.clone(), self.record().attempt, self.record().next_look_at);
        self.context.now = self.context.now.max(due);
        match self.happens(&Event::FollowUp { sync_id: &sync_id, attempt }).as_slice() {
            [Effect::Observe(look, _) | Effect::AskOperation(look, _)] => look.clone(),
            other => panic!("no look began: {other:?}"),
        }
    }

    /// The follow-up that the record waits for comes, and its look sees this.
    pub fn looks(&mut self, seen: &Observation) -> Vec<Effect> {
        let look = self.look_begins();
        self.observed(look, Ok(seen), OperationState::Silent)
    }

    /// The same, and its look fails.
    pub fn looks_in_vain(&mut self, failure: &Failure) -> Vec<Effect> {
        let look = self.look_begins();
        self.observed(look, Err(failure), OperationState::Silent)
    }

    pub fn observed(
        &mut self,
        look: Look,
        seen: Result<&Observation, &Failure>,
        operation: OperationState,
    ) -> Vec<Effect> {
        let known = |known: &&RequestRecord| self.record().knows(&known.request.request_id);
        let requests: Vec<RequestRecord> = self.requests.iter().filter(known).cloned().collect();
        self.takes(&requests, &Event::Observed { look, seen, operation, missing: Vec::new() })
    }

    /// A look claims a POST.
    pub fn claims(&mut self, seen: &Observation) -> Claim {
        let wanted = self.looks(seen);
        claim_in(&wanted).unwrap_or_else(|| panic!("no claim: {wanted:?}"))
    }

    /// A POST has its answer, and the run that waited for it goes on.
    pub fn post_ends(&mut self, claim: &Claim, end: PostEnd) -> Vec<Effect> {
        let mut wanted = self.happens(&Event::PostEnded { claim: claim.clone(), end });
        let left = std::mem::take(&mut self.left);
        wanted.extend(self.does(left));
        wanted
    }

    /// Looks, which see nothing else, until the sync has ended. Returns every effect but those of the last one.
    pub fn goes_on_to_its_end(&mut self, seen: &Observation) -> Vec<Effect> {
        let mut wanted = Vec::new();
        for _ in 0..200 {
            if !self.record().is_open() {
                return wanted;
            }
            wanted.extend(self.looks(seen));
        }
        panic!("the sync goes on for ever: {:?}", self.record());
    }
}

/// The POST that is wanted.
pub(super) fn claim_in(wanted: &[Effect]) -> Option<Claim> {
    wanted.iter().find_map(|effect| match effect {
        Effect::Post(claim) => Some(claim.clone()),
        _ => None,
    })
}

/// The follow-ups that are wanted.
pub(super) fn follow_ups_in(wanted: &[Effect]) -> Vec<&FollowUp> {
    let follow_ups = wanted.iter().filter_map(|effect| match effect {
        Effect::SendFollowUp(follow_up) => Some(follow_up),
        _ => None,
    });
    follow_ups.collect()
}

/// An operation that the service has accepted.
pub(super) fn accepted() -> PostEnd {
    PostEnd::Accepted(SyncOperation {
        url: Some("https://service/operations/1".to_owned()),
        finished: true,
        retry_after_seconds: None,
        started_at: Some(NOW),
    })
}

/// Policy `short` on as many hubs, `h1` and so on.
pub(super) fn sees(hubs: &[Trust]) -> Observation {
    let mut observation = World::healthy().observation.unwrap();
    let pattern = observation.hubs.remove(0);
    for (number, trust) in (1..).zip(hubs) {
        let mut observed = pattern.clone();
        let id = observed.hub.id.as_str().replace("/h1", &format!("/h{number}"));
        observed.hub.id = ArmId::parse(&id).unwrap();
        observed.hub.name = format!("h{number}");
        observed.hub.host_name = format!("h{number}.azure-devices.net");
        match (trust, &mut observed.certificates) {
            (Trust::Trusted, _) => {}
            (Trust::Missing, Ok(certificates)) => certificates.clear(),
            (Trust::Stale, Ok(certificates)) => certificates[0].expiry = Some(FAR - Duration::DAY),
            (_, certificates) => *certificates = Err(ReadFailure::other("it did not answer")),
        }
        observation.hubs.push(observed);
    }
    observation
}
