//! The outcome of a request: per hub, and as a whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Requester, SyncRequest};
use crate::reason::Reason;
use crate::trust::Evidence;

/// The outcome of a request on one hub, from best to worst; a request's own outcome is the worst of its hubs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The hub trusted the policy's current CA before Policysync did anything.
    AlreadyTrusted,
    /// The hub trusts it now, with evidence.
    Trusted,
    /// Policysync has done nothing for it yet.
    Queued,
    /// A sync runs, or Policysync looks for its evidence.
    Syncing,
    /// The operation ended, but the evidence was absent at the deadline.
    Unverified,
    /// Policysync did not do it, for a reason that the caller can change.
    Refused,
    /// A call to Azure failed, or the operation did.
    Failed,
}

impl Outcome {
    /// Whether it is the last one: nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Syncing)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::AlreadyTrusted => "already-trusted",
            Self::Trusted => "trusted",
            Self::Queued => "queued",
            Self::Syncing => "syncing",
            Self::Unverified => "unverified",
            Self::Refused => "refused",
            Self::Failed => "failed",
        })
    }
}

/// The outcome on one hub for one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HubOutcome {
    /// Name of the hub.
    pub hub: String,
    /// Name of the policy.
    pub policy: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, where there is more to say than the outcome.
    pub reason: Option<Reason>,
    /// The particulars, as a sentence, where the hub has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The certificate that was seen on the hub. Requests of one look share it.
    pub evidence: Option<Arc<Evidence>>,
}

/// The record of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// The request as it was submitted.
    pub request: SyncRequest,
    /// How the app knows who asked. Records of older versions do not have it.
    #[serde(default)]
    pub requester: Requester,
    /// The worst outcome of its hubs, or its own where it ended before it came to hubs.
    pub outcome: Outcome,
    /// Why, where there is more to say than the outcome.
    pub reason: Option<Reason>,
    /// The reason with its particulars, for a person.
    pub detail: Option<String>,
    /// The outcome per hub and policy.
    pub hubs: Vec<HubOutcome>,
    /// The sync it joined.
    pub sync_id: Option<String>,
    /// The hash of what the POST of its sync was for: each issuing CA and hub. `None`: no POST was made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// When the app first saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub submitted_at: OffsetDateTime,
    /// When this record last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl RequestRecord {
    /// The record of a new request.
    #[must_use]
    pub fn queued(request: SyncRequest, now: OffsetDateTime) -> Self {
        Self {
            requester: request.requester,
            request,
            outcome: Outcome::Queued,
            reason: None,
            detail: None,
            hubs: Vec::new(),
            sync_id: None,
            plan: None,
            submitted_at: now,
            updated_at: now,
        }
    }

    /// Sets the outcome of the request as a whole.
    pub fn conclude(
        &mut self,
        outcome: Outcome,
        reason: Option<Reason>,
        detail: Option<String>,
        now: OffsetDateTime,
    ) {
        (self.outcome, self.reason, self.detail, self.updated_at) = (outcome, reason, detail, now);
    }

    /// Sets the outcomes of its hubs; its own outcome and reason are those of the worst hub. A hub whose outcome is not
    /// final counts as the worst.
    pub fn conclude_hubs(&mut self, hubs: Vec<HubOutcome>, detail: Option<String>, now: OffsetDateTime) {
        let is_open = hubs.iter().any(|hub| !hub.outcome.is_final());
        let counted = hubs.iter().filter(|hub| !is_open || !hub.outcome.is_final());
        if let Some(worst) = counted.max_by_key(|hub| hub.outcome) {
            let detail = detail.or_else(|| worst.detail.clone());
            self.conclude(worst.outcome, worst.reason, detail, now);
        }
        self.hubs = hubs;
    }
}
