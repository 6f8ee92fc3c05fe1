//! A CA that will not outlive a device certificate that is issued today.

use time::Duration;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::plan;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in observation.policies.iter().filter(|policy| plan::is_active(policy)) {
            let (Some(end), Some(days)) = (policy.issuing_ca.not_after, policy.leaf_validity_days) else {
                continue;
            };
            // `ca-expiring` reports a CA that has ended.
            if end <= facts.now || end - facts.now >= Duration::days(i64::from(days)) {
                continue;
            }
            // The service may say any number.
            let until = facts.now.checked_add(Duration::days(i64::from(days)));
            let until = until.map_or_else(String::new, |until| format!(", until {}", until.date()));
            let message = format!(
                "a device certificate of today would be valid for {days} days{until}, but the issuing CA ends on {}",
                end.date()
            );
            let subject = namespace.subject().in_policy(&policy.name);
            let finding =
                Finding::new(CheckId::CaShorterThanLeaf, Reason::CaShorterThanLeaf, subject, message);
            findings.push(
                finding
                    .on_occasion(&end.unix_timestamp().to_string())
                    .with("notAfter", end)
                    .with("leafValidityDays", days),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;

    fn found(left: Duration, leaf: Option<u32>) -> usize {
        let mut world = World::healthy();
        world.policy().issuing_ca.not_after = Some(NOW + left);
        world.policy().leaf_validity_days = leaf;
        world.found(CheckId::CaShorterThanLeaf).len()
    }

    #[test]
    fn a_ca_must_live_as_long_as_a_leaf_of_today() {
        assert_eq!(found(Duration::days(30), Some(30)), 0);
        assert_eq!(found(Duration::days(30) - Duration::SECOND, Some(30)), 1);
        assert_eq!(found(Duration::days(90), Some(u32::MAX)), 1, "no number of days is too many to be told");
        assert_eq!(found(Duration::days(5), None), 0);
        assert_eq!(found(Duration::ZERO, Some(30)), 0);
    }
}
