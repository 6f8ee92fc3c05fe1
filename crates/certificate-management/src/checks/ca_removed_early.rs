//! A hub that no longer has an older CA whose device certificates may still be valid. A sync takes the older CA away
//! (`azure-wire-facts.md` §1.4), and the hub then refuses devices that have not registered again.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for pair in namespace.pairs.iter().filter(|pair| pair.assessment.trust.admits_current()) {
            let hub = observation.hubs.iter().find(|hub| hub.hub.id == pair.hub.id);
            let Some(Ok(certificates)) = hub.map(|hub| &hub.certificates) else { continue };
            for previous in namespace.issuers.previous(pair.policy) {
                let end = previous.issuer.not_after.unix_timestamp();
                let is_there = certificates.iter().any(|certificate| {
                    certificate.issuer_id.as_ref() == Some(pair.policy.issuer_id())
                        && certificate.expiry.is_some_and(|expiry| expiry.unix_timestamp() == end)
                });
                if is_there || previous.leaves_end_by <= facts.now {
                    continue;
                }
                let subject = namespace.subject().in_policy(&pair.policy.name).on_hub(&pair.hub.name);
                let message = format!(
                    "the hub does not have the CA that was seen at work until {}; device certificates of it may be valid \
                     until {}, and the hub refuses them",
                    previous.issuer.last_seen_at.date(),
                    previous.leaves_end_by.date()
                );
                let finding = Finding::new(CheckId::CaRemovedEarly, Reason::CaRemovedEarly, subject, message);
                findings.push(
                    finding
                        .on_occasion(&end.to_string())
                        .with_time("lastSeenAt", previous.issuer.last_seen_at)
                        .with_time("leavesEndBy", previous.leaves_end_by),
                );
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::{FAR, NOW, World};
    use super::*;
    use crate::model::HubCertificate;

    /// A world whose policy had another CA until an hour ago.
    fn rotated() -> World {
        let mut world = World::healthy();
        let mut before = world.observation.clone().unwrap();
        before.policies[0].issuing_ca.not_after = Some(FAR - Duration::DAY);
        before.seen_at = NOW - Duration::HOUR;
        world.issuers.note(&before);
        let now = world.observation.clone().unwrap();
        world.issuers.note(&now);
        world
    }

    #[test]
    fn devices_of_the_ca_before_are_told_of_until_the_last_of_them_has_ended() {
        let mut world = rotated();
        let finding = world.found(CheckId::CaRemovedEarly).remove(0);
        assert!(finding.message.contains("until 2026-12-23"), "{}", finding.message);
        world.now = NOW + Duration::days(30);
        assert_eq!(world.found(CheckId::CaRemovedEarly), []);
    }

    #[test]
    fn a_hub_that_has_both_or_could_not_be_read_or_was_not_rotated_is_none() {
        let mut world = rotated();
        let older = HubCertificate { expiry: Some(FAR - Duration::DAY), ..world.certificate().clone() };
        world.hub().certificates.as_mut().unwrap().push(older);
        assert_eq!(world.found(CheckId::CaRemovedEarly), []);
        world.hub().certificates = Err(crate::model::ReadFailure::other("503"));
        assert_eq!(world.found(CheckId::CaRemovedEarly), []);
        assert_eq!(World::healthy().found(CheckId::CaRemovedEarly), []);
    }
}
