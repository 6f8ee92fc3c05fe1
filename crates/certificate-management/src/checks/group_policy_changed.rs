//! An enrollment group that Policysync gave a policy and that has another one, or none, by now: it was changed from
//! outside.

use super::CheckId;
use crate::ArmId;
use crate::facts::{Facts, GroupFacts};
use crate::finding::Finding;
use crate::reason::Reason;
use crate::reference;
use crate::report_input::LastAssignment;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(records) = facts.records else { return Vec::new() };
    let mut findings = Vec::new();
    for (_, group, subject) in facts.groups() {
        let is_same = |a: &str, b: Option<&str>| b.is_some_and(|b| a.eq_ignore_ascii_case(b));
        let last = records.last_assignments.iter().find(|last| {
            is_same(&last.provisioning_service, subject.provisioning_service.as_deref())
                && last.enrollment_group.eq_ignore_ascii_case(&group.group.id)
        });
        // A group that has the policy of the rules is right, no matter who wrote it.
        let Some(last) =
            last.filter(|last| group.plan.reason != Reason::AlreadyAssigned && differs(group, last))
        else {
            continue;
        };
        let namespace = subject.namespace_id.as_ref().map(ArmId::name).unwrap_or_default();
        let named = |policy: Option<&str>| {
            policy.map_or("no policy".to_owned(), |name| format!("`{}`", reference::shown(name, namespace)))
        };
        let message = format!(
            "{} wrote {} on {}; the group has {} now",
            last.by,
            named(last.policy.as_deref()),
            last.at.date(),
            named(group.group.policy.as_deref())
        );
        let finding = Finding::new(CheckId::GroupPolicyChanged, Reason::GroupPolicyChanged, subject, message);
        findings.push(finding.on_occasion(&last.run).with("run", &last.run).with_time("writtenAt", last.at));
    }
    findings
}

fn differs(group: &GroupFacts<'_>, last: &LastAssignment) -> bool {
    match (&group.group.policy, group.policy, &last.policy) {
        (None, _, None) => false,
        (Some(now), _, Some(then)) if now.eq_ignore_ascii_case(then) => false,
        // The same policy in another spelling.
        (Some(_), Some(policy), Some(then)) => !policy.is_named(then),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DPS, NOW, World, group};
    use super::*;
    use crate::report_input::Records;

    fn found(now: Option<&str>, ours: Option<&str>) -> usize {
        let mut world = World::healthy();
        world.groups(vec![group("dock-1", now), group("dock-2", now)]);
        let last = LastAssignment {
            provisioning_service: DPS.into(),
            enrollment_group: "DOCK-1".into(),
            policy: ours.map(str::to_owned),
            by: "assign-policy".into(),
            run: "r".into(),
            at: NOW,
        };
        world.records = Some(Records { last_assignments: vec![last], ..Records::default() });
        world.found(CheckId::GroupPolicyChanged).len()
    }

    #[test]
    fn another_policy_than_we_wrote_is_told() {
        assert_eq!(found(Some("short"), Some("Short")), 0);
        assert_eq!(found(Some("gone"), Some("short")), 1);
        assert_eq!(found(None, Some("short")), 1);
        assert_eq!(found(Some("short"), None), 1);
        assert_eq!(found(None, None), 0);
    }

    #[test]
    fn a_group_with_the_policy_of_the_rules_is_right() {
        let mut world = World::healthy();
        world.groups(vec![group("line-1", Some("short"))]);
        let last = LastAssignment {
            provisioning_service: DPS.into(),
            enrollment_group: "line-1".into(),
            policy: Some("long".into()),
            by: "a person".into(),
            run: "r".into(),
            at: NOW,
        };
        world.records = Some(Records { last_assignments: vec![last], ..Records::default() });
        assert_eq!(world.found(CheckId::GroupPolicyChanged), []);
    }
}
