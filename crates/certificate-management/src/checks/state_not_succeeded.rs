//! A namespace or policy that Azure has not finished, or failed to finish.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::model::ProvisioningState;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, observation) in facts.readable() {
        let state = &observation.namespace.provisioning_state;
        findings.extend(finding(namespace.subject(), state, Reason::NamespaceNotSucceeded));
        for policy in &observation.policies {
            let subject = namespace.subject().in_policy(&policy.name);
            findings.extend(finding(subject, &policy.provisioning_state, Reason::PolicyNotActive));
        }
    }
    findings
}

fn finding(subject: Subject, state: &ProvisioningState, reason: Reason) -> Option<Finding> {
    let severity = match state {
        ProvisioningState::Succeeded => return None,
        // It ends by itself; when it fails, the severity climbs.
        ProvisioningState::Accepted | ProvisioningState::Deleting => Severity::Information,
        _ => Severity::Warning,
    };
    let message = format!("its provisioning state is {state}");
    let finding = Finding::new(CheckId::StateNotSucceeded, reason, subject, message);
    Some(finding.with_severity(severity).with("provisioningState", state))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn each_state_but_succeeded_is_told() {
        for (state, severity) in [
            (ProvisioningState::Accepted, Severity::Information),
            (ProvisioningState::Failed, Severity::Warning),
            (ProvisioningState::Other("Migrating".into()), Severity::Warning),
        ] {
            let mut world = World::healthy();
            assert_eq!(world.found(CheckId::StateNotSucceeded), []);
            world.policy().provisioning_state = state.clone();
            world.seen().namespace.provisioning_state = state;
            let found = world.found(CheckId::StateNotSucceeded);
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|finding| finding.severity == severity));
        }
    }
}
