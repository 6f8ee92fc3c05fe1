//! An enrollment group without a policy that should have one, or with another than it should have, and what it waits for.

use time::Duration;

use super::CheckId;
use crate::configuration::Mode;
use crate::facts::{Facts, GroupFacts, NamespaceFacts, Standing};
use crate::finding::{Finding, POLICY, Subject, WAITS_FOR};
use crate::next_step::{self, Delivery, Situation};
use crate::plan;
use crate::reason::{Reason, Severity};

/// How many hubs the evidence names; the message names all, and one is enough to find the cause.
const NAMED: usize = 3;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // Of a CA that has ended, `ca-expiring` tells once, and not each group that waits for it.
    let without = facts.groups().filter(|(_, group, _)| {
        matches!(group.standing(), Standing::Unassigned | Standing::Waiting)
            && group.reason() != Reason::CaExpired
    });
    without
        .filter(|(namespace, group, _)| !is_left_to_the_next_reconcile(facts, namespace, group))
        .map(|(namespace, group, subject)| {
            let is_written = group.plan.write.is_some();
            let audits =
                is_written && namespace.configuration.effective_mode(facts.kill_switch) == Mode::Audit;
            let reason = if audits { Reason::AuditMode } else { group.reason() };
            // No device provisions through a disabled group. Of one that functions leave alone, the devices get no certificate
            // all the same.
            let severity = match group.group.enabled {
                true => group.reason().severity(),
                false => Severity::Information,
            };
            let detail = match audits {
                true => format!("{}; in audit mode no function writes it", group.plan.detail),
                false => group.plan.detail.clone(),
            };
            let next_step = next_step_of(facts, namespace, group, &subject);
            let mut finding = Finding::new(CheckId::GroupUnassigned, reason, subject, detail)
                .with_severity(severity)
                .with_next_step(next_step);
            if let Some(policy) = &group.wanted {
                finding = finding.with(POLICY, policy);
            }
            if matches!(reason, Reason::WaitingForTrust | Reason::HubsUnknown) {
                finding = group
                    .untrusting
                    .iter()
                    .take(NAMED)
                    .fold(finding, |finding, hub| finding.with(WAITS_FOR, hub));
            }
            finding
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
    if reason != Reason::WaitingForTrust || situation.delivery != Delivery::Pushed {
        return next_step::of(reason, &situation);
    }
    let waits_for = &group.plan.untrusting_hubs;
    let link_lacks_role = waits_for.iter().any(|hub| namespace.lacks_role(hub));
    let situation = Situation { link_lacks_role, ..situation };
    match plan::obstacle_of_group(observation, policy, waits_for) {
        Some(obstacle) => next_step::of(obstacle.reason, &situation),
        None => next_step::of(reason, &situation),
    }
}

/// Whether the next reconcile gives a group its policy, and none had the chance yet. In audit mode none ever has.
fn is_left_to_the_next_reconcile(
    facts: &Facts<'_>,
    namespace: &NamespaceFacts<'_>,
    group: &GroupFacts<'_>,
) -> bool {
    let grace = Duration::minutes(i64::from(facts.thresholds.group_unassigned.minutes));
    // The clock of the service may be ahead of ours.
    let is_young = group.group.created_at.is_some_and(|created| (facts.now - created).abs() < grace);
    let is_enforced = namespace.configuration.effective_mode(facts.kill_switch) == Mode::Enforce;
    group.plan.write.is_some() && is_enforced && is_young
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World, group};
    use super::*;
    use crate::ArmId;
    use crate::model::EnrollmentGroup;
    use crate::model::Policy;

    #[test]
    fn a_group_without_a_policy_is_told_with_the_reason() {
        let mut world = World::healthy();
        assert_eq!(world.configuration.namespaces[0].mode, Mode::Audit);
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
                ("contoso / contoso-dps / line-2", Reason::AuditMode)
            ]
        );
    }

    #[test]
    fn a_new_group_is_left_to_the_next_reconcile_where_that_writes_it() {
        let mut world = World::healthy();
        let created = |minutes| EnrollmentGroup {
            created_at: Some(NOW - Duration::minutes(minutes)),
            ..group("line-1", None)
        };
        let reasons = |world: &World| -> Vec<Reason> {
            world.found(CheckId::GroupUnassigned).iter().map(|finding| finding.reason).collect()
        };
        for (minutes, is_told) in [(-2, false), (0, false), (29, false), (30, true), (-60, true)] {
            world.configuration.namespaces[0].mode = Mode::Enforce;
            world.groups(vec![created(minutes)]);
            assert_eq!(!reasons(&world).is_empty(), is_told, "{minutes} minutes old");
            world.configuration.namespaces[0].mode = Mode::Audit;
            assert_eq!(reasons(&world), [Reason::AuditMode], "no reconcile writes it");
        }
        world.configuration.namespaces[0].mode = Mode::Enforce;
        world.groups(vec![created(1)]);
        world.kill_switch = true;
        assert_eq!(reasons(&world), [Reason::AuditMode]);
        world.kill_switch = false;
        world.configuration.checks.group_unassigned.minutes = 1;
        assert_eq!(reasons(&world), [Reason::GroupUnassigned]);
    }

    #[test]
    fn a_new_group_that_the_next_reconcile_does_not_write_is_told_at_once() {
        let mut world = World::healthy();
        let new = |id| EnrollmentGroup { created_at: Some(NOW), ..group(id, None) };
        world.groups(vec![new("dock-1")]);
        assert_eq!(world.found(CheckId::GroupUnassigned)[0].reason, Reason::NoRuleMatches);
        world.hub().certificates = Ok(vec![]);
        world.groups(vec![new("line-1")]);
        let found = &world.found(CheckId::GroupUnassigned)[0];
        assert_eq!((found.fact(WAITS_FOR), found.fact(POLICY)), (Some("h1"), Some("short")));
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
