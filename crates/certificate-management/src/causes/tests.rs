//! No finding is lost, each stands under one cause, and the order of the findings changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::ArmId;
use crate::finding::{POLICY, Subject, WAITS_FOR};
use crate::reason::{Reason, Severity};

const DPS: &str = "https://contoso-dps.azure-devices-provisioning.net";

fn contoso() -> Subject {
    in_namespace("contoso")
}

fn in_namespace(name: &str) -> Subject {
    let id =
        format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/{name}");
    Subject::namespace(&ArmId::parse(&id).unwrap())
}

fn untrusting(policy: &str, hub: &str, reason: Reason) -> Finding {
    Finding::new(CheckId::HubUntrusting, reason, contoso().in_policy(policy).on_hub(hub), "")
}

fn of_group(id: &str, reason: Reason) -> Finding {
    let subject = contoso().in_provisioning_service(DPS).group(id);
    Finding::new(CheckId::GroupUnassigned, reason, subject, "")
}

fn waiting(id: &str, policy: &str, hub: &str) -> Finding {
    of_group(id, Reason::WaitingForTrust).with(POLICY, policy).with(WAITS_FOR, hub)
}

/// The last part of the subject of each finding, cause by cause.
fn shown(findings: &[Finding]) -> Vec<Vec<&str>> {
    let last = |finding: &&Finding| finding.subject.text.rfind(" / ").map_or(0, |at| at + 3);
    let mut shown = Vec::new();
    for cause in group(findings) {
        shown.push(cause.into_iter().map(|finding| &finding.subject.text[last(&finding)..]).collect());
    }
    shown
}

#[test]
fn groups_stand_under_the_hub_that_they_wait_for() {
    let findings = [
        waiting("line-1", "short", "h1"),
        untrusting("short", "h1", Reason::PolicyStale),
        waiting("line-2", "SHORT", "H1"),
        untrusting("long", "h2", Reason::PolicyStale),
        waiting("line-3", "long", "h2"),
    ];
    assert_eq!(shown(&findings), [vec!["h2", "line-3"], vec!["h1", "line-1", "line-2"]]);
}

#[test]
fn hubs_that_lack_one_new_ca_are_one_cause_and_so_is_one_hub_that_lacks_many() {
    let rotated = ["h1", "h2", "h3"].map(|hub| untrusting("short", hub, Reason::PolicyStale));
    assert_eq!(shown(&rotated), [vec!["h1", "h2", "h3"]]);
    let linked = ["short", "long", "last"].map(|policy| untrusting(policy, "h1", Reason::PolicyMissing));
    assert_eq!(shown(&linked), [vec!["h1", "h1", "h1"]]);
}

#[test]
fn policies_of_one_authority_share_its_ca() {
    let ends = |policy: &str| {
        let subject = contoso().in_policy(policy);
        Finding::new(CheckId::CaExpiring, Reason::CaExpiring, subject, "")
    };
    let findings = [ends("lines/short"), ends("lines/long"), ends("docks/short")];
    assert_eq!(shown(&findings), [vec!["docks/short"], vec!["lines/long", "lines/short"]]);
}

#[test]
fn a_link_that_failed_is_the_cause_of_all_that_the_hub_lacks() {
    let with = |policy: &str, obstacle: Reason| {
        untrusting(policy, "h1", Reason::PolicyStale).with("obstacle", obstacle)
    };
    let findings = [with("a/x", Reason::LinkFailed), with("b/x", Reason::LinkFailed)];
    assert_eq!(group(&findings).len(), 1);
    let findings = [with("a/x", Reason::PushAwaited), with("b/x", Reason::PushAwaited)];
    assert_eq!(group(&findings).len(), 2);
}

#[test]
fn a_role_that_is_missing_is_the_cause_of_what_cannot_be_seen_without_it() {
    let denied = |hub: &str| {
        let subject = contoso().on_hub(hub);
        let action = "Microsoft.Devices/IotHubs/certificates/read";
        Finding::new(CheckId::PermissionMissing, Reason::PermissionMissing, subject, "")
            .with("action", action)
    };
    let unknown = of_group("line-1", Reason::HubsUnknown).with(POLICY, "short").with(WAITS_FOR, "h2");
    assert_eq!(shown(&[unknown, denied("h1"), denied("h2")]), [vec!["h1", "h2", "line-1"]]);
}

#[test]
fn a_policy_that_does_not_exist_is_one_cause_for_every_group_that_should_have_it() {
    let dangling = Finding::new(
        CheckId::GroupDangling,
        Reason::PolicyNotFound,
        contoso().in_provisioning_service(DPS).group("line-9"),
        "",
    );
    let findings = [
        of_group("line-1", Reason::PolicyNotFound).with(POLICY, "gone"),
        dangling.with(POLICY, "contoso/gone/short"),
        of_group("line-2", Reason::PolicyNotFound).with(POLICY, "other"),
    ];
    let gone_in_full = shown(&findings);
    assert_eq!(gone_in_full, [vec!["line-9", "line-1"], vec!["line-2"]]);
}

#[test]
fn the_same_trouble_of_many_groups_is_one_cause_in_each_namespace() {
    let elsewhere = Finding::new(
        CheckId::GroupUnassigned,
        Reason::NoRuleMatches,
        in_namespace("fabrikam").in_provisioning_service(DPS).group("dock-3"),
        "",
    );
    let findings =
        [of_group("dock-1", Reason::NoRuleMatches), elsewhere, of_group("dock-2", Reason::NoRuleMatches)];
    assert_eq!(shown(&findings), [vec!["dock-1", "dock-2"], vec!["dock-3"]]);
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let names = || select(vec!["a", "B", "b/x", "c"]);
    let parts = (
        select(vec!["contoso", "Fabrikam"]),
        prop::bool::weighted(0.9),
        prop::option::of(names()),
        prop::option::of(names()),
        prop::option::of(names()),
        prop::bool::weighted(0.1),
    );
    let facts = (
        subsequence(vec!["a", "b", "c"], 0..3),
        prop::option::of(names()),
        prop::option::of(select(vec!["link-failed", "push-awaited"])),
        prop::option::of(select(vec!["x/read", "y/read"])),
    );
    let codes = (
        select(CheckId::ALL.to_vec()),
        select(Reason::ALL.to_vec()),
        select(vec![Severity::Information, Severity::Warning, Severity::Critical]),
    );
    let one = (codes, parts, facts).prop_map(|((check, reason, severity), parts, facts)| {
        let (name, has_namespace, policy, hub, enrollment_group, has_request) = parts;
        let mut subject = if has_namespace { in_namespace(name) } else { Subject::component(name) };
        for (part, add) in [
            (policy, Subject::in_policy as fn(Subject, &str) -> Subject),
            (hub, Subject::on_hub),
            (enrollment_group, |subject: Subject, id: &str| subject.in_provisioning_service(DPS).group(id)),
            (has_request.then_some("r"), Subject::of_request),
        ] {
            if let Some(part) = part {
                subject = add(subject, part);
            }
        }
        let (hubs, policy, obstacle, action) = facts;
        let mut finding = Finding::new(check, reason, subject, "").with_severity(severity);
        for (fact, value) in [(POLICY, policy), ("obstacle", obstacle), ("action", action)] {
            if let Some(value) = value {
                finding = finding.with(fact, value);
            }
        }
        hubs.into_iter().fold(finding, |finding, hub| finding.with(WAITS_FOR, hub))
    });
    // A report has each finding once.
    prop::collection::vec(one, 0..60).prop_map(|mut findings: Vec<Finding>| {
        let mut known = BTreeSet::new();
        findings.retain(|finding| known.insert(finding.id.clone()));
        findings
    })
}

proptest! {
    #[test]
    fn no_finding_is_lost_and_each_stands_under_one_cause(findings in findings()) {
        let mut known: Vec<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
        let causes = of(&findings);
        let mut told: Vec<&str> = Vec::new();
        for cause in &causes {
            told.push(&cause.finding);
            told.extend(cause.follows.iter().map(String::as_str));
        }
        known.sort_unstable();
        told.sort_unstable();
        prop_assert_eq!(told, known);
    }

    #[test]
    fn the_order_of_the_findings_changes_nothing(
        (findings, shuffled) in findings().prop_flat_map(|findings| (Just(findings.clone()), Just(findings).prop_shuffle()))
    ) {
        prop_assert_eq!(of(&findings), of(&shuffled));
        prop_assert_eq!(in_order(&findings), in_order(&shuffled));
    }

    #[test]
    fn the_worst_cause_is_the_first_and_nothing_in_a_cause_is_worse_than_what_stands_for_it(findings in findings()) {
        let causes = group(&findings);
        let heads: Vec<Severity> = causes.iter().map(|cause| cause[0].severity).collect();
        prop_assert!(heads.is_sorted_by(|a, b| a >= b));
        for cause in &causes {
            prop_assert!(cause.iter().all(|finding| finding.severity <= cause[0].severity));
        }
        // Grouped once more, in that order, they come to the same.
        prop_assert_eq!(of(&in_order(&findings)), of(&findings));
        let alone = of(&findings).len() - shared(&findings).len();
        let told: usize = shared(&findings).iter().map(|cause| 1 + cause.follows.len()).sum();
        prop_assert_eq!(told + alone, findings.len());
    }
}
