//! An enrollment group without a policy that should have one, or with another than it should have, and what it waits for.

use super::CheckId;
use crate::facts::{Facts, GroupFacts, NamespaceFacts, Standing};
use crate::finding::{Finding, Subject};
use crate::next_step::{self, Delivery};
use crate::plan::{self, Pair};
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // Of a CA that has ended, `ca-expiring` tells once, and not each group that waits for it.
    let without = facts.groups().filter(|(_, group, _)| {
        matches!(group.standing(), Standing::Unassigned | Standing::Waiting)
            && group.reason() != Reason::CaExpired
    });
    without
        .map(|(namespace, group, subject)| {
            let reason = group.reason();
            // No device provisions through a disabled group.
            let severity = if group.group.enabled { reason.severity() } else { Severity::Information };
            let detail = group.plan.detail.clone();
            let next_step = next_step_of(facts, namespace, group, &subject);
            Finding::new(CheckId::GroupUnassigned, reason, subject, detail)
                .with_severity(severity)
                .with_next_step(next_step)
        })
        .collect()
}

/// It depends on the policy that the group is to have, and on what keeps the CA of it from the hub that the group waits for.
fn next_step_of(
    facts: &Facts<'_>,
    namespace: &NamespaceFacts<'_>,
    group: &GroupFacts<'_>,
    subject: &Subject,
) -> String {
    let (reason, situation) = (group.reason(), facts.situation(subject));
    let (Some(wanted), Ok(observation)) = (group.plan.decision.verdict.policy(), namespace.observation)
    else {
        return next_step::of(reason, &situation);
    };
    let Ok(policy) = observation.policy_named(wanted) else {
        return next_step::of(reason, &situation);
    };
    let situation = situation.about(policy);
    let is_waited_for =
        |pair: &&Pair<'_>| pair.policy.id == policy.id && group.plan.untrusting_hubs.contains(&pair.hub.name);
    match namespace.pairs.iter().find(is_waited_for) {
        Some(pair) if reason == Reason::WaitingForTrust && situation.delivery == Delivery::Pushed => {
            next_step::of(plan::obstacle(observation, pair).reason, &situation)
        }
        _ => next_step::of(reason, &situation),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, group};
    use super::*;
    use crate::ArmId;
    use crate::model::Policy;

    #[test]
    fn a_group_without_a_policy_is_told_with_the_reason() {
        let mut world = World::healthy();
        world.groups(vec![
            group("line-1", Some("short")),
            group("line-2", None),
            group("dock-1", None),
            group("test-1", None),
            group("line-3", Some("gone")),
        ]);
        let found = world.found(CheckId::GroupUnassigned);
        let found: Vec<_> =
            found.iter().map(|finding| (finding.subject.text.as_str(), finding.reason)).collect();
        assert_eq!(
            found,
            [
                ("contoso / contoso-dps / dock-1", Reason::NoRuleMatches),
                ("contoso / contoso-dps / line-2", Reason::GroupUnassigned)
            ]
        );
    }

    #[test]
    fn a_group_that_waits_for_another_policy_than_it_has_is_told_too() {
        let mut world = World::healthy();
        world.configuration.namespaces[0].rules[1].reassign = true;
        let other = world.policy().clone();
        let id = other.id.as_str().replace("/short", "/other");
        let other = Policy { id: ArmId::parse(&id).unwrap(), name: "other".into(), ..other };
        world.seen().policies.push(other);
        world.groups(vec![group("line-1", Some("other"))]);
        assert!(world.found(CheckId::GroupUnassigned).is_empty(), "the next reconcile gives it its policy");
        world.hub().certificates = Ok(vec![]);
        assert_eq!(world.found(CheckId::GroupUnassigned)[0].reason, Reason::WaitingForTrust);
    }

    #[test]
    fn a_group_that_waits_says_for_what_and_a_disabled_one_needs_no_person() {
        let mut world = World::healthy();
        world.hub().certificates = Ok(vec![]);
        world.groups(vec![group("line-1", None)]);
        assert_eq!(world.found(CheckId::GroupUnassigned)[0].reason, Reason::WaitingForTrust);
        let mut disabled = group("line-1", None);
        disabled.enabled = false;
        world.groups(vec![disabled]);
        assert_eq!(world.found(CheckId::GroupUnassigned)[0].severity, Severity::Information);
    }
}
