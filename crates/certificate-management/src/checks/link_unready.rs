//! A link that does not stand. Where a hub lacks a CA because of it, [`super::hub_untrusting`] tells that already, with
//! what keeps the service from pushing; here are the others: of a hub that has every CA now and gets no next one, and of a
//! provisioning service, which then takes no policy.

use super::CheckId;
use crate::facts::{Facts, NamespaceFacts};
use crate::finding::Finding;
use crate::generation::{Link, LinkState};
use crate::next_step::{self, Caller, Commands, Lacking, Situation};
use crate::plan::Observation;
use crate::readiness::{Aspect, Judged, Outcome, of_link};
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
        let told: Vec<String> = findings.iter().map(|finding| finding.subject.text.clone()).collect();
        let needs = namespace.links.iter().flat_map(|(_, links)| &links.wrong);
        let needs = needs.map(|judged| (judged, need(namespace, observation, judged)));
        // A link that has failed says so itself.
        let needs = needs.filter(|(judged, finding)| {
            judged.aspect != Aspect::LinkState || !told.contains(&finding.subject.text)
        });
        for (_, finding) in needs {
            if !findings.iter().any(|known| known.id == finding.id) {
                findings.push(finding);
            }
        }
    }
    findings
}

/// Something that a link needs and that was not there when the links were read.
fn need(namespace: &NamespaceFacts<'_>, observation: &Observation, judged: &Judged) -> Finding {
    let name = judged.subject.as_str();
    let subject = match observation.hubs.iter().any(|hub| hub.hub.name.eq_ignore_ascii_case(name)) {
        _ if name.is_empty() || name.eq_ignore_ascii_case(namespace.configuration.id.name()) => {
            namespace.subject()
        }
        true => namespace.subject().on_hub(name),
        false => namespace.subject().in_provisioning_service(name),
    };
    let occasion = match &judged.missing {
        Some(need) => format!("{} {} {}", judged.aspect.code(), need.role.id, need.principal),
        None => judged.aspect.code().to_owned(),
    };
    let next_step = match &judged.missing {
        Some(need) => {
            // It is not the app that lacks it.
            let situation = Situation::of_fleet(false, Caller::Person);
            next_step::to_grant(Lacking::Link, Commands::Here(&need.grant()), &situation)
        }
        None => judged.next_step.clone().unwrap_or_default(),
    };
    Finding::new(CheckId::LinkUnready, Reason::LinkNeedMissing, subject, judged.message.clone())
        .on_occasion(&occasion)
        .with("aspect", judged.aspect.code())
        .with_next_step(next_step)
}

/// Whether a policy that the hub lacks tells of its link.
fn is_told(namespace: &NamespaceFacts<'_>, link: &Link) -> bool {
    let own = namespace.pairs.iter().filter(|pair| pair.hub.id == link.resource);
    own.into_iter().any(|pair| pair.assessment.trust.lacks_current())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::{self, World};
    use super::*;
    use crate::ArmId;
    use crate::facts::Unseen;
    use crate::finding_subject::LINKS;
    use crate::generation::LinkError;
    use crate::model::ReadFailure;
    use crate::readiness::Sides;
    use crate::readiness::seen::{Grants, Identities, Kind, Linked, LinkedSide};

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

    /// The sides of a hub in another region, whose namespace has an identity without any role.
    fn sides() -> Sides {
        let identity = |id: &str| Identities { system: Some(id.into()), user: Vec::new() };
        let linked = Linked {
            id: ArmId::parse(&format!("{DEVICES}/IotHubs/h1")).unwrap(),
            kind: Kind::Hub,
            side: Ok(LinkedSide {
                location: "northeurope".into(),
                sku: Some("S1".into()),
                provisioning_state: Some("Succeeded".into()),
                state: Some("Active".into()),
                is_public: Some(true),
                identities: Identities::default(),
                caller: None,
                namespace_id: None,
                namespace_uuid: None,
                link_state: None,
                link_error: None,
            }),
            certificates: None,
        };
        let mut sides = Sides { linked: vec![linked], ..testing::no_links() };
        sides.side.as_mut().unwrap().identities = identity("p");
        let grants = |found| Grants { scope: sides.linked[0].id.clone(), principal: "p".into(), found };
        sides.grants = vec![grants(Ok(Vec::new()))];
        sides
    }

    #[test]
    fn what_a_link_lacks_is_told_with_the_whole_command() {
        let mut world = World::healthy();
        world.links = Some(sides());
        let found = world.found(CheckId::LinkUnready);
        let roles: Vec<_> =
            found.iter().filter(|one| one.next_step.contains("az role assignment create")).collect();
        assert_eq!(roles.len(), 2, "{found:?}");
        assert!(
            roles[0].next_step.contains("--assignee-object-id p ")
                && roles[0].next_step.contains("/IotHubs/h1")
        );
        assert!(found.iter().all(|one| one.reason == Reason::LinkNeedMissing && one.subject.hub.is_some()));
        let ids: BTreeSet<_> = found.iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), found.len(), "each is told by itself");
    }

    /// The sentence that would break it: wait until the service pushes it, of a hub on which the namespace lacks the role for that.
    #[test]
    fn a_hub_to_which_nothing_can_be_pushed_is_not_told_to_wait() {
        let mut world = World::healthy();
        let issuer = world.configuration.namespaces[0].id.child("certificateAuthorities", "lines");
        world.policy().id = issuer.child("certificatePolicies", "short");
        world.policy().issuing_ca.id = Some(issuer);
        world.seen().namespace.links = vec![link("IotHubs/h1", Some(LinkState::Succeeded))];
        world.groups(vec![testing::group("line-1", None)]);
        let next_steps = |world: &World| {
            [CheckId::HubUntrusting, CheckId::GroupUnassigned]
                .map(|check| world.found(check).remove(0).next_step)
        };
        for next_step in next_steps(&world) {
            assert_eq!(next_step, "Wait: the service pushes it by itself.");
        }
        world.links = Some(sides());
        for next_step in next_steps(&world) {
            assert!(next_step.contains("`link-unready`") && !next_step.contains("Wait"), "{next_step}");
        }
        let report = world.report();
        let ids = |check: CheckId| {
            let of_hub = report.findings.iter().filter(move |one| one.check == check);
            of_hub.filter(|one| one.subject.hub.as_deref() == Some("h1")).map(|one| one.id.clone())
        };
        let one_cause = report.causes.iter().find(|cause| {
            let all: Vec<&String> = std::iter::once(&cause.finding).chain(&cause.follows).collect();
            ids(CheckId::LinkUnready).chain(ids(CheckId::HubUntrusting)).all(|id| all.contains(&&id))
        });
        assert!(
            one_cause.is_some(),
            "a role that a link lacks explains what the hub lacks: {:?}",
            report.causes
        );
        let message = &world.found(CheckId::HubUntrusting)[0].message;
        assert_eq!(message.matches("has no certificate").count(), 1, "it is said once: {message}");
    }

    #[test]
    fn what_could_not_be_read_of_links_is_no_finding_and_holds_what_was_found() {
        let mut world = World::healthy();
        world.links = Some(sides());
        world.links.as_mut().unwrap().grants[0].found = Err(ReadFailure::other("403"));
        let roles = world.found(CheckId::LinkUnready);
        assert!(!roles.iter().any(|one| one.next_step.contains("az role assignment")), "{roles:?}");
        let is_links = |unseen: &Unseen| unseen.subject.component.as_deref() == Some(LINKS);
        assert!(world.report().unseen.iter().any(is_links));
        world.links = None;
        assert!(world.report().unseen.iter().any(is_links), "no run has looked yet");
        world.links = Some(sides());
        assert!(!world.report().unseen.iter().any(is_links));
    }

    #[test]
    fn a_hub_that_is_not_linked_any_more_lacks_nothing() {
        let mut world = World::healthy();
        world.links = Some(sides());
        world.seen().hubs.clear();
        assert_eq!(world.found(CheckId::LinkUnready), []);
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
