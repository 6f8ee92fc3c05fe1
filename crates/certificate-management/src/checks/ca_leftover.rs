//! An older CA that is still on a hub beside the current one, after a rotation.

use time::OffsetDateTime;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::issuers::SeenIssuers;
use crate::model::{HubCertificate, Policy};
use crate::reason::Reason;
use crate::trust::{self, Trust};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for pair in namespace.pairs.iter().filter(|pair| pair.assessment.trust == Trust::Leftover) {
            let current =
                pair.assessment.evidence.as_ref().map(|evidence| evidence.certificate_name.as_str());
            let hub = observation.hubs.iter().find(|hub| hub.hub.id == pair.hub.id);
            let certificates = hub.into_iter().flat_map(|hub| hub.certificates.iter().flatten());
            // The next CA is no leftover: without it devices would be cut off.
            let older: Vec<&HubCertificate> = certificates
                .filter(|certificate| {
                    certificate.issuer_id.as_ref() == Some(pair.policy.issuer_id())
                        && Some(certificate.name.as_str()) != current
                        && !trust::is_next(pair.policy, certificate)
                })
                .collect();
            let subject = namespace.subject().in_policy(&pair.policy.name).on_hub(&pair.hub.name);
            let mut message = pair.assessment.why.clone();
            let leaves = last_leaf(namespace.issuers, pair.policy, &older);
            if let Some(end) = leaves {
                message = match end > facts.now {
                    true => format!("{message}; device certificates of it may be valid until {}", end.date()),
                    false => {
                        format!("{message}; no device certificate of it can be valid since {}", end.date())
                    }
                };
            }
            let mut finding = Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, message);
            if let Some(end) = leaves {
                finding = finding.with_time("leavesEndBy", end);
            }
            findings.push(older.into_iter().fold(finding, |finding, certificate| {
                let expiry = certificate.expiry.map_or_else(String::new, |end| format!(", until {end}"));
                finding.with("olderCertificate", format!("{}{expiry}", certificate.name))
            }));
        }
    }
    findings
}

/// After which moment no device certificate of any of these can be valid; `None`: one of them was not seen at work.
fn last_leaf(issuers: &SeenIssuers, policy: &Policy, older: &[&HubCertificate]) -> Option<OffsetDateTime> {
    let previous = issuers.previous(policy);
    let end_of = |certificate: &&HubCertificate| {
        let expiry = certificate.expiry?.unix_timestamp();
        let seen = previous.iter().find(|previous| previous.issuer.not_after.unix_timestamp() == expiry)?;
        Some(seen.leaves_end_by)
    };
    older.iter().map(end_of).collect::<Option<Vec<_>>>()?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;

    #[test]
    fn the_older_certificate_is_named_and_the_current_one_is_not() {
        let mut world = World::healthy();
        assert_eq!(world.found(CheckId::CaLeftover), []);
        let older = crate::model::HubCertificate {
            name: "c-old".into(),
            expiry: Some(NOW),
            ..world.certificate().clone()
        };
        world.hub().certificates.as_mut().unwrap().push(older);
        let finding = world.found(CheckId::CaLeftover).remove(0);
        assert_eq!(finding.evidence.len(), 1, "{finding:?}");
        assert!(finding.evidence[0].value.starts_with("c-old"));
    }

    #[test]
    fn the_day_of_its_last_device_certificate_is_told_where_the_older_ca_was_seen_at_work() {
        let mut world = World::healthy();
        let older_end = crate::checks::testing::FAR - time::Duration::DAY;
        let mut before = world.observation.clone().unwrap();
        before.policies[0].issuing_ca.not_after = Some(older_end);
        before.seen_at = NOW - time::Duration::HOUR;
        world.issuers.note(&before);
        let now = world.observation.clone().unwrap();
        world.issuers.note(&now);
        let older =
            HubCertificate { name: "c-old".into(), expiry: Some(older_end), ..world.certificate().clone() };
        world.hub().certificates.as_mut().unwrap().push(older);
        let told = |world: &World| world.found(CheckId::CaLeftover).remove(0).message;
        assert!(told(&world).contains("may be valid until 2026-12-23"), "{}", told(&world));
        world.now = NOW + time::Duration::days(31);
        assert!(
            told(&world).contains("no device certificate of it can be valid since 2026-12-23"),
            "{}",
            told(&world)
        );
    }
}
