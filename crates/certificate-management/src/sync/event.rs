//! What can happen to a sync, and the context that the driver gives the machine with it.

use time::{Duration, OffsetDateTime};

use super::conclusion::Conclusion;
use super::failure::Failure;
use super::operation::SyncOperation;
use crate::configuration::{Mode, NamespaceConfiguration};
use crate::plan::Observation;

/// Most requests that one sync knows at a time, so that a record stays below 256 KiB with ids of the longest kind.
/// Further ones go back to the queue.
pub const MOST_REQUESTS: usize = 1_500;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Requests came: from the queue, or because the report found that no sync knew them. The machine gets their records.
    Requested,
    /// A follow-up was delivered.
    FollowUp {
        /// The sync that it names.
        sync_id: &'a str,
        /// Its number.
        attempt: u32,
    },
    /// The service told how far the operation is.
    OperationTold {
        /// The look that asked.
        look: Look,
        /// What the service said.
        state: OperationState,
    },
    /// The namespace was observed, or could not be. The machine gets the records of the requests that the sync knew then.
    Observed {
        /// The look that observed.
        look: Look,
        /// The observation, or why there is none.
        seen: Result<&'a Observation, &'a Failure>,
        /// What the service said of the operation before.
        operation: OperationState,
        /// Requests that the sync knew and that have no record in its namespace.
        missing: Vec<String>,
    },
    /// A POST ended, or was not sent.
    PostEnded {
        /// The claim that it was sent for.
        claim: Claim,
        /// How it ended.
        end: PostEnd,
    },
    /// Outcomes were recorded.
    Concluded {
        /// The look that concluded them.
        look: Look,
        /// The requests whose outcome is final now.
        finished: Vec<String>,
    },
    /// The report looks whether a follow-up was lost.
    TimerPassed,
}

impl Event<'_> {
    /// The look that brings it.
    pub(super) fn look(&self) -> Option<&Look> {
        match self {
            Self::OperationTold { look, .. } | Self::Observed { look, .. } | Self::Concluded { look, .. } => {
                Some(look)
            }
            Self::PostEnded { claim, .. } => Some(&claim.look),
            Self::Requested | Self::FollowUp { .. } | Self::TimerPassed => None,
        }
    }
}

/// One look: its sync, and the follow-up that began it. The machine takes the results of a look only as long as no
/// other look has taken its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Look {
    /// Id of the sync.
    pub sync_id: String,
    /// The number of the follow-up.
    pub attempt: u32,
    /// By how much the follow-up came too early, at least [`Duration::ZERO`] and at the most
    /// [`super::pause::CLOCKS_APART`].
    pub early: Duration,
}

/// The right to send one POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The look that claimed it.
    pub look: Look,
    /// Which claim of the sync it is, from 1.
    pub post: u32,
    /// The requests that it is for, with the outcomes that they get once it is sent.
    pub planned: Vec<Conclusion>,
}

/// How a POST ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostEnd {
    /// The service accepted it.
    Accepted(SyncOperation),
    /// It may have reached the service, and no answer came that says whether it did.
    AnswerLost(String),
    /// It certainly had no effect: it was not sent, or the service refused it.
    Refused(Failure),
}

/// What the service says about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationState {
    /// It goes on, and the service asks for this pause.
    Running(Option<Duration>),
    /// It failed; the service's message.
    Failed(String),
    /// It ended, the service does not know it or cannot be asked, or there is none: only the hubs show what became of
    /// it.
    Silent,
}

/// The circumstances of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The time on this instance's clock. Other instances and the services have other clocks.
    pub now: OffsetDateTime,
    /// Whether functions write to the namespace now.
    pub mode: Mode,
    /// Why and until when the namespace is frozen, where it is: no POST is sent but for a request that insists.
    pub freeze: Option<String>,
    /// Whether the configuration names the namespace.
    pub is_configured: bool,
    /// How long the app looks for evidence.
    pub patience: Duration,
    /// Most requests that a sync knows at a time: [`MOST_REQUESTS`], but in tests.
    pub most_requests: usize,
    /// The id of a sync, should this step open one.
    pub next_sync_id: String,
    /// By how much the queue's clock is known to be ahead of this instance's: what is due is put off by it. The machine takes it from the
    /// look that brings an event; [`Duration::ZERO`] before that.
    pub early: Duration,
}

impl Context {
    /// The circumstances of a namespace now.
    #[must_use]
    pub fn of(
        configuration: Option<&NamespaceConfiguration>,
        kill_switch: bool,
        now: OffsetDateTime,
        next_sync_id: String,
    ) -> Self {
        let seconds = configuration.map_or(1_800, |namespace| namespace.evidence_deadline_seconds);
        Self {
            now,
            mode: configuration.map_or(Mode::Audit, |namespace| namespace.effective_mode(kill_switch)),
            freeze: configuration.and_then(|namespace| Some(namespace.frozen(None, now)?.why())),
            is_configured: configuration.is_some(),
            patience: Duration::seconds(i64::from(seconds)),
            most_requests: MOST_REQUESTS,
            next_sync_id,
            early: Duration::ZERO,
        }
    }
}
