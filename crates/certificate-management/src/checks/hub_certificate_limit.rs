//! A hub that has almost no room for one more CA certificate: the next rotation could not be synced to it.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let threshold = &facts.thresholds.hub_certificate_limit;
    let (limit, margin) = (usize::from(threshold.limit), usize::from(threshold.margin));
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for hub in &observation.hubs {
            let Ok(certificates) = &hub.certificates else { continue };
            let count = certificates.len();
            if count + margin < limit {
                continue;
            }
            let severity = if count >= limit { Severity::Critical } else { Severity::Warning };
            let subject = namespace.subject().on_hub(&hub.hub.name);
            let message = format!("it has {count} CA certificates; a hub takes {limit}");
            let finding =
                Finding::new(CheckId::HubCertificateLimit, Reason::HubCertificateLimit, subject, message);
            findings.push(finding.with_severity(severity).with("certificates", count).with("limit", limit));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_hub_is_told_when_less_than_the_margin_is_free() {
        for (count, severity) in [
            (21, None),
            (22, Some(Severity::Warning)),
            (24, Some(Severity::Warning)),
            (25, Some(Severity::Critical)),
        ] {
            let mut world = World::healthy();
            let certificate = world.certificate().clone();
            world.hub().certificates = Ok(vec![certificate; count]);
            let found = world.found(CheckId::HubCertificateLimit);
            assert_eq!(found.first().map(|finding| finding.severity), severity, "{count}");
        }
    }
}
