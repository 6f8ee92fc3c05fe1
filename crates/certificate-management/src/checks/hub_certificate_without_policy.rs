//! A CA certificate on a hub whose policy is gone: devices with its certificates are still admitted.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for hub in &observation.hubs {
            for certificate in hub.certificates.iter().flatten() {
                let Some(issuer) = &certificate.issuer_id else { continue };
                if observation.policies.iter().any(|policy| policy.issuer_id() == issuer) {
                    continue;
                }
                let subject = namespace.subject().on_hub(&hub.hub.name).certificate(&certificate.name);
                let message = format!("it comes from {issuer}, of which the namespace has no policy");
                let finding = Finding::new(
                    CheckId::HubCertificateWithoutPolicy,
                    Reason::HubCertificateWithoutPolicy,
                    subject,
                    message,
                );
                let finding = finding.with("issuer", issuer);
                findings.push(match certificate.expiry {
                    Some(expiry) => finding.with_time("expiry", expiry),
                    None => finding,
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::ArmId;

    #[test]
    fn certificates_of_policies_that_are_gone_are_told_and_uploaded_ones_are_not() {
        let mut world = World::healthy();
        let mut uploaded = world.certificate().clone();
        (uploaded.name, uploaded.issuer_id) = ("uploaded".into(), None);
        let mut gone = world.certificate().clone();
        let other = gone.issuer_id.as_ref().unwrap().as_str().replace("/policies/short", "/policies/gone");
        (gone.name, gone.issuer_id) = ("c-gone".into(), Some(ArmId::parse(&other).unwrap()));
        world.hub().certificates.as_mut().unwrap().extend([uploaded, gone]);
        let findings = world.found(CheckId::HubCertificateWithoutPolicy);
        let subjects: Vec<_> = findings.iter().map(|finding| finding.subject.text.as_str()).collect();
        assert_eq!(subjects, ["contoso / h1 / c-gone"]);
    }
}
