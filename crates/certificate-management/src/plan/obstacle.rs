//! What keeps a hub from trusting a policy that the service pushes by itself.
//!
//! In the second generation no client can ask for a sync: the service pushes a certificate authority to a hub over the
//! hub's link with the namespace (`azure-wire-facts.md` §0, §2.3). So the link explains why a hub has not got it.

use super::{Observation, Pair};
use crate::generation::LinkState;
use crate::model::Policy;
use crate::phrase;
use crate::reason::Reason;

/// Why a hub does not trust a policy of the second generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The reason code.
    pub reason: Reason,
    /// With the particulars, and what to do.
    pub detail: String,
    /// Whether it may pass without a person's doing.
    pub may_pass: bool,
}

/// What keeps the hubs that a group waits for from a policy that the service pushes: what does not pass by itself first.
#[must_use]
pub fn obstacle_of_group(
    observation: &Observation,
    policy: &Policy,
    waits_for: &[String],
) -> Option<Obstacle> {
    let pairs = observation.pairs();
    let waited_for =
        pairs.iter().filter(|pair| pair.policy.id == policy.id && waits_for.contains(&pair.hub.name));
    waited_for.map(|pair| obstacle(observation, pair)).min_by_key(|obstacle| obstacle.may_pass)
}

/// Reads the obstacle from the link of the pair's hub, for a pair that is not trusted.
#[must_use]
pub fn obstacle(observation: &Observation, pair: &Pair<'_>) -> Obstacle {
    let hub = &pair.hub.name;
    let namespace = observation.namespace.id.name();
    let Some(link) = observation.namespace.link(&pair.hub.id) else {
        let detail = format!(
            "namespace {namespace} has no messaging endpoint for hub {hub}, so no certificate authority is pushed to it; \
             link the hub from the namespace"
        );
        return Obstacle { reason: Reason::LinkMissing, detail, may_pass: false };
    };
    match &link.state {
        Some(LinkState::Failed) => {
            let (said, next_step) = match &link.error {
                Some(error) => (error.to_string(), error.next_step()),
                None => ("the service does not say why".to_owned(), "link the hub again"),
            };
            let detail = format!("the link of hub {hub} failed: {}; {next_step}", phrase::clause(&said));
            Obstacle { reason: Reason::LinkFailed, detail, may_pass: false }
        }
        Some(LinkState::InProgress) => {
            let detail = format!("the link of hub {hub} is still being made");
            Obstacle { reason: Reason::LinkInProgress, detail, may_pass: true }
        }
        Some(LinkState::Succeeded) | None => {
            let detail = format!(
                "hub {hub} is linked, and the push of {} has not arrived: {}",
                pair.policy.name, pair.assessment.why
            );
            Obstacle { reason: Reason::PushAwaited, detail, may_pass: true }
        }
        Some(LinkState::Other(state)) => {
            let detail = format!("the link of hub {hub} is `{state}`, which this version does not know");
            Obstacle { reason: Reason::PushAwaited, detail, may_pass: true }
        }
    }
}
