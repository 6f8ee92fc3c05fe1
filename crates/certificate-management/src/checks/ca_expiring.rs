//! The issuing CA of a policy ends soon. The finding climbs a ladder of days, and is announced again at each step.

use time::Duration;

use super::{CheckId, ladder};
use crate::facts::Facts;
use crate::finding::{ENDS, Finding};
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in &observation.policies {
            let Some(end) = policy.issuing_ca.not_after else { continue };
            let left = end - facts.now;
            let Some(rung) = ladder::rung(&facts.thresholds.ca_expiring, left) else { continue };
            let (reason, message) = match left > Duration::ZERO {
                true => {
                    let left = ladder::days_left(left);
                    (Reason::CaExpiring, format!("the issuing CA ends on {}: {left}", end.date()))
                }
                false => (Reason::CaExpired, format!("the issuing CA ended on {}", end.date())),
            };
            let subject = namespace.subject().in_policy(&policy.name);
            let finding = Finding::new(CheckId::CaExpiring, reason, subject, message);
            // A renewed CA that ends soon is news of its own.
            let finding = finding.on_occasion(&end.unix_timestamp().to_string()).with_time(ENDS, end);
            findings.push(rung.take(finding));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;
    use crate::reason::Severity;

    fn found(end: time::OffsetDateTime) -> Option<(String, Severity, Reason)> {
        let mut world = World::healthy();
        world.policy().issuing_ca.not_after = Some(end);
        let finding = world.found(CheckId::CaExpiring).pop()?;
        Some((finding.step.unwrap().name, finding.severity, finding.reason))
    }

    #[test]
    fn each_step_begins_on_its_day() {
        for (left, step) in [
            (Duration::days(91), None),
            (Duration::days(90), Some(("90-days", Severity::Warning))),
            (Duration::days(60) + Duration::SECOND, Some(("90-days", Severity::Warning))),
            (Duration::days(30), Some(("30-days", Severity::Warning))),
            (Duration::days(14), Some(("14-days", Severity::Critical))),
            (Duration::hours(25), Some(("7-days", Severity::Critical))),
            (Duration::hours(24), Some(("1-day", Severity::Critical))),
            (Duration::ZERO, Some(("expired", Severity::Critical))),
            (-Duration::days(9), Some(("expired", Severity::Critical))),
        ] {
            let found = found(NOW + left);
            let shown = found.as_ref().map(|(name, severity, _)| (name.as_str(), *severity));
            assert_eq!(shown, step, "{left}");
        }
        assert_eq!(found(NOW).unwrap().2, Reason::CaExpired);
    }

    #[test]
    fn steps_climb_and_the_id_stays_until_the_ca_is_another() {
        let at = |days: i64, end| {
            let mut world = World::healthy();
            world.now = end - Duration::days(days);
            world.policy().issuing_ca.not_after = Some(end);
            world.found(CheckId::CaExpiring).remove(0)
        };
        let ladder: Vec<Finding> = [80, 45, 20, 10, 5, 0].map(|days| at(days, NOW)).into();
        assert!(ladder.is_sorted_by_key(|finding| finding.step.as_ref().unwrap().rank));
        assert!(ladder.iter().all(|finding| finding.id == ladder[0].id));
        assert_ne!(at(5, NOW + Duration::SECOND).id, ladder[0].id);
    }
}
