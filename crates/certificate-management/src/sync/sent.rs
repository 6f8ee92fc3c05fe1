//! The last POST of a namespace that may have had effect. The record keeps it beyond its sync: the next sync must send
//! no other POST while this one may still have effect.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::event::{Claim, Context};
use super::pause;
use crate::digest;
use crate::plan::{Observation, Pair};
use crate::trust::Trust;

/// Most pairs that the record remembers one by one. With more, the POST counts as one for every pair.
const MOST_PAIRS: usize = 1_000;

/// A POST that may have had effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The sync that claimed it.
    pub sync_id: String,
    /// Which claim of that sync it was.
    pub post: u32,
    /// When it was claimed.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_at: OffsetDateTime,
    /// Whether the service has accepted it, so that it is not on its way any more.
    pub is_accepted: bool,
    /// The pairs it was for: a digest of each issuing CA and hub that was not seen to trust it. `None`: all pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Vec<String>>,
}

impl Sent {
    /// Remembers the POST of a claim that was just made.
    pub(super) fn of(sync_id: &str, post: u32, observation: &Observation, context: &Context) -> Self {
        let pairs: Vec<String> = unproven(observation).collect();
        Self {
            sync_id: sync_id.to_owned(),
            post,
            claimed_at: context.now,
            is_accepted: false,
            pairs: Some(pairs).filter(|pairs| pairs.len() <= MOST_PAIRS),
        }
    }

    /// Whether it was sent for this claim.
    pub(super) fn is_of(&self, claim: &Claim) -> bool {
        self.sync_id == claim.look.sync_id && self.post == claim.post
    }

    /// Whether another POST has to wait: this one may be on its way, or may still give the hubs what it was for.
    pub(super) fn holds_up(&self, observation: &Observation, context: &Context) -> bool {
        if context.now - self.claimed_at > pause::CLAIM_DEADLINE {
            return false;
        }
        let is_for = |pair: String| self.pairs.as_ref().is_none_or(|pairs| pairs.contains(&pair));
        !self.is_accepted || unproven(observation).any(is_for)
    }
}

/// The hash of what a POST is for: each issuing CA and hub that was not seen to trust it, in whatever order they were seen.
pub(super) fn plan_hash(observation: &Observation) -> String {
    let mut pairs: Vec<String> = unproven(observation).collect();
    pairs.sort_unstable();
    digest::of::<16>(pairs.join("\n"))
}

/// The pairs that a sync is for and whose hub was not seen to trust the CA.
fn unproven(observation: &Observation) -> impl Iterator<Item = String> {
    let pairs = observation.pairs().into_iter();
    pairs
        .filter(|pair| pair.needs_sync() || pair.assessment.trust == Trust::Unreadable)
        .map(|pair| name(&pair))
}

/// A name that differs between pairs, and between a CA of a policy and the CA before it.
fn name(pair: &Pair<'_>) -> String {
    let ca = &pair.policy.issuing_ca;
    let end = ca.not_after.map(OffsetDateTime::unix_timestamp);
    let (subject, thumbprint) = (&ca.subject, &ca.thumbprint);
    let text =
        format!("{}\n{end:?}\n{subject:?}\n{thumbprint:?}\n{}", pair.policy.id.key(), pair.hub.id.key());
    digest::of::<8>(text)
}
