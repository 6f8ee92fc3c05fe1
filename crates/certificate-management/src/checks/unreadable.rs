//! Something that the app could not read, for another reason than a missing permission. The report claims nothing about
//! it.

use super::CheckId;
use crate::ArmId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::finding_subject::{DECLARED, PROVISIONING_SERVICES};
use crate::model::{ReadFailure, ReadFailureKind};
use crate::phrase;
use crate::reason::{Reason, Severity};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let unread = facts.unread();
    let is_new = |(subject, failure): &(Subject, &ReadFailure)| {
        failure.kind == ReadFailureKind::NotVisited && subject.component.is_none()
    };
    let new: Vec<Option<ArmId>> =
        unread.iter().filter(|one| is_new(one)).map(|(subject, _)| subject.namespace_id.clone()).collect();
    let failed = unread.into_iter().filter(|(_, failure)| !failure.kind.is_denied());
    // The report tells once that no run has looked at a namespace yet, and not once more for its list of DPS.
    let is_told = |subject: &Subject, kind| {
        kind != ReadFailureKind::NotVisited
            || subject.component.is_none()
            || !new.contains(&subject.namespace_id)
    };
    failed
        .filter(|(subject, failure)| is_told(subject, failure.kind))
        .map(|(subject, failure)| {
            let reason = match failure.kind {
                ReadFailureKind::ApiVersionRejected => Reason::ApiVersionRejected,
                ReadFailureKind::OutsideCloud => Reason::AddressOutsideCloud,
                _ => reason(&subject),
            };
            let severity = match failure.kind {
                // The next run begins with it.
                ReadFailureKind::NotVisited => Severity::Information,
                _ => reason.severity(),
            };
            let message = match &subject.hub {
                // A list of certificates that is not there is no empty list.
                Some(_) => {
                    let message = phrase::clause(&failure.message);
                    format!("{message}; whether it trusts any policy is not known")
                }
                None => failure.message.clone(),
            };
            Finding::new(CheckId::Unreadable, reason, subject, message).with_severity(severity)
        })
        .collect()
}

fn reason(subject: &Subject) -> Reason {
    if subject.component.as_deref() == Some(PROVISIONING_SERVICES) {
        Reason::GroupUnreadable
    } else if subject.component.as_deref() == Some(DECLARED) {
        Reason::NamespaceUnreadable
    } else if subject.component.is_some() {
        Reason::RecordsUnreadable
    } else if subject.hub.is_some() {
        Reason::HubUnreadable
    } else if subject.provisioning_service.is_some() {
        Reason::GroupUnreadable
    } else {
        Reason::NamespaceUnreadable
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::report_input::{FleetRecords, Records};

    #[test]
    fn a_rejected_version_is_told_as_such_with_what_the_service_says() {
        let message = "The supported versions are '2027-05-01'.".to_owned();
        let kind = ReadFailureKind::ApiVersionRejected;
        let mut world = World::healthy();
        world.observation = Err(ReadFailure { kind, message, permission: None });
        let found = world.found(CheckId::Unreadable);
        assert_eq!((found.len(), found[0].reason), (1, Reason::ApiVersionRejected));
        assert!(found[0].message.contains("2027-05-01"));
    }

    #[test]
    fn an_address_outside_the_cloud_is_told_as_such_and_no_role_is_asked_for() {
        let failure = || ReadFailure {
            kind: ReadFailureKind::OutsideCloud,
            ..ReadFailure::other("refused, because this address is outside the configured cloud")
        };
        let mut world = World::healthy();
        world.groups = Err(failure());
        let found = world.found(CheckId::Unreadable);
        let told: Vec<_> = found.iter().map(|finding| (finding.reason, finding.severity)).collect();
        assert_eq!(told, [(Reason::AddressOutsideCloud, Severity::Critical)]);
        assert!(found[0].next_step.contains("provisioning_services"), "{found:?}");
        assert!(!found[0].next_step.contains("Data role"), "{found:?}");
    }

    #[test]
    fn a_namespace_that_had_no_turn_is_told_once_and_needs_no_person() {
        let failure =
            ReadFailure { kind: ReadFailureKind::NotVisited, ..ReadFailure::other("its turn did not come") };
        let mut world = World::healthy();
        world.observation = Err(failure.clone());
        world.services = Err(failure);
        let told = |world: &World| -> Vec<_> {
            let found = world.found(CheckId::Unreadable);
            found.iter().map(|finding| (finding.reason, finding.severity)).collect()
        };
        assert_eq!(told(&world), [(Reason::NamespaceUnreadable, Severity::Information)]);
        // One whose DPS alone had no look yet, since a sync has looked at the rest.
        world.observation = World::healthy().observation;
        assert_eq!(told(&world), [(Reason::GroupUnreadable, Severity::Information)]);
    }

    #[test]
    fn a_hub_without_a_list_of_certificates_is_as_bad_as_one_that_may_not_be_read() {
        let mut world = World::healthy();
        for kind in [ReadFailureKind::NotFound, ReadFailureKind::Forbidden, ReadFailureKind::Unavailable] {
            world.hub().certificates = Err(ReadFailure { kind, ..ReadFailure::other("404: not found") });
            let report = world.report();
            let told: Vec<_> = report.findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(told, [Severity::Critical], "{kind:?}");
            assert_eq!(report.summary.trust.unreadable, 1);
            assert!(!report.is_all_trusted());
        }
        world.hub().certificates =
            Err(ReadFailure { kind: ReadFailureKind::NotFound, ..ReadFailure::other("404") });
        let message = &world.found(CheckId::Unreadable)[0].message;
        assert_eq!(message, "404; whether it trusts any policy is not known");
    }

    #[test]
    fn each_thing_that_could_not_be_read_is_one_finding_of_its_kind() {
        let failure = || ReadFailure::other("503");
        let mut world = World::healthy();
        world.hub().certificates = Err(failure());
        assert_eq!(world.found(CheckId::Unreadable)[0].reason, Reason::HubUnreadable);
        let mut world = World::healthy();
        world.groups = Err(failure());
        assert_eq!(world.found(CheckId::Unreadable)[0].reason, Reason::GroupUnreadable);
        let mut world = World::healthy();
        world.services = Err(failure());
        let listed = &world.found(CheckId::Unreadable)[0];
        assert_eq!(listed.reason, Reason::GroupUnreadable);
        assert_eq!(listed.subject.to_string(), "contoso / provisioning-services");
        let mut world = World::healthy();
        world.observation = Err(failure());
        assert_eq!(world.found(CheckId::Unreadable)[0].reason, Reason::NamespaceUnreadable);
        let mut world = World::healthy();
        let unread = vec![("requests".to_owned(), failure())];
        let fleet = FleetRecords { unread, ..FleetRecords::default() };
        world.records = Some(Records { fleet, ..Records::default() });
        assert_eq!(world.found(CheckId::Unreadable)[0].reason, Reason::RecordsUnreadable);
    }
}
