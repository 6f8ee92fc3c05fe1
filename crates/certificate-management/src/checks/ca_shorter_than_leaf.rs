//! A CA that does not outlive a device certificate that is issued today, or soon will not: told while there is time to renew
//! it, before the first device certificate is cut short.

use time::Duration;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{ENDS, Finding};
use crate::plan;
use crate::plural;
use crate::reason::{Reason, Severity};

/// How long before the first such day it is told.
const AHEAD: Duration = Duration::days(7);

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in observation.policies.iter().filter(|policy| plan::is_active(policy)) {
            let (Some(end), Some(days)) = (policy.issuing_ca.not_after, policy.leaf_validity_days) else {
                continue;
            };
            // `ca-expiring` reports a CA that has ended.
            let spare = end - facts.now - Duration::days(i64::from(days));
            if end <= facts.now || spare >= AHEAD {
                continue;
            }
            let (ends, lasts) = (end.date(), plural::count(days, "day"));
            let (message, severity, step) = if spare >= Duration::ZERO {
                // Both are days that a calendar has, since the CA's end is one.
                let first = (facts.now + spare).date();
                let message = format!(
                    "from {first} on a device certificate, which is valid for {lasts}, would outlive the issuing CA, which ends on {ends}"
                );
                (message, Severity::Information, ("soon", 0))
            } else {
                // The service may say any number.
                let until = facts.now.checked_add(Duration::days(i64::from(days)));
                let until = until.map_or_else(String::new, |until| format!(", until {}", until.date()));
                let message = format!(
                    "a device certificate of today would be valid for {lasts}{until}, but the issuing CA ends on {ends}"
                );
                (message, CheckId::CaShorterThanLeaf.severity(), ("now", 1))
            };
            let subject = namespace.subject().in_policy(&policy.name);
            let finding =
                Finding::new(CheckId::CaShorterThanLeaf, Reason::CaShorterThanLeaf, subject, message);
            findings.push(
                finding
                    .with_severity(severity)
                    .at_step(step.0, step.1)
                    .on_occasion(&end.unix_timestamp().to_string())
                    .with_time(ENDS, end)
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

    fn found(left: Duration, leaf: Option<u32>) -> Option<Finding> {
        let mut world = World::healthy();
        world.policy().issuing_ca.not_after = Some(NOW + left);
        world.policy().leaf_validity_days = leaf;
        world.found(CheckId::CaShorterThanLeaf).pop()
    }

    #[test]
    fn a_ca_that_a_leaf_of_today_outlives_is_told_and_a_week_before_that_too() {
        let severity = |left, leaf| found(left, leaf).map(|finding| finding.severity);
        let month = Duration::days(30);
        assert_eq!(severity(month + AHEAD, Some(30)), None);
        assert_eq!(severity(month + AHEAD - Duration::SECOND, Some(30)), Some(Severity::Information));
        assert_eq!(severity(month, Some(30)), Some(Severity::Information));
        assert_eq!(severity(month - Duration::SECOND, Some(30)), Some(Severity::Warning));
        let any = severity(Duration::days(90), Some(u32::MAX));
        assert_eq!(any, Some(Severity::Warning), "no number of days is too many to be told");
        assert_eq!(severity(Duration::days(5), None), None);
        assert_eq!(severity(Duration::ZERO, Some(30)), None, "`ca-expiring` reports a CA that has ended");
    }

    #[test]
    fn what_is_told_before_names_the_first_day_of_it() {
        let before = found(Duration::days(33), Some(30)).unwrap();
        let first = (NOW + Duration::days(3)).date().to_string();
        assert!(before.message.starts_with(&format!("from {first} on ")), "{}", before.message);
    }

    #[test]
    fn it_is_told_again_when_the_day_has_come() {
        let found = [31, 29].map(|days| found(Duration::days(days), Some(30)).unwrap());
        let ranks = found.map(|finding| finding.step.unwrap().rank);
        assert!(ranks[0] < ranks[1]);
    }
}
