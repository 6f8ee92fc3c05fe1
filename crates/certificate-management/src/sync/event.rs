//! What can happen to a sync, and what the machine is told beside it.

use time::{Duration, OffsetDateTime};

use super::conclusion::Conclusion;
use super::failure::Failure;
use super::operation::SyncOperation;
use crate::configuration::{Mode, NamespaceConfiguration};
use crate::plan::Observation;

/// Most requests that one sync knows at a time. What comes beyond goes back to the queue, so that a record stays below
/// 256 KiB with ids of the longest kind.
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
        /// What it said.
        state: OperationState,
    },
    /// The namespace was observed, or could not be. The machine gets the records of the requests that the sync knew then.
    Observed {
        /// The look that observed.
        look: Look,
        /// What was seen, or why nothing was.
        seen: Result<&'a Observation, &'a Failure>,
        /// What the operation said before.
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

/// One look: which sync, and for which of its follow-ups. What a look brings home counts only as long as no other look
/// has taken its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Look {
    /// The sync.
    pub sync_id: String,
    /// The number of the follow-up.
    pub attempt: u32,
}

/// The right to send one POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The look that decided it.
    pub look: Look,
    /// Which claim of the sync it is, from 1.
    pub post: u32,
    /// The requests that it is for, and what they become once it is sent.
    pub planned: Vec<Conclusion>,
}

/// How a POST ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostEnd {
    /// The service accepted it.
    Accepted(SyncOperation),
    /// It may have reached the service, and no answer came that settles it.
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
    /// It ended, is not known, cannot be asked, or there is none: the hubs tell.
    Silent,
}

/// What holds at the time of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The time of this instance. Other instances and the services have other times.
    pub now: OffsetDateTime,
    /// Whether functions write to the namespace now.
    pub mode: Mode,
    /// Whether the configuration names the namespace.
    pub is_configured: bool,
    /// How long evidence is looked for.
    pub patience: Duration,
    /// Most requests that a sync knows at a time: [`MOST_REQUESTS`], but in tests.
    pub most_requests: usize,
    /// The id of a sync, should this step open one.
    pub next_sync_id: String,
}

impl Context {
    /// What holds for a namespace now.
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
            is_configured: configuration.is_some(),
            patience: Duration::seconds(i64::from(seconds)),
            most_requests: MOST_REQUESTS,
            next_sync_id,
        }
    }
}
