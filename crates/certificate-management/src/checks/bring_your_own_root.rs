//! A policy under the customer's own root that waits for a signature. A renewal climbs the ladder of a CA that ends: it must
//! be done before the certificate that the policy works with has ended.

use time::{Duration, OffsetDateTime};

use super::{CheckId, ladder};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::finding_subject::Subject;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        // An authority is not seen through a policy that does not exist yet.
        let bare = observation.authorities.iter().filter(|one| observation.policies_of(one).next().is_none());
        let bare = bare.filter_map(|one| Some((&one.name, one.status.as_deref()?, one.not_after)));
        let policies = observation.policies.iter().filter_map(|policy| {
            let own = policy.bring_your_own_root.as_ref()?;
            Some((&policy.name, own.status.as_str(), policy.issuing_ca.not_after))
        });
        for (name, text, end) in policies.chain(bare) {
            let status = text.to_ascii_lowercase();
            let subject = namespace.subject().in_policy(name);
            if status.contains("pendingrenewal") {
                findings.push(renewal(facts, end, text, subject).with("status", text));
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

fn renewal(facts: &Facts<'_>, end: Option<OffsetDateTime>, status: &str, subject: Subject) -> Finding {
    let about = |message: String| {
        Finding::new(CheckId::BringYourOwnRoot, Reason::OwnRootPendingRenewal, subject, message)
    };
    let Some(end) = end else {
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
    use super::super::testing::{self, NOW, World};
    use super::*;
    use crate::authority::Authority;
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
    fn an_authority_without_a_policy_is_told_and_one_with_a_policy_once() {
        let mut world = World::healthy();
        let waiting =
            Authority { status: Some("PendingActivation".to_owned()), ..testing::authority("partner") };
        world.seen().authorities = vec![waiting.clone()];
        let found = world.found(CheckId::BringYourOwnRoot);
        assert_eq!(found.len(), 1);
        assert!(found[0].subject.text.ends_with("/ partner"), "{}", found[0].subject.text);
        world.policy().issuing_ca.id = Some(waiting.id);
        world.policy().bring_your_own_root = Some(BringYourOwnRoot { status: "PendingActivation".into() });
        assert_eq!(world.found(CheckId::BringYourOwnRoot).len(), 1);
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
