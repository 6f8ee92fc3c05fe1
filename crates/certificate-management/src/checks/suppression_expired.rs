//! A suppression that has passed its end date: the report tells the findings again that it kept quiet, and that it has
//! expired.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let expired = facts.suppressions.iter().filter(|suppression| suppression.is_expired(facts.now));
    expired
        .map(|suppression| {
            let name = format!("suppression of {}: {}", suppression.check, suppression.subject);
            let message = format!("it ended on {} (its reason: {})", suppression.until, suppression.reason);
            let subject = Subject::component(&name);
            Finding::new(CheckId::SuppressionExpired, Reason::SuppressionExpired, subject, message)
                .on_occasion(&suppression.until.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;
    use crate::configuration::Suppression;
    use crate::report;

    #[test]
    fn what_is_kept_quiet_is_told_again_after_the_end_date() {
        let mut world = World::healthy();
        world.hub().certificates = Ok(vec![]);
        world.configuration.suppressions = vec![Suppression {
            check: CheckId::HubUntrusting,
            subject: "contoso / short / *".into(),
            reason: "hub is being replaced".into(),
            until: NOW.date(),
        }];
        let quiet = world.report();
        assert_eq!((quiet.findings.len(), quiet.suppressed.len()), (0, 1));
        assert_eq!(quiet.suppressed[0].reason, "hub is being replaced");
        world.now += time::Duration::DAY;
        let told: Vec<_> = report::build(&world.input()).findings.iter().map(|found| found.check).collect();
        assert_eq!(told, [CheckId::HubUntrusting, CheckId::SuppressionExpired]);
    }
}
