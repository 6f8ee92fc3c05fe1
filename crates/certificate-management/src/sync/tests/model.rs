//! Everything around the machine as one value: the stored records, the queue, two workers with clocks of their own, the
//! service and its hubs. It takes one [`Action`] at a time, so that a kill, a second worker or a change of the world
//! can come between any two things that a run does. A run keeps the driver's contract:
//!
//! - It loads the record, calls [`step`](crate::sync::step), and writes by compare-and-swap. When the swap fails it has
//!   changed nothing and begins again, so the three are one action here.
//! - It does the effects in their order. The effects of an answer come before the effects that are left.
//! - It completes its message after all of that.
//!
//! The clock stands still; instead [`Action::Wait`] makes everything older.

mod act;
mod canonical;
mod doing;
mod driver;
mod fingerprint;

use std::rc::Rc;

use time::Duration;

pub(super) use self::act::{Action, Fault};
pub(super) use self::driver::{Answer, Todo};
use super::world::{HUBS, NOW, POLICIES, Sight, Sights, Way, Ways};
use crate::configuration::Mode;
use crate::plan::Observation;
use crate::request::{RequestRecord, SyncRequest};
use crate::sync::{Claim, Context, Event, Failure, Look, OperationState, PostEnd, Step, SyncRecord};

/// The machine, or one with a fault in it.
pub(super) type Machine = fn(Option<&SyncRecord>, &[RequestRecord], &Event<'_>, &Context) -> Step;

/// What does not change while a model runs.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub machine: Machine,
    /// How far the second worker's clock is ahead of the first one's.
    pub ahead: Duration,
    /// How long the app looks for evidence.
    pub patience: Duration,
    /// The step of time.
    pub tick: Duration,
    /// Most messages that the host delivers together, up to [`act::TOGETHER`].
    pub batch: usize,
    /// Most requests that a sync knows.
    pub most_requests: usize,
}

/// The whole world at one instant.
#[derive(Clone)]
pub(super) struct Model {
    pub record: Option<Rc<SyncRecord>>,
    pub asked: Vec<Asked>,
    pub queue: Vec<Message>,
    /// Ids of the follow-ups in the queue's duplicate-detection window.
    pub window: Vec<(String, u32)>,
    pub workers: [Option<Run>; 2],
    pub mode: Mode,
    pub is_configured: bool,
    pub policies: Ways,
    pub hubs: [HubState; HUBS],
    /// How often the CA of each policy was renewed.
    pub renewals: [u8; POLICIES],
    pub operation: Running,
    pub in_flight: Vec<InFlight>,
    /// Per hub that lacks the current CA of a policy: how long ago a run sent the last POST that may give the hub that
    /// CA.
    pub posted: Posted,
    /// How many of the requests were submitted.
    pub submitted: usize,
    /// How many syncs there were.
    pub syncs: u32,
    /// How many faults of each kind may still happen.
    pub left: [u8; Fault::ALL.len()],
}

/// A request that a caller has, and its record once it was submitted.
#[derive(Clone)]
pub(super) struct Asked {
    pub request: Rc<SyncRequest>,
    pub record: Option<Rc<RequestRecord>>,
    /// Whether it has the mark that lets the report find it when no sync knows it.
    pub is_marked: bool,
}

/// A message on the queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Message {
    pub body: Body,
    /// The worker that has it in hand.
    pub holder: Option<usize>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Body {
    /// The request of this index.
    Request(usize),
    /// A follow-up: its sync and number.
    FollowUp(String, u32),
}

/// An invocation that a worker runs.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The things that it still has to do, the next one last.
    pub stack: Vec<Todo>,
    /// Whether less than a minute has passed since its last claim.
    pub claim_is_fresh: bool,
    /// How far it has raised the record's `attempt`.
    pub attempts: u8,
    /// How many messages woke it.
    pub messages: u8,
}

/// Per hub and policy: how long ago a run sent the last POST.
pub(super) type Posted = [[Option<Duration>; POLICIES]; HUBS];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct HubState {
    /// Per policy.
    pub has_current: [bool; POLICIES],
    /// Per policy: whether its current CA is on its way to this hub.
    pub is_pushed: [bool; POLICIES],
    pub is_readable: bool,
    /// Whether its link with the namespace stands.
    pub is_linked: bool,
}

/// How far the service is with the last POST that reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Running {
    Nothing,
    Runs,
    Ended,
    Failed,
}

/// A POST that may still reach the service, or whose answer a worker waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct InFlight {
    /// The worker that waits for its answer.
    pub worker: Option<usize>,
    pub has_arrived: bool,
    /// The value of [`Model::posted`] before it.
    pub before: Posted,
}

/// Something in one action that a property may want to know.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    /// The machine took a step.
    Stepped(Box<Stepped>),
    /// A POST left in this mode. `again_after`: how long ago another POST was sent for a hub that still lacks the CA.
    Sent { mode: Mode, again_after: Option<Duration> },
    /// The record of a request was changed.
    Told { before: Rc<RequestRecord>, after: Rc<RequestRecord> },
}

/// One step of the machine.
#[derive(Debug, Clone)]
pub(super) struct Stepped {
    pub before: Option<Rc<SyncRecord>>,
    pub after: Option<Rc<SyncRecord>>,
    pub happening: Happening,
    pub mode: Mode,
    pub step: Step,
}

/// An event that owns its data.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Requested(Vec<Rc<RequestRecord>>),
    FollowUp(String, u32),
    Told(Look, OperationState),
    Observed {
        look: Look,
        seen: Result<Sights, Failure>,
        operation: OperationState,
        read: Vec<Rc<RequestRecord>>,
        missing: Vec<String>,
    },
    PostEnded(Rc<Claim>, PostEnd),
    Concluded(Look, Vec<String>),
    TimerPassed,
}

impl Happening {
    /// Its name in the diagram.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested(_) => "requested",
            Self::FollowUp(..) => "follow-up",
            Self::Told(..) => "operation told",
            Self::Observed { .. } => "observed",
            Self::PostEnded(..) => "POST ended",
            Self::Concluded(..) => "concluded",
            Self::TimerPassed => "timer passed",
        }
    }

    /// Hands it to a machine.
    pub fn step(&self, machine: Machine, record: Option<&SyncRecord>, context: &Context) -> Step {
        let owned = |records: &[Rc<RequestRecord>]| -> Vec<RequestRecord> {
            records.iter().map(|record| RequestRecord::clone(record)).collect()
        };
        match self {
            Self::Requested(records) => machine(record, &owned(records), &Event::Requested, context),
            Self::FollowUp(sync_id, attempt) => {
                machine(record, &[], &Event::FollowUp { sync_id, attempt: *attempt }, context)
            }
            Self::Told(look, state) => {
                let event = Event::OperationTold { look: look.clone(), state: state.clone() };
                machine(record, &[], &event, context)
            }
            Self::Observed { look, seen, operation, read, missing } => {
                let observation: Result<Rc<Observation>, &Failure> = match seen {
                    Ok(sights) => Ok(sights.observation()),
                    Err(failure) => Err(failure),
                };
                let event = Event::Observed {
                    look: look.clone(),
                    seen: observation.as_ref().map(|seen| &**seen).map_err(|failure| *failure),
                    operation: operation.clone(),
                    missing: missing.clone(),
                };
                machine(record, &owned(read), &event, context)
            }
            Self::PostEnded(claim, end) => {
                let event = Event::PostEnded { claim: Claim::clone(claim), end: end.clone() };
                machine(record, &[], &event, context)
            }
            Self::Concluded(look, finished) => {
                let event = Event::Concluded { look: look.clone(), finished: finished.clone() };
                machine(record, &[], &event, context)
            }
            Self::TimerPassed => machine(record, &[], &Event::TimerPassed, context),
        }
    }
}

impl Model {
    /// A world in which nothing has happened: `enforce`, one policy that a sync brings, two hubs that lack its current CA, and
    /// these requests to come.
    pub fn new(requests: Vec<SyncRequest>) -> Self {
        Self::of_policies([Some(Way::Synced), None], requests)
    }

    /// The same with these policies. The service pushes the CA of a [`Way::Pushed`] policy by itself.
    pub fn of_policies(policies: Ways, requests: Vec<SyncRequest>) -> Self {
        let ask = |request| Asked { request: Rc::new(request), record: None, is_marked: false };
        let hub = HubState {
            has_current: [false; POLICIES],
            is_pushed: policies.map(|way| way == Some(Way::Pushed)),
            is_readable: true,
            is_linked: true,
        };
        Self {
            record: None,
            asked: requests.into_iter().map(ask).collect(),
            queue: Vec::new(),
            window: Vec::new(),
            workers: [None, None],
            mode: Mode::Enforce,
            is_configured: true,
            policies,
            hubs: [hub; HUBS],
            renewals: [1; POLICIES],
            operation: Running::Nothing,
            in_flight: Vec::new(),
            posted: Posted::default(),
            submitted: 0,
            syncs: 0,
            left: [0; Fault::ALL.len()],
        }
    }

    /// What a look would see now.
    pub fn sights(&self) -> Sights {
        let sight = |hub: HubState| {
            hub.has_current.map(|has_current| match (hub.is_readable, has_current) {
                (false, _) => Sight::Unreadable,
                (true, true) => Sight::Current,
                (true, false) => Sight::Stale,
            })
        };
        Sights {
            policies: self.policies,
            renewals: self.renewals,
            hubs: self.hubs.map(sight),
            is_linked: self.hubs.map(|hub| hub.is_linked),
        }
    }

    /// Every pair of a hub and a policy that gets its CA in this way.
    pub fn pairs(&self, way: Way) -> impl Iterator<Item = (usize, usize)> + use<> {
        let policies = self.policies;
        (0..HUBS).flat_map(move |hub| {
            (0..POLICIES)
                .filter(move |policy| policies[*policy] == Some(way))
                .map(move |policy| (hub, policy))
        })
    }

    /// The pairs whose CA is on its way.
    pub fn pushes(&self) -> impl Iterator<Item = (usize, usize)> {
        let pairs = self.pairs(Way::Synced).chain(self.pairs(Way::Pushed));
        pairs.filter(|(hub, policy)| self.hubs[*hub].is_pushed[*policy])
    }

    /// The context of a worker.
    pub fn context(&self, setting: &Setting, worker: usize) -> Context {
        Context {
            now: if worker == 0 { NOW } else { NOW + setting.ahead },
            mode: self.mode,
            freeze: None,
            is_configured: self.is_configured,
            patience: setting.patience,
            most_requests: setting.most_requests,
            next_sync_id: format!("sync-{}", self.syncs + 1),
            early: Duration::ZERO,
        }
    }

    /// The requests that were submitted and have no outcome.
    pub fn open_requests(&self) -> impl Iterator<Item = &Rc<RequestRecord>> {
        self.asked
            .iter()
            .filter_map(|asked| asked.record.as_ref())
            .filter(|record| !record.outcome.is_final())
    }

    /// Whether the open sync knows a request.
    pub fn is_known(&self, id: &str) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_open() && record.knows(id))
    }
}
