//! An older CA that is still on a hub beside the current one, after a rotation.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::trust::Trust;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for pair in namespace.pairs.iter().filter(|pair| pair.assessment.trust == Trust::Leftover) {
            let current =
                pair.assessment.evidence.as_ref().map(|evidence| evidence.certificate_name.as_str());
            let hub = observation.hubs.iter().find(|hub| hub.hub.id == pair.hub.id);
            let certificates = hub.into_iter().flat_map(|hub| hub.certificates.iter().flatten());
            let older = certificates.filter(|certificate| {
                certificate.issuer_id.as_ref() == Some(pair.policy.issuer_id())
                    && Some(certificate.name.as_str()) != current
            });
            let subject = namespace.subject().in_policy(&pair.policy.name).on_hub(&pair.hub.name);
            let message = pair.assessment.why.clone();
            let finding = Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, message);
            findings.push(older.fold(finding, |finding, certificate| {
                let expiry = certificate.expiry.map_or_else(String::new, |end| format!(", until {end}"));
                finding.with("olderCertificate", format!("{}{expiry}", certificate.name))
            }));
        }
    }
    findings
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
}
