//! An enrollment group that names a policy which the namespace does not have.

use super::CheckId;
use crate::facts::{Facts, Standing};
use crate::finding::{Finding, POLICY};
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let dangling = facts.groups().filter(|(_, group, _)| group.standing() == Standing::Dangling);
    dangling
        .map(|(_, group, subject)| {
            let named = group.group.policy.as_deref().unwrap_or_default();
            let message = format!("it names `{named}`, which the namespace does not have");
            let severity = if group.group.enabled { Severity::Critical } else { Severity::Warning };
            Finding::new(CheckId::GroupDangling, Reason::PolicyNotFound, subject, message)
                .with_severity(severity)
                .with(POLICY, named)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, group};
    use super::*;
    use crate::model::ReadFailure;

    #[test]
    fn a_policy_that_is_gone_is_told_and_one_in_another_case_is_not() {
        let mut world = World::healthy();
        world.groups(vec![group("line-1", Some("SHORT")), group("line-2", Some("gone"))]);
        let found = world.found(CheckId::GroupDangling);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject.enrollment_group.as_deref(), Some("line-2"));
    }

    #[test]
    fn nothing_is_said_of_groups_whose_namespace_could_not_be_read() {
        let mut world = World::healthy();
        world.groups(vec![group("line-2", Some("gone"))]);
        world.observation = Err(ReadFailure::other("503"));
        assert_eq!(world.found(CheckId::GroupDangling), []);
    }
}
