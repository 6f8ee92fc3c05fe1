//! An authority or a policy that the file declares, and that functions cannot make so: each cause once, and not what follows
//! from it.

use super::CheckId;
use crate::configuration::Mode;
use crate::declared::{Action, Hindrance, Resource, Step, Waiting};
use crate::facts::{Facts, NamespaceFacts};
use crate::finding::{Finding, Subject};
use crate::finding_subject::DECLARED;
use crate::next_step;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.namespaces.iter().flat_map(|namespace| of_namespace(facts, namespace)).collect()
}

fn of_namespace(facts: &Facts<'_>, namespace: &NamespaceFacts<'_>) -> Vec<Finding> {
    let steps = namespace.declared.as_deref().unwrap_or_default();
    let mut findings: Vec<Finding> =
        steps.iter().filter_map(|step| of_step(facts, namespace, step)).collect();
    // Each authority waits for the link: it is missing once.
    let waits_for_link = steps.iter().find(|step| step.action == Action::Wait { on: Waiting::Link });
    findings.extend(waits_for_link.map(|step| {
        told(
            Reason::DeclaredWaitsForLink,
            namespace.subject().part(DECLARED),
            step,
            Waiting::Link.next_step(),
        )
    }));
    findings
}

fn of_step(facts: &Facts<'_>, namespace: &NamespaceFacts<'_>, step: &Step) -> Option<Finding> {
    let subject = || subject(namespace, &step.resource);
    let is_enforced = namespace.configuration.effective_mode(facts.kill_switch) == Mode::Enforce;
    let is_frozen = namespace.configuration.frozen(None, facts.now).is_some();
    match &step.action {
        Action::Refuse { because: Hindrance::Needs { .. } } => None,
        Action::Refuse { because } => {
            let reason = match because {
                Hindrance::Service { .. } => Reason::DeclaredRefused,
                Hindrance::NotKept { .. } => Reason::DeclaredNotKept,
                _ => Reason::DeclaredBlocked,
            };
            let next_step = next_step::of_hindrance(because, &facts.situation(&namespace.subject()));
            Some(told(reason, subject(), step, Some(next_step)))
        }
        Action::Wait { on: on @ Waiting::Signature { of } }
            if is_its_own(&step.resource, of) && !is_told_of_a_policy(namespace, &step.resource) =>
        {
            Some(told(Reason::OwnRootPendingActivation, subject(), step, on.next_step()))
        }
        // The next run writes it.
        Action::Write(_) if is_enforced && !is_frozen => None,
        Action::Write(_) => {
            let reason = if is_enforced { Reason::Frozen } else { Reason::AuditMode };
            Some(told(reason, subject(), step, None).with_severity(Severity::Information))
        }
        Action::Keep | Action::Wait { .. } => None,
    }
}

fn told(reason: Reason, subject: Subject, step: &Step, next_step: Option<String>) -> Finding {
    let finding = Finding::new(CheckId::DeclaredResource, reason, subject, step.action.to_string());
    match next_step {
        Some(next_step) => finding.with_next_step(next_step),
        None => finding,
    }
}

fn subject(namespace: &NamespaceFacts<'_>, resource: &Resource) -> Subject {
    match resource {
        Resource::Policy { .. } => namespace.subject().in_policy(&resource.name()),
        Resource::Credential | Resource::Authority { .. } => namespace.subject().part(&resource.to_string()),
    }
}

/// Whether a resource waits for its own signature, and not for that of what it stands under.
fn is_its_own(resource: &Resource, of: &str) -> bool {
    resource.name().eq_ignore_ascii_case(of)
}

/// Whether [`CheckId::BringYourOwnRoot`] tells of a policy that the signature is missing: of one that has the request itself, and of one
/// of the authority that has it.
fn is_told_of_a_policy(namespace: &NamespaceFacts<'_>, resource: &Resource) -> bool {
    let policies = namespace.observation.iter().flat_map(|observation| &observation.policies);
    let mut pending = policies.filter(|policy| policy.bring_your_own_root.is_some());
    match resource {
        Resource::Authority { name } => pending.any(|policy| {
            policy.issuing_ca.id.as_ref().is_some_and(|issuer| issuer.name().eq_ignore_ascii_case(name))
        }),
        Resource::Policy { .. } | Resource::Credential => {
            pending.any(|policy| policy.name.eq_ignore_ascii_case(&resource.name()))
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::{NAMESPACE, NOW, World};
    use super::*;
    use crate::ArmId;
    use crate::authority::{Authority, AuthorityType, Issuer};
    use crate::configuration::Configuration;
    use crate::declared::{Inventory, LastWrite, Memory, Seen, Stage, Write};
    use crate::model::{BringYourOwnRoot, ProvisioningState, ReadFailure};

    /// A namespace that declares a root, an external issuing authority, and a policy of each generation.
    fn world(mode: &str, inventory: impl FnOnce(&mut Inventory)) -> World {
        let mut world = World::healthy();
        let text = format!(
            "[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"{mode}\"\nmanage = true\n\
             [[namespace.authority]]\nname = \"root\"\ntype = \"root\"\n\
             [[namespace.authority]]\nname = \"own\"\nissuer = \"external\"\n\
             [[namespace.policy]]\nname = \"welders\"\nauthority = \"own\"\n"
        );
        world.configuration = Configuration::parse(&text).unwrap();
        let namespace = world.seen().namespace.clone();
        let mut seen = Inventory { namespace, credential: None, authorities: vec![], policies: vec![] };
        inventory(&mut seen);
        world.declared = Some(Ok(Seen { at: NOW, inventory: seen, memory: Memory::default() }));
        world
    }

    fn authority(name: &str, kind: AuthorityType, status: Option<&str>) -> Authority {
        Authority {
            id: ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", name),
            name: name.into(),
            kind,
            issuer: if status.is_some() { Issuer::External } else { Issuer::Microsoft },
            provisioning_state: ProvisioningState::Succeeded,
            status: status.map(str::to_owned),
            subject: None,
            not_after: None,
        }
    }

    /// Each finding as `subject: reason`.
    fn found(world: &World) -> Vec<String> {
        let findings = world.found(CheckId::DeclaredResource).into_iter();
        findings.map(|finding| format!("{}: {}", finding.subject, finding.reason)).collect()
    }

    #[test]
    fn a_link_that_is_missing_is_one_finding_however_many_wait_for_it() {
        assert_eq!(found(&world("enforce", |_| {})), ["contoso / declared: declared-waits-for-link"]);
    }

    #[test]
    fn a_signature_is_told_once_at_the_authority_or_at_its_policy() {
        let ready = |inventory: &mut Inventory| {
            inventory.authorities = vec![
                authority("root", AuthorityType::Root, None),
                authority("own", AuthorityType::Issuing, Some("PendingActivation")),
            ];
        };
        let mut world = world("enforce", ready);
        assert_eq!(found(&world), ["contoso / authority own: own-root-pending-activation"]);
        let own = ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", "OWN");
        world.policy().issuing_ca.id = Some(own);
        world.policy().bring_your_own_root = Some(BringYourOwnRoot { status: "PendingActivation".into() });
        assert_eq!(found(&world), Vec::<String>::new(), "bring-your-own-root tells it of the policy");
        assert_eq!(world.found(CheckId::BringYourOwnRoot).len(), 1);
    }

    #[test]
    fn what_differs_is_told_and_not_what_needs_it() {
        let other = |inventory: &mut Inventory| {
            inventory.authorities = vec![
                authority("root", AuthorityType::Root, None),
                authority("own", AuthorityType::Issuing, None),
            ];
        };
        let found = world("enforce", other).found(CheckId::DeclaredResource);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].reason, Reason::DeclaredBlocked);
        assert!(found[0].message.contains("issuer is microsoft"), "{}", found[0].message);
        assert!(found[0].next_step.contains("`issuer`"), "{}", found[0].next_step);
    }

    #[test]
    fn what_would_be_written_is_told_in_audit_mode_only() {
        let linked = |inventory: &mut Inventory| {
            inventory.authorities = vec![
                authority("root", AuthorityType::Root, None),
                authority("own", AuthorityType::Issuing, Some("Active")),
            ];
        };
        assert_eq!(found(&world("enforce", linked)), Vec::<String>::new());
        let findings = world("audit", linked).found(CheckId::DeclaredResource);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].reason, findings[0].severity), (Reason::AuditMode, Severity::Information));
        assert_eq!(findings[0].subject.policy.as_deref(), Some("own/welders"));
    }

    #[test]
    fn what_the_service_refused_or_did_not_keep_is_told_with_its_words() {
        for (stage, ago, reason) in [
            (Stage::Refused, Duration::ZERO, Some(Reason::DeclaredRefused)),
            (Stage::PutOff, Duration::ZERO, Some(Reason::DeclaredRefused)),
            (Stage::Accepted, Duration::minutes(15), Some(Reason::DeclaredNotKept)),
            (Stage::Accepted, Duration::ZERO, None),
            (Stage::Planned, Duration::ZERO, None),
        ] {
            let mut world = world("enforce", |inventory| {
                inventory.authorities = vec![
                    authority("root", AuthorityType::Root, None),
                    authority("own", AuthorityType::Issuing, Some("Active")),
                ];
            });
            let Some(Ok(seen)) = &mut world.declared else { unreachable!() };
            seen.memory.remember(LastWrite {
                target: Resource::Policy { name: "welders".into(), authority: Some("OWN".into()) },
                write: Write::CertificatePolicy { leaf_validity_days: 30 },
                at: NOW - ago,
                stage,
                error: Some("400 InvalidPropertyValue".into()),
            });
            let found = world.found(CheckId::DeclaredResource);
            assert_eq!(found.first().map(|finding| finding.reason), reason, "{stage:?} {ago}");
            if reason == Some(Reason::DeclaredRefused) {
                assert!(found[0].message.contains("400 InvalidPropertyValue"), "{}", found[0].message);
            }
        }
    }

    #[test]
    fn a_look_that_failed_is_told_as_unreadable_unless_the_whole_namespace_is() {
        let mut world = world("enforce", |_| {});
        world.declared = Some(Err(ReadFailure::other("403")));
        assert_eq!(found(&world), Vec::<String>::new());
        let unread = world.found(CheckId::Unreadable);
        assert_eq!((unread.len(), unread[0].reason), (1, Reason::NamespaceUnreadable));
        world.observation = Err(ReadFailure::other("503"));
        assert_eq!(world.found(CheckId::Unreadable).len(), 1, "one cause, one finding");
    }
}
