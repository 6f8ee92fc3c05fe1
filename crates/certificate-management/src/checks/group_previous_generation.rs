//! An enrollment group that names a credential policy in a namespace that has certificate authorities.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::generation::Generation;
use crate::next_step;
use crate::reason::Reason;
use crate::reference::Reference;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, group, subject) in facts.groups() {
        let Ok(observation) = namespace.observation else { continue };
        if !observation.namespace.generation.has(Generation::CertificateAuthorities) {
            continue;
        }
        let Some(Reference::Credential(named)) = group.group.policy.as_deref().map(Reference::parse) else {
            continue;
        };
        let situation = facts.situation(&subject).of_group(&group.group.tags, facts.now);
        let (message, next_step) = match observation.successor(namespace.configuration, named) {
            Some(Ok(successor)) => (
                format!("it names `{named}`, which [[namespace.migration]] replaces by `{}`", successor.name),
                next_step::of_migration(&situation),
            ),
            Some(Err((_, why))) => (
                format!("it names `{named}`, and its successor cannot be used: {why}"),
                "Make the certificate policy that [[namespace.migration]] names, or correct the name."
                    .to_owned(),
            ),
            None => (
                format!("it names `{named}`, a policy of the previous generation of the service"),
                next_step::of(Reason::PreviousGeneration, &situation),
            ),
        };
        let finding =
            Finding::new(CheckId::GroupPreviousGeneration, Reason::PreviousGeneration, subject, message);
        findings.push(finding.with_next_step(next_step).with("policy", named));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, group};
    use super::*;
    use crate::configuration::Migration;
    use crate::generation::NamespaceGeneration;

    #[test]
    fn groups_on_the_old_policy_are_told_where_there_are_authorities() {
        let mut world = World::healthy();
        world.groups(vec![group("line-1", Some("short")), group("line-2", Some("contoso/lines/short"))]);
        assert_eq!(world.found(CheckId::GroupPreviousGeneration), []);
        world.seen().namespace.generation = NamespaceGeneration::Migrating;
        let found = world.found(CheckId::GroupPreviousGeneration);
        assert_eq!(found.len(), 1);
        assert!(found[0].next_step.contains("[[namespace.migration]]"), "{}", found[0].next_step);
        let migration = Migration { from: "short".into(), to: "lines/short".into() };
        world.configuration.namespaces[0].migrations.push(migration);
        let found = world.found(CheckId::GroupPreviousGeneration).remove(0);
        assert!(found.message.contains("no policy `lines/short`"), "{}", found.message);
    }
}
