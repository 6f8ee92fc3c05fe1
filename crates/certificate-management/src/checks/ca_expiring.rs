//! The issuing CA of a policy ends soon. The finding climbs a ladder of days, and is announced again at each step.

use time::Duration;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::{Reason, Severity};

/// Steps count the days that are left, downwards; this one comes after them all.
const EXPIRED: i64 = 0;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let ladder = &facts.thresholds.ca_expiring;
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in &observation.policies {
            let Some(end) = policy.issuing_ca.not_after else { continue };
            let left = end - facts.now;
            let step = ladder.step(left);
            let about = |reason, message: String| {
                let subject = namespace.subject().in_policy(&policy.name);
                let finding = Finding::new(CheckId::CaExpiring, reason, subject, message);
                // A renewed CA that ends soon is news of its own.
                finding.on_occasion(&end.unix_timestamp().to_string()).with("notAfter", end)
            };
            if left <= Duration::ZERO {
                let finding = about(Reason::CaExpired, format!("the issuing CA ended on {}", end.date()));
                findings.push(finding.with_severity(Severity::Critical).at_step("expired", EXPIRED));
            } else if let Some(days) = step {
                let message = format!("the issuing CA ends on {}: {}", end.date(), days_left(left));
                let name = if days == 1 { "1-day".to_owned() } else { format!("{days}-days") };
                let finding = about(Reason::CaExpiring, message).with_severity(ladder.severity(days));
                findings.push(finding.at_step(name, -i64::from(days)));
            }
        }
    }
    findings
}

fn days_left(left: Duration) -> String {
    match left.whole_days() {
        0 => "less than a day is left".to_owned(),
        1 => "1 day is left".to_owned(),
        days => format!("{days} days are left"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;

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
