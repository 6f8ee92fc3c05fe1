//! What is remembered of the one sync of a namespace. Its JSON is a contract: the records of the last release are read.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::failure::Setback;
use super::missing::Missing;
use super::operation::SyncOperation;
use super::sent::Sent;
use crate::ArmId;

/// The one sync of a namespace: the one in flight, or the last one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncRecord {
    /// Its id.
    pub sync_id: String,
    /// Its namespace.
    pub namespace_id: ArmId,
    /// How far it is.
    pub phase: Phase,
    /// When it got into this phase, or when its POST was claimed once more.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// When evidence that is still absent becomes `unverified`. It is set once, by the first claim or the first watch:
    /// whatever is tried again after that has no more time than the need had.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
    /// When the next look is due. A look that is long overdue has lost its follow-up.
    #[serde(with = "time::serde::rfc3339")]
    pub next_look_at: OffsetDateTime,
    /// Number of the follow-up that it waits for, from 1. Recorded before that follow-up is sent, so a follow-up with a
    /// higher number is forged.
    pub attempt: u32,
    /// The follow-up whose look has begun and is not recorded as done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<u32>,
    /// When it was claimed or began to watch for the first time. Its duration counts from here.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// How often its POST was claimed. Fences the answer of one claim from that of another.
    pub posts: u32,
    /// For how many of these claims the POST is known to have had no effect: the service refused it, or it was not sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
    /// What the service calls the operation, from the moment its answer was recorded.
    pub operation: Option<SyncOperation>,
    /// Why the last POST was not accepted; told when the deadline passes before one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setback: Option<Setback>,
    /// The last POST of the namespace that may have had effect, of this sync or of one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The requests that it is for.
    pub requests: Vec<String>,
    /// The requests that came after its claim. It may satisfy them, but it was not made for them: those that it does not
    /// satisfy get the next sync.
    pub waiting: Vec<String>,
    /// Requests of it that the last look found no record of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// W3C trace context of the request that opened it.
    pub traceparent: Option<String>,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Requests join it; its next look plans them all against one observation.
    Gathering,
    /// Its POST is about to be sent, is being sent, or its answer was lost.
    Claimed,
    /// The service accepted it.
    Started,
    /// Nothing was sent, because nothing that was seen lacks a sync. What was not seen, or what the service pushes by
    /// itself, is looked for.
    Watching,
    /// Every request that joined it has its outcome.
    Ended,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 5] = [Self::Gathering, Self::Claimed, Self::Started, Self::Watching, Self::Ended];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gathering => "gathering",
            Self::Claimed => "claimed",
            Self::Started => "started",
            Self::Watching => "watching",
            Self::Ended => "ended",
        })
    }
}

impl SyncRecord {
    /// Whether requests of it have no outcome yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Ended
    }

    /// Whether a request has joined it.
    #[must_use]
    pub fn knows(&self, request_id: &str) -> bool {
        self.known().any(|known| known == request_id)
    }

    /// The requests that have joined it and have not left it.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().chain(&self.waiting).map(String::as_str)
    }
}
