//! Whether the hubs of one group were seen to trust a policy. A hub that was not seen proves nothing: a group whose
//! hubs are unknown waits.

use super::Observation;
use crate::model::{EnrollmentGroup, Hub, Policy};
use crate::phrase;
use crate::reason::Reason;
use crate::rules::allocated_hubs;
use crate::trust::{Assessment, Trust};

/// Why nothing is known where no hub is named.
pub(crate) const NO_HUB_NAMED: &str = "neither the group nor its provisioning service names a hub; a provisioning \
                                       service outside `scopes`, or hidden by roles, names none either";

/// Why nothing is known of a hub that was not seen.
pub(crate) fn not_seen(host_name: &str) -> String {
    format!(
        "{host_name} is not among the hubs that were seen: it is not linked to the namespace, not in `scopes`, or hidden \
         by roles"
    )
}

/// Every hub that the group names, or else every one of its DPS, by its host name; with its judgement where it was seen.
pub(crate) fn each<'a>(
    group: &'a EnrollmentGroup,
    provisioning_service_hubs: &'a [String],
    policy: &Policy,
    observation: &'a Observation,
) -> Vec<(&'a str, Option<(&'a Hub, Assessment)>)> {
    let allocated = allocated_hubs(group, provisioning_service_hubs).iter();
    let judged = |host_name: &str| {
        let hub = observation.hubs.iter().find(|hub| hub.hub.is_at(host_name))?;
        Some((&hub.hub, observation.assess(policy, hub)))
    };
    allocated.map(|host_name| (host_name.as_str(), judged(host_name))).collect()
}

/// Which of the hubs that a group can allocate devices to do not trust one policy, and which are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HubTrust {
    /// Hubs that were seen without the policy's current CA; a device must never get a certificate that its hub refuses
    /// (`azure-wire-facts.md` §4).
    pub untrusting: Vec<String>,
    /// What is not known, one sentence for each hub. Empty: at least one hub is named, and each was seen.
    pub unknown: Vec<String>,
}

impl HubTrust {
    /// Looks at every hub that the group names, or else at every one of its DPS.
    pub fn of(
        group: &EnrollmentGroup,
        provisioning_service_hubs: &[String],
        policy: &Policy,
        observation: &Observation,
    ) -> Self {
        let mut seen = Self::default();
        let hubs = each(group, provisioning_service_hubs, policy, observation);
        if hubs.is_empty() {
            seen.unknown.push(NO_HUB_NAMED.to_owned());
        }
        for (host_name, hub) in hubs {
            let Some((hub, assessment)) = hub else {
                seen.unknown.push(not_seen(host_name));
                continue;
            };
            match assessment.trust {
                Trust::Trusted | Trust::Leftover => {}
                Trust::Missing | Trust::Stale => seen.untrusting.push(hub.name.clone()),
                Trust::Unreadable => {
                    seen.unknown.push(format!("{}: {}", hub.name, phrase::clause(&assessment.why)));
                }
            }
        }
        seen
    }

    /// Why the policy is not written. With `before_trust` the group does not wait for trust, but it still waits for
    /// hubs that were not seen.
    pub fn objection(&self, policy: &str, before_trust: bool) -> Option<(Reason, String)> {
        let untrusting = self.untrusting.join(", ");
        if !self.unknown.is_empty() {
            let mut detail =
                format!("whether its hubs trust `{policy}` is not known: {}", self.unknown.join("; "));
            if !untrusting.is_empty() {
                detail.push_str(&format!("; it is not trusted by {untrusting}"));
            }
            return Some((Reason::HubsUnknown, detail));
        }
        if !untrusting.is_empty() && !before_trust {
            return Some((Reason::WaitingForTrust, format!("`{policy}` is not trusted by {untrusting}")));
        }
        None
    }
}
