//! The stored record of the one sync of a namespace. Its JSON is a contract: this version reads the records of the last
//! release.

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
    /// ARM id of its namespace.
    pub namespace_id: ArmId,
    /// How far it is.
    pub phase: Phase,
    /// When it got into this phase, or when its POST was claimed once more.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// When hubs without evidence become `unverified`. The first claim or the first watch sets it, and later tries do
    /// not extend it.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
    /// When the next look is due. The follow-up of a look that is long overdue was lost.
    #[serde(with = "time::serde::rfc3339")]
    pub next_look_at: OffsetDateTime,
    /// When that look was scheduled, by the clock of the instance that did it. Records of older versions do not have it.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<OffsetDateTime>,
    /// Number of the follow-up that it waits for, from 1. The driver records it before it sends that follow-up, so a
    /// follow-up with a higher number is forged.
    pub attempt: u32,
    /// The number of the follow-up whose look has begun and is not recorded as done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<u32>,
    /// When it was claimed or began to watch for the first time. Its duration counts from here.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub claimed_at: Option<OffsetDateTime>,
    /// How often its POST was claimed. Fences the answer of one claim from that of another.
    pub posts: u32,
    /// How many of these POSTs certainly had no effect: the service refused them, or the driver did not send them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
    /// The operation of the service, from the moment its answer was recorded.
    pub operation: Option<SyncOperation>,
    /// Why the service did not accept the last POST. The requests get it as their reason when the deadline passes
    /// before the service accepts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setback: Option<Setback>,
    /// The last POST of the namespace that may have had effect, of this sync or of one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The hash of what its last POST was for, unless that was refused. Records of older versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The requests that it is for.
    pub requests: Vec<String>,
    /// The requests that came after its claim. The sync may satisfy them, but it was not made for them: those that it
    /// does not satisfy join the next sync.
    pub waiting: Vec<String>,
    /// Requests of it whose record the last look did not find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// W3C trace context of the request that opened it.
    pub traceparent: Option<String>,
}

// serde calls it with a reference.
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
    /// No POST was sent, because no hub was seen to need one. The looks wait for hubs that could not be read, and for
    /// what the service pushes by itself.
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
    /// Whether it has requests without an outcome.
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
