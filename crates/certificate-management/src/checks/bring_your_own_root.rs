//! A policy under the customer's own root that waits for a signature. A renewal climbs the ladder of a CA that ends: it must
//! be done before the certificate that the policy works with has ended.

use time::{Duration, OffsetDateTime};

use super::{CheckId, ladder};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::finding_subject::Subject;
use crate::model::Policy;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in &observation.policies {
            let Some(own) = &policy.bring_your_own_root else { continue };
            let (status, text) = (own.status.to_ascii_lowercase(), own.status.as_str());
            let subject = namespace.subject().in_policy(&policy.name);
            if status.contains("pendingrenewal") {
                findings.push(renewal(facts, policy, text, subject).with("status", text));
            } else if status.contains("pendingactivation") {
                let message = format!("its status is {text}");
                let reason = Reason::OwnRootPendingActivation;
                let finding = Finding::new(CheckId::BringYourOwnRoot, reason, subject, message);
                findings.push(finding.with("status", text));
            }
        }
    }
    findings
}

fn renewal(facts: &Facts<'_>, policy: &Policy, status: &str, subject: Subject) -> Finding {
    let about = |message: String| {
        Finding::new(CheckId::BringYourOwnRoot, Reason::OwnRootPendingRenewal, subject, message)
    };
    let Some(end) = policy.issuing_ca.not_after else {
        return about(format!(
            "its status is {status}; when the certificate that it works with ends is not known"
        ));
    };
    let left = end - facts.now;
    // The renewal after this one is news of its own.
    let finding = about(message(status, end, left))
        .on_occasion(&end.unix_timestamp().to_string())
        .with("activateBy", end);
    match ladder::rung(&facts.thresholds.ca_expiring, left) {
        Some(rung) => rung.take(finding),
        None => finding.with_severity(Severity::Information),
    }
}

fn message(status: &str, end: OffsetDateTime, left: Duration) -> String {
    let day = end.date();
    match left > Duration::ZERO {
        true => format!(
            "its status is {status}: the new certificate must be activated by {day}, when the one that it works with ends: {}",
            ladder::days_left(left)
        ),
        false => format!("its status is {status}, and the certificate that it worked with ended on {day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;
    use crate::model::BringYourOwnRoot;

    #[test]
    fn what_waits_for_a_signature_is_told() {
        for (status, reason) in [
            ("Active", None),
            ("PendingActivation", Some(Reason::OwnRootPendingActivation)),
            ("ActiveButPendingRenewal", Some(Reason::OwnRootPendingRenewal)),
        ] {
            let mut world = World::healthy();
            world.policy().bring_your_own_root = Some(BringYourOwnRoot { status: status.into() });
            let found = world.found(CheckId::BringYourOwnRoot);
            assert_eq!(found.first().map(|finding| finding.reason), reason, "{status}");
        }
    }

    #[test]
    fn a_renewal_names_its_day_and_climbs_the_ladder_of_a_ca_that_ends() {
        let at = |days: i64| {
            let mut world = World::healthy();
            world.policy().bring_your_own_root =
                Some(BringYourOwnRoot { status: "ActiveButPendingRenewal".to_owned() });
            world.policy().issuing_ca.not_after = Some(NOW + Duration::days(days));
            world.found(CheckId::BringYourOwnRoot).remove(0)
        };
        for (days, severity, step) in [
            (91, Severity::Information, None),
            (90, Severity::Warning, Some("90-days")),
            (15, Severity::Warning, Some("30-days")),
            (14, Severity::Critical, Some("14-days")),
            (1, Severity::Critical, Some("1-day")),
            (0, Severity::Critical, Some("expired")),
            (-3, Severity::Critical, Some("expired")),
        ] {
            let finding = at(days);
            let name = finding.step.as_ref().map(|step| step.name.as_str());
            assert_eq!((finding.severity, name), (severity, step), "{days}");
            let day = (NOW + Duration::days(days)).date().to_string();
            assert!(finding.message.contains(&day), "{}", finding.message);
        }
        let mut world = World::healthy();
        world.policy().bring_your_own_root =
            Some(BringYourOwnRoot { status: "ActiveButPendingRenewal".to_owned() });
        world.policy().issuing_ca.not_after = None;
        let finding = world.found(CheckId::BringYourOwnRoot).remove(0);
        assert_eq!((finding.severity, finding.step), (Severity::Warning, None), "{}", finding.message);
    }
}
