//! A linked hub that does not trust a policy's current CA: it has none, an older one, or one that cannot be compared.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::generation::Generation;
use crate::next_step;
use crate::phrase;
use crate::plan;
use crate::reason::Reason;
use crate::trust::Trust;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        // Of a CA that has ended, `ca-expiring` tells.
        for pair in namespace.pairs.iter().filter(|pair| !pair.has_ended) {
            let is_read =
                || observation.hubs.iter().any(|hub| hub.hub.id == pair.hub.id && hub.certificates.is_ok());
            let reason = match pair.assessment.trust {
                Trust::Trusted | Trust::Leftover => continue,
                Trust::Stale => Reason::PolicyStale,
                Trust::Missing => Reason::PolicyMissing,
                // The app has read the hub's certificates, but nothing in them tells whether it trusts the policy.
                Trust::Unreadable if is_read() => Reason::HubUnreadable,
                Trust::Unreadable => continue,
            };
            let subject = namespace.subject().in_policy(&pair.policy.name).on_hub(&pair.hub.name);
            let is_pushed = pair.policy.generation() == Generation::CertificateAuthorities;
            let mut finding =
                Finding::new(CheckId::HubUntrusting, reason, subject, pair.assessment.why.clone())
                    .with_severity(reason.severity());
            if is_pushed && reason != Reason::HubUnreadable {
                // Policysync cannot ask for a sync here, so the finding says what keeps the service from pushing: a
                // person can change that.
                let obstacle = plan::obstacle(observation, pair);
                finding.message = match obstacle.detail.contains(&finding.message) {
                    true => obstacle.detail,
                    false => format!("{}; {}", phrase::clause(&finding.message), obstacle.detail),
                };
                let situation = facts.situation(&finding.subject);
                let next_step = next_step::of(obstacle.reason, &situation);
                // What a link lacks is told of the hub as a whole, and this follows from it.
                let reason = match obstacle.reason {
                    Reason::PushAwaited if situation.link_lacks_role => Reason::LinkNeedMissing,
                    other => other,
                };
                finding = finding.with("obstacle", reason).with_next_step(next_step);
            }
            let rotated = namespace.issuers.current(pair.policy);
            let has_rotated = !namespace.issuers.previous(pair.policy).is_empty();
            if let (Reason::PolicyStale, Some(current), true) = (reason, rotated, has_rotated) {
                finding = finding.with_time("rotationSeenAt", current.first_seen_at);
            }
            if let Some(evidence) = &pair.assessment.evidence {
                finding = finding.with("certificate", &evidence.certificate_name);
                if let Some(thumbprint) = &evidence.thumbprint {
                    finding = finding.with("thumbprint", thumbprint);
                }
                if let Some(expiry) = evidence.expiry {
                    finding = finding.with_time("expiry", expiry);
                }
            }
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NAMESPACE, NOW, World, group, request};
    use super::*;
    use crate::model::{IssuingCa, ReadFailure};
    use crate::report::Records;
    use crate::request::Outcome;

    /// One cause is one finding, whatever the hub has and whatever a request about it came to.
    #[test]
    fn a_ca_that_has_ended_is_told_once() {
        for has_certificate in [true, false] {
            let mut world = World::healthy();
            let seen_at = world.seen().seen_at;
            world.policy().issuing_ca.not_after = Some(seen_at);
            world.certificate().expiry = Some(seen_at);
            if !has_certificate {
                world.hub().certificates = Ok(vec![]);
            }
            world.groups(vec![group("line-1", None), group("line-2", Some("short"))]);
            let requests = vec![request("r-1", Outcome::Unverified, NOW)];
            world.records = Some(Records { requests, ..Records::default() });
            let found: Vec<_> = world.report().findings.iter().map(|finding| finding.reason).collect();
            assert_eq!(found, [Reason::CaExpired]);
        }
    }

    #[test]
    fn a_hub_with_none_or_an_older_ca_is_told_with_its_evidence() {
        let mut world = World::healthy();
        world.hub().certificates = Ok(vec![]);
        assert_eq!(world.found(CheckId::HubUntrusting)[0].reason, Reason::PolicyMissing);
        let mut world = World::healthy();
        world.certificate().expiry = Some(NOW);
        let finding = world.found(CheckId::HubUntrusting).remove(0);
        assert_eq!(finding.reason, Reason::PolicyStale);
        assert!(finding.evidence.iter().any(|fact| fact.value == "AB"));
    }

    #[test]
    fn a_hub_that_could_not_be_read_is_not_said_to_be_untrusting() {
        let mut world = World::healthy();
        world.hub().certificates = Err(ReadFailure::other("503"));
        assert_eq!(world.found(CheckId::HubUntrusting), []);
    }

    #[test]
    fn certificates_that_cannot_be_compared_are_told() {
        let mut world = World::healthy();
        world.policy().issuing_ca = IssuingCa::default();
        assert_eq!(world.found(CheckId::HubUntrusting)[0].reason, Reason::HubUnreadable);
    }

    #[test]
    fn where_the_service_pushes_the_link_is_what_explains_it() {
        use crate::ArmId;
        let mut world = World::healthy();
        let issuer = ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", "lines");
        world.policy().id = issuer.child("certificatePolicies", "short");
        world.policy().issuing_ca.id = Some(issuer);
        let finding = world.found(CheckId::HubUntrusting).remove(0);
        assert!(finding.message.contains("no messaging endpoint"), "{}", finding.message);
        assert_eq!(finding.next_step, Reason::LinkMissing.next_step());
    }

    #[test]
    fn where_the_operator_wants_to_be_asked_the_finding_names_the_command() {
        let mut world = World::healthy();
        world.hub().certificates = Ok(vec![]);
        world.configuration.namespaces[0].sync = crate::configuration::Sync::Ask;
        let next_step = |world: &World| world.found(CheckId::HubUntrusting).remove(0).next_step;
        assert!(!next_step(&world).contains("submit"), "audit mode would refuse it: {}", next_step(&world));
        world.configuration.namespaces[0].mode = crate::configuration::Mode::Enforce;
        assert_eq!(next_step(&world), "Run `policysync submit --namespace contoso`.");
        world.kill_switch = true;
        assert!(next_step(&world).contains("Unset POLICYSYNC_MODE"), "{}", next_step(&world));
    }
}
