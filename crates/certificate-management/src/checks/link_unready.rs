//! A link that does not stand. Where a hub lacks a CA because of it, [`super::hub_untrusting`] tells that already, with
//! what keeps the service from pushing; here are the others: of a hub that has every CA now and gets no next one, and of a
//! provisioning service, which then takes no policy.

use super::CheckId;
use crate::facts::{Facts, NamespaceFacts};
use crate::finding::Finding;
use crate::generation::{Link, LinkState};
use crate::readiness::{Outcome, of_link};
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for link in &observation.namespace.links {
            let Some((outcome, message, next_step)) = of_link(link) else { continue };
            let is_hub = link.resource.is_of_type("Microsoft.Devices/IotHubs");
            if is_hub && is_told(namespace, link) {
                continue;
            }
            let name = link.resource.name();
            let (subject, reason) = match (is_hub, &link.state) {
                (true, Some(LinkState::InProgress)) => {
                    (namespace.subject().on_hub(name), Reason::LinkInProgress)
                }
                (true, _) => (namespace.subject().on_hub(name), Reason::LinkFailed),
                (false, _) => (namespace.subject().in_provisioning_service(name), Reason::LinkNotReady),
            };
            let severity = match outcome {
                Outcome::Wrong => Severity::Critical,
                _ => Severity::Warning,
            };
            let finding = Finding::new(CheckId::LinkUnready, reason, subject, message);
            findings.push(finding.with_severity(severity).with_next_step(next_step));
        }
    }
    findings
}

/// Whether a policy that the hub lacks tells of its link.
fn is_told(namespace: &NamespaceFacts<'_>, link: &Link) -> bool {
    let own = namespace.pairs.iter().filter(|pair| pair.hub.id == link.resource);
    own.into_iter().any(|pair| pair.assessment.trust.lacks_current())
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::ArmId;
    use crate::generation::LinkError;

    const DEVICES: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices";

    fn link(resource: &str, state: Option<LinkState>) -> Link {
        Link {
            resource: ArmId::parse(&format!("{DEVICES}/{resource}")).unwrap(),
            error: (state == Some(LinkState::Failed))
                .then(|| LinkError { code: "AdrMiNotAuthorized".into(), message: None }),
            state,
            host_names: Vec::new(),
        }
    }

    #[test]
    fn a_link_that_does_not_stand_is_told_with_what_to_do() {
        let mut world = World::healthy();
        world.seen().namespace.links = vec![
            link("IotHubs/h1", Some(LinkState::Succeeded)),
            link("provisioningServices/contoso-dps", None),
        ];
        assert_eq!(world.found(CheckId::LinkUnready), []);
        world.seen().namespace.links[0] = link("IotHubs/h1", Some(LinkState::Failed));
        world.seen().namespace.links[1] =
            link("provisioningServices/contoso-dps", Some(LinkState::InProgress));
        let found = world.found(CheckId::LinkUnready);
        let told: Vec<_> = found.iter().map(|finding| (finding.reason, finding.severity)).collect();
        assert_eq!(
            told,
            [(Reason::LinkFailed, Severity::Critical), (Reason::LinkNotReady, Severity::Warning)]
        );
        assert!(found[0].message.contains("AdrMiNotAuthorized"), "{found:?}");
    }

    #[test]
    fn a_hub_that_lacks_a_ca_is_told_once() {
        let mut world = World::healthy();
        world.seen().namespace.links = vec![link("IotHubs/h1", Some(LinkState::Failed))];
        world.hub().certificates = Ok(Vec::new());
        assert_eq!(world.found(CheckId::LinkUnready), []);
        assert_eq!(world.found(CheckId::HubUntrusting).len(), 1);
    }
}
