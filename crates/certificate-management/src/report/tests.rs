//! The report of a small world, with one thing wrong at a time.

use time::macros::datetime;

use super::*;
use crate::attribution::{Attribution, Caller};
use crate::authority::Authority;
use crate::checks::CheckId;
use crate::checks::testing::{self, FAR, NOW, World, group, request};
use crate::configuration::{Configuration, Freeze, Mode};
use crate::hold::{GroupHolds, HOLD_RECORD, Hold};
use crate::reason::{Reason, Severity};
use crate::request::Outcome;

fn reasons(report: &Report) -> Vec<Reason> {
    report.findings.iter().map(|finding| finding.reason).collect()
}

#[test]
fn a_healthy_namespace_has_no_findings() {
    let mut world = World::healthy();
    world.groups(vec![group("line-1", Some("short")), group("test-1", None)]);
    let report = world.report();
    assert_eq!(reasons(&report), []);
    assert!(report.is_all_trusted());
    assert_eq!(report.namespaces[0].trust[0].evidence.as_ref().unwrap().thumbprint.as_deref(), Some("AB"));
    assert_eq!((report.summary.trust.trusted, report.summary.enrollment_groups.assigned), (1, 1));
}

#[test]
fn each_thing_that_is_wrong_is_one_finding_with_a_next_step() {
    let broken = |change: &dyn Fn(&mut World)| {
        let mut world = World::healthy();
        change(&mut world);
        world.report()
    };
    let ends = |world: &mut World, end| {
        world.policy().issuing_ca.not_after = Some(end);
        world.certificate().expiry = Some(end);
    };
    let soon = datetime!(2027-01-15 00:00 UTC);
    let past = datetime!(2026-11-01 00:00 UTC);
    for (report, expected) in [
        (broken(&|world| world.hub().certificates = Ok(vec![])), vec![Reason::PolicyMissing]),
        (broken(&|world| world.certificate().expiry = Some(soon)), vec![Reason::PolicyStale]),
        (broken(&|world| ends(world, soon)), vec![Reason::CaExpiring]),
        (broken(&|world| ends(world, past)), vec![Reason::CaExpired]),
        (
            broken(&|world| world.observation = Err(ReadFailure::other("500"))),
            vec![Reason::NamespaceUnreadable],
        ),
        (broken(&|world| world.groups(vec![group("line-1", None)])), vec![Reason::AuditMode]),
        (broken(&|world| world.groups(vec![group("dock-1", None)])), vec![Reason::NoRuleMatches]),
        (broken(&|world| world.groups(vec![group("line-1", Some("gone"))])), vec![Reason::PolicyNotFound]),
    ] {
        assert_eq!(reasons(&report), expected);
        assert!(report.findings.iter().all(|finding| !finding.next_step.is_empty()));
    }
}

#[test]
fn a_namespace_that_cannot_be_read_is_in_the_report_with_the_reason_and_says_nothing_else() {
    let mut world = World::healthy();
    world.observation = Err(ReadFailure::other("the service failed"));
    world.groups(vec![group("line-1", None)]);
    let report = world.report();
    assert_eq!(report.namespaces[0].unreadable.as_deref(), Some("the service failed"));
    assert_eq!(report.unread.len(), 1);
    assert_eq!(report.summary.unreadable_namespaces, 1);
    assert!(!report.is_all_trusted());
}

#[test]
fn groups_are_all_counted_and_the_first_of_each_kind_are_listed() {
    let mut world = World::healthy();
    let mut groups: Vec<_> = (0..4000).map(|n| group(&format!("line-{n}"), Some("short"))).collect();
    groups.extend((0..30).map(|n| group(&format!("dock-{n}"), None)));
    groups.push(group("test-1", None));
    groups.push(group("line-x", Some("gone")));
    world.groups(groups);
    let seen = &world.report().namespaces[0].provisioning_services[0].enrollment_groups;
    assert_eq!(seen.total, 4032);
    assert_eq!((seen.by_policy[0].policy.as_str(), seen.by_policy[0].groups.count), ("short", 4000));
    assert_eq!(seen.by_policy[0].groups.listed.len(), groups::LISTED);
    assert_eq!((seen.unassigned.count, seen.unassigned.listed.len()), (30, groups::LISTED));
    assert_eq!((seen.opted_out.count, seen.dangling.count, seen.waiting.count), (1, 1, 0));
}

#[test]
fn requests_are_in_flight_or_have_ended() {
    let mut world = World::healthy();
    let requests = vec![request("r-2", Outcome::Syncing, NOW), request("r-1", Outcome::Trusted, NOW)];
    world.records = Some(Records { requests, ..Records::default() });
    let requests = world.report().requests.unwrap();
    let ids = |entries: &[RequestEntry]| -> Vec<String> {
        entries.iter().map(|entry| entry.request_id.clone()).collect()
    };
    assert_eq!((ids(&requests.in_flight), ids(&requests.recent)), (vec!["r-2".into()], vec!["r-1".into()]));
    assert_eq!((requests.recent[0].pairs, requests.recent[0].trusted_pairs), (1, 1));
}

#[test]
fn the_report_is_read_back_as_it_was_written() {
    let report = everything().report();
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn the_same_world_gives_the_same_report() {
    assert_eq!(everything().report(), everything().report());
}

/// A world whose report has something in each of its members.
fn freeze() -> Vec<Freeze> {
    let namespace = crate::checks::testing::NAMESPACE;
    let window = "{ from = 2026-11-23T05:00:00Z, to = 2026-11-24T05:00:00Z, reason = \"peak\" }";
    let text = format!("[[namespace]]\nid = \"{namespace}\"\nfreeze = [{window}]\n");
    Configuration::parse(&text).unwrap().namespaces.remove(0).freeze
}

fn attribution() -> Attribution {
    let caller = Caller::of(Some("0a1b"), Some("ann@contoso.com"));
    Attribution {
        caller,
        reason: Some("CHG-2".into()),
        plan: Some("ba7816bf".into()),
        configuration: Some("2".into()),
    }
}

fn held() -> GroupHolds {
    GroupHolds {
        record: HOLD_RECORD.into(),
        namespace_id: crate::ArmId::parse(crate::checks::testing::NAMESPACE).unwrap(),
        provisioning_service: "contoso-dps".into(),
        enrollment_group: "LINE-2".into(),
        last: Hold {
            run: "r-2".into(),
            woken_by: "assign by ann".into(),
            reverts: Some("r-1".into()),
            attribution: attribution(),
            at: NOW,
            released: None,
        },
        earlier: Vec::new(),
    }
}

fn run() -> RunEntry {
    let woken_by = "apply by ann".into();
    RunEntry { run: "r-1".into(), woken_by, attribution: attribution(), assignments: 2, declared: 1, at: NOW }
}

#[test]
fn a_group_that_is_held_or_frozen_is_told_with_that_reason_and_no_other() {
    let mut world = World::healthy();
    world.configuration.namespaces[0].mode = Mode::Enforce;
    world.groups(vec![group("line-2", None)]);
    let told = |world: &World| {
        let report = world.report();
        let findings = report.findings.iter().filter(|finding| finding.check == CheckId::GroupUnassigned);
        findings.map(|finding| (finding.reason, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(told(&world), [(Reason::GroupUnassigned, Severity::Warning)]);
    let records = FleetRecords { holds: vec![held()], ..FleetRecords::default() };
    world.records = Some(Records { fleet: records, ..Records::default() });
    assert_eq!(told(&world), [(Reason::Held, Severity::Information)]);
    assert_eq!(world.report().held.unwrap()[0].enrollment_group, "LINE-2");
    world.records = None;
    world.configuration.namespaces[0].freeze = freeze();
    assert_eq!(told(&world), [(Reason::Frozen, Severity::Information)]);
    assert!(world.report().lines[0].frozen.as_ref().unwrap().contains("peak"));
    world.now += time::Duration::DAY;
    assert_eq!(told(&world), [(Reason::GroupUnassigned, Severity::Warning)], "the window is over");
}

/// What the checks find in a world with one trouble, not findings that a test has made up.
#[test]
fn a_rotation_in_a_world_is_one_cause_with_the_sync_that_failed_and_the_groups_that_wait() {
    let mut world = World::healthy();
    world.certificate().expiry = Some(NOW + time::Duration::days(60));
    world.groups((0..30).map(|n| group(&format!("line-{n}"), None)).collect());
    let requests = vec![request("r-1", Outcome::Unverified, NOW)];
    world.records = Some(Records { requests, ..Records::default() });
    let report = world.report();
    assert_eq!((report.findings.len(), report.causes.len()), (32, 1), "{:#?}", report.findings);
    assert_eq!(report.summary.findings.causes, 1);
    assert_eq!(report.findings[0].check, CheckId::HubUntrusting);
    assert_eq!(report.causes[0].finding, report.findings[0].id);
    assert_eq!(report.causes[0].follows.len(), 31);
}

#[test]
fn a_hub_that_cannot_be_read_in_a_world_is_one_cause_with_the_groups_that_wait_for_it() {
    let mut world = World::healthy();
    world.hub().certificates = Err(ReadFailure::other("503"));
    world.groups((0..5).map(|n| group(&format!("line-{n}"), None)).collect());
    let report = world.report();
    assert_eq!((report.findings.len(), report.causes.len()), (6, 1), "{:#?}", report.findings);
    assert_eq!(report.findings[0].check, CheckId::Unreadable);
}

pub(super) fn everything() -> World {
    let mut world = World::healthy();
    let policy = world.policy();
    policy.issuing_ca.subject = Some("CN=07b5".into());
    policy.issuing_ca.not_before = Some(NOW);
    policy.issuing_ca.not_after = Some(datetime!(2026-12-01 00:00 UTC));
    policy.bring_your_own_root = Some(crate::model::BringYourOwnRoot { status: "Active".into() });
    let mut before = world.observation.clone().unwrap();
    before.policies[0].issuing_ca.not_after = Some(datetime!(2026-11-30 00:00 UTC));
    before.policies[0].issuing_ca.thumbprint = Some("CD".into());
    before.seen_at = NOW - time::Duration::HOUR;
    world.issuers.note(&before);
    world.issuers.note(&world.observation.clone().unwrap());
    world.seen().authorities = vec![Authority {
        status: Some("PendingActivation".into()),
        subject: Some("CN=partner".into()),
        not_after: Some(datetime!(2026-12-01 00:00 UTC)),
        ..testing::authority("partner")
    }];
    let older = crate::model::HubCertificate { name: "c-old".into(), ..world.certificate().clone() };
    world.hub().certificates.as_mut().unwrap().push(older);
    let mut unread = world.hub().clone();
    unread.hub.name = "h2".into();
    unread.certificates = Err(ReadFailure {
        kind: crate::model::ReadFailureKind::Forbidden,
        message: "403".into(),
        permission: Some(crate::model::MissingPermission {
            feature: "observe".into(),
            action: "Microsoft.Devices/IotHubs/certificates/read".into(),
        }),
    });
    let mut gone = world.certificate().clone();
    gone.issuer_id = Some(gone.issuer_id.unwrap().child("policies", "gone"));
    world.hub().certificates.as_mut().unwrap().push(gone);
    world.seen().hubs.push(unread);
    world.groups(vec![
        group("line-1", Some("short")),
        group("line-2", None),
        group("test-1", None),
        group("dock-1", Some("gone")),
        group("dock-2", None),
    ]);
    world.configuration.namespaces[0].freeze = freeze();
    let mut failed = request("r-0", Outcome::Failed, NOW);
    failed.request.requested_by = Some("a person".into());
    failed.request.reason = Some("CHG-1".into());
    failed.conclude(Outcome::Failed, Some(Reason::SyncFailed), Some("it failed".into()), NOW);
    world.records = Some(Records {
        requests: vec![failed, request("r-1", Outcome::Syncing, NOW)],
        last_assignments: Vec::new(),
        fleet: FleetRecords {
            previous_report_at: Some(datetime!(2026-11-01 00:00 UTC)),
            last_reconcile: None,
            holds: vec![held()],
            runs: vec![run()],
            waiting: Some(crate::waiting::testing::something()),
            unread: vec![("assignments".into(), ReadFailure::other("the storage account did not answer"))],
            cut: vec!["assignments".into()],
        },
    });
    let observation = world.seen().clone();
    world.trust.note(&observation);
    world.configuration.suppressions = vec![crate::configuration::Suppression {
        check: CheckId::GroupDangling,
        subject: "*".into(),
        reason: "known".into(),
        until: FAR.date(),
    }];
    world
}
