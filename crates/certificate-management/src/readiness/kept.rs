//! What a report says of the links: judged by what was read of them last, and by what was seen of the namespace since.

use time::OffsetDateTime;

use super::seen::{Kind, Linked, Seen, Sides};
use super::{Aspect, Judged, Outcome, judge};
use crate::declared::Inventory;
use crate::model::ProvisioningState;
use crate::plan::Observation;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is not as it must be.
    pub wrong: Vec<Judged>,
    /// What could not be read.
    pub unchecked: Vec<Judged>,
}

impl Found {
    /// Whether the link of a hub, by its name, was seen to lack a role, without which the service pushes nothing to it.
    #[must_use]
    pub fn lacks_role(&self, hub: &str) -> bool {
        self.wrong.iter().any(|judged| judged.missing.is_some() && judged.subject.eq_ignore_ascii_case(hub))
    }
}

/// Judges the links by what was read of them at `at`. A hub or DPS that is not linked any more says nothing, and one that was
/// linked since is looked at next time.
#[must_use]
pub fn of_report(observation: &Observation, sides: &Sides, at: OffsetDateTime) -> Found {
    let linked = sides.linked.iter().filter_map(|linked| match linked.kind {
        Kind::Hub => {
            let hub = observation.hubs.iter().find(|hub| hub.hub.id == linked.id)?;
            let certificates = hub.certificates.as_ref().map(Vec::len).map_err(Clone::clone);
            Some(Linked { certificates: Some(certificates), ..linked.clone() })
        }
        Kind::ProvisioningService => Some(linked.clone()),
    });
    let seen = Seen {
        sides: Sides { side: sides.side.clone(), linked: linked.collect(), grants: sides.grants.clone() },
        inventory: Ok(Inventory {
            namespace: observation.namespace.clone(),
            // Its policies could be read, so it has one where its generation does.
            credential: Some(ProvisioningState::Succeeded),
            authorities: observation.authorities.clone(),
            policies: observation.policies.clone(),
        }),
        // `hub-certificate-limit` looks at the certificates of each hub.
        certificate_limit: (usize::MAX, 0),
        now: at,
        namespace: observation.namespace.clone(),
    };
    let mut found = Found { wrong: Vec::new(), unchecked: Vec::new() };
    for judged in judge(&seen) {
        // `state-not-succeeded` tells of the namespace itself, and the hub's own failure of its certificates.
        let is_told = judged.subject.is_empty() && judged.aspect == Aspect::LinkState
            || judged.aspect == Aspect::LinkLimits && judged.outcome == Outcome::Unchecked;
        match judged.outcome {
            Outcome::Wrong if !is_told => found.wrong.push(judged),
            Outcome::Unchecked if !is_told => found.unchecked.push(judged),
            _ => {}
        }
    }
    found
}
