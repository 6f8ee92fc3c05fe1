//! Devices that registered with an enrollment group before it had its policy: they hold no operational certificate until
//! they register again.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;
use crate::report_input::EarlyDevices;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (namespace, group, subject) in facts.groups() {
        let early = namespace.counted.early_devices.iter().find(|early| early.is_of(&subject));
        let Some((early, devices)) = early.and_then(|early| Some((early, early.devices?))) else { continue };
        if devices == 0 {
            continue;
        }
        let (check, reason) = (CheckId::DevicesBeforePolicy, Reason::DevicesBeforePolicy);
        let finding =
            Finding::new(check, reason, subject, message(early, devices, group.group.policy.as_deref()));
        let finding = finding.with("devices", counted(early, devices));
        findings.push(match early.assigned_at {
            Some(at) => finding.with_time("assignedAt", at),
            None => finding,
        });
    }
    findings
}

fn counted(early: &EarlyDevices, devices: usize) -> String {
    if early.is_cut { format!("at least {devices}") } else { devices.to_string() }
}

fn message(early: &EarlyDevices, devices: usize, policy: Option<&str>) -> String {
    let count = counted(early, devices);
    let devices = if devices == 1 && !early.is_cut { "device" } else { "devices" };
    match policy {
        // They may have been counted before the group got it.
        Some(policy) => format!("{count} {devices} registered before the group was given `{policy}`"),
        None => format!("{count} {devices} registered, and the group has no policy yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DPS, NOW, World, group};
    use super::*;

    fn found(policy: Option<&str>, early: EarlyDevices) -> Vec<String> {
        let mut world = World::healthy();
        world.groups(vec![group("line-1", policy), group("line-2", policy)]);
        world.counted.early_devices = vec![early];
        let found = world.found(CheckId::DevicesBeforePolicy);
        found.into_iter().map(|finding| format!("{}: {}", finding.subject.text, finding.message)).collect()
    }

    fn early(devices: usize, is_cut: bool) -> EarlyDevices {
        EarlyDevices {
            provisioning_service: DPS.into(),
            enrollment_group: "LINE-1".into(),
            assigned_at: None,
            devices: Some(devices),
            is_cut,
        }
    }

    #[test]
    fn devices_of_a_group_without_a_policy_are_told_with_their_number() {
        assert_eq!(found(None, early(0, false)), Vec::<String>::new());
        assert_eq!(
            found(None, early(2000, true)),
            [
                "contoso / contoso-dps / line-1: at least 2000 devices registered, and the group has no policy yet"
            ]
        );
    }

    #[test]
    fn devices_from_before_the_assignment_are_told_until_they_come_again() {
        let assigned = EarlyDevices { assigned_at: Some(NOW), ..early(1, false) };
        assert_eq!(
            found(Some("short"), assigned),
            ["contoso / contoso-dps / line-1: 1 device registered before the group was given `short`"]
        );
    }
}
