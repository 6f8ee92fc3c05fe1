//! A policy under the customer's own root that waits for a signature.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        for policy in &observation.policies {
            let Some(own) = &policy.bring_your_own_root else { continue };
            let status = own.status.to_ascii_lowercase();
            let reason = if status.contains("pendingrenewal") {
                Reason::OwnRootPendingRenewal
            } else if status.contains("pendingactivation") {
                Reason::OwnRootPendingActivation
            } else {
                continue;
            };
            let subject = namespace.subject().in_policy(&policy.name);
            let message = format!("its status is {}", own.status);
            findings.push(
                Finding::new(CheckId::BringYourOwnRoot, reason, subject, message).with("status", &own.status),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
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
}
