//! What is said to have changed is exactly what has, whatever the order of the lists.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use time::macros::datetime;

use super::super::snapshot::FINDINGS_KEPT;
use super::*;
use crate::checks::CheckId;
use crate::checks::testing::World;
use crate::finding::{Finding, Subject};
use crate::reason::{Reason, Severity};

const BEFORE: OffsetDateTime = datetime!(2026-11-29 14:05 UTC);
const NOW: OffsetDateTime = datetime!(2026-11-30 14:05 UTC);

fn severity(number: u8) -> Severity {
    [Severity::Information, Severity::Warning, Severity::Critical][usize::from(number % 3)]
}

fn known(number: u8, bad: u8) -> KnownFinding {
    KnownFinding {
        id: format!("{number:032x}"),
        check: CheckId::CaLeftover,
        severity: severity(bad),
        reason: Reason::CaLeftover,
        subject: format!("place {number}"),
    }
}

fn id(number: u8) -> ArmId {
    let text =
        format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n{number}");
    ArmId::parse(&text).unwrap()
}

/// Some findings, each once, in any order.
fn findings() -> impl Strategy<Value = Vec<KnownFinding>> {
    let some = prop::collection::btree_map(0..12_u8, 0..3_u8, 0..10);
    some.prop_map(|some| some.into_iter().map(|(number, bad)| known(number, bad)).collect::<Vec<_>>())
        .prop_shuffle()
}

fn standings() -> impl Strategy<Value = Vec<Standing>> {
    let seen = (
        prop::collection::btree_set(0..5_u8, 0..5),
        prop::collection::btree_map(0..4_u8, 0..3_i64, 0..4),
        0..4_usize,
    );
    let seen = seen.prop_map(|(hubs, policies, trusting)| Seen {
        hubs: hubs.into_iter().map(|hub| format!("hub-{hub}")).collect(),
        policies: policies
            .into_iter()
            .map(|(policy, day)| KnownPolicy {
                name: format!("policy-{policy}"),
                ends: Some(NOW + time::Duration::days(day)),
            })
            .collect(),
        pairs: 4,
        trusting,
    });
    let groups = prop::option::of((0..3_usize).prop_map(|assigned| GroupCounts {
        total: 3,
        assigned,
        ..GroupCounts::default()
    }));
    let known = prop::collection::btree_map(0..6_u8, (any::<bool>(), 0..3_u8), 0..6).prop_map(|some| {
        let known = |(number, (is_assigned, policy))| {
            let status = if is_assigned { Reason::AlreadyAssigned } else { Reason::WaitingForTrust };
            let policy = is_assigned.then(|| format!("policy-{policy}"));
            KnownGroup { name: format!("dps/line-{number}"), standing: GroupStanding { status, policy } }
        };
        some.into_iter().map(known).collect::<Vec<_>>()
    });
    let known = prop::option::of(known.prop_shuffle());
    prop::collection::btree_map(0..4_u8, (prop::option::of(seen), groups, known), 0..4)
        .prop_map(|some| {
            let standing = |(number, (seen, groups, known_groups))| Standing {
                id: id(number),
                seen,
                groups,
                known_groups,
            };
            some.into_iter().map(standing).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn snapshot(at: OffsetDateTime, findings: Vec<KnownFinding>, namespaces: Vec<Standing>) -> Snapshot {
    let whole = Snapshot::of(at, &[], namespaces);
    Snapshot { findings, ..whole }
}

proptest! {
    #[test]
    fn of_a_report_and_itself_nothing_changed(findings in findings(), standings in standings()) {
        let one = snapshot(NOW, findings, standings);
        let changes = Changes::between(&one, &one);
        prop_assert!(changes.is_empty() && changes.not_compared == 0, "{changes:#?}");
    }

    /// What was there, without what went and with what came and what changed in its new form, is what is there; and each finding of
    /// the two stands in one list at the most.
    #[test]
    fn every_finding_is_named_once_and_the_changes_lead_from_one_to_the_other(before in findings(), now in findings()) {
        let changes = Changes::between(&snapshot(BEFORE, before.clone(), Vec::new()), &snapshot(NOW, now.clone(), Vec::new()));
        let mut named: Vec<&str> = changes.came.iter().chain(&changes.went).map(|finding| finding.id.as_str()).collect();
        named.extend(changes.changed.iter().map(|changed| changed.now.id.as_str()));
        let once: BTreeSet<&str> = named.iter().copied().collect();
        prop_assert_eq!(once.len(), named.len());
        let by_id = |findings: &[KnownFinding]| -> BTreeMap<String, KnownFinding> {
            findings.iter().map(|finding| (finding.id.clone(), finding.clone())).collect()
        };
        let mut applied = by_id(&before);
        for gone in &changes.went {
            prop_assert_eq!(applied.remove(&gone.id), Some(gone.clone()));
        }
        for changed in &changes.changed {
            let known = applied.insert(changed.now.id.clone(), changed.now.clone());
            prop_assert_eq!(known, Some(changed.before.clone()));
        }
        for new in &changes.came {
            prop_assert_eq!(applied.insert(new.id.clone(), new.clone()), None);
        }
        prop_assert_eq!(applied, by_id(&now));
    }

    #[test]
    fn the_order_of_the_lists_is_no_matter(
        (one, other) in (findings(), findings(), standings(), standings()).prop_flat_map(|(a, b, c, d)| {
            let shuffled = (Just(a.clone()).prop_shuffle(), Just(b.clone()).prop_shuffle(), Just(c.clone()).prop_shuffle(), Just(d.clone()).prop_shuffle());
            (Just((a, b, c, d)), shuffled)
        }),
    ) {
        let of = |(a, b, c, d): (Vec<_>, Vec<_>, Vec<_>, Vec<_>)| Changes::between(&snapshot(BEFORE, a, c), &snapshot(NOW, b, d));
        prop_assert_eq!(of(one), of(other));
    }

    /// Backwards, what came is what went.
    #[test]
    fn backwards_it_is_the_reverse(a in findings(), b in findings(), c in standings(), d in standings()) {
        let (one, other) = (snapshot(BEFORE, a, c), snapshot(NOW, b, d));
        let (there, back) = (Changes::between(&one, &other), Changes::between(&other, &one));
        prop_assert_eq!(&there.came, &back.went);
        prop_assert_eq!(&there.went, &back.came);
        prop_assert_eq!(there.namespaces.len(), back.namespaces.len());
        for (there, back) in there.namespaces.iter().zip(&back.namespaces) {
            prop_assert_eq!(&there.hubs_came, &back.hubs_went);
            prop_assert_eq!(&there.policies_went, &back.policies_came);
            prop_assert_eq!(&there.groups_came, &back.groups_went);
            let turned = back.groups_moved.iter().cloned().map(|MovedGroup { group, before, now }| MovedGroup {
                group,
                before: now,
                now: before,
            });
            prop_assert_eq!(&there.groups_moved, &turned.collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_could_not_be_read_has_neither_come_nor_gone() {
    let seen = Seen { hubs: vec!["h1".into()], pairs: 1, trusting: 1, ..Seen::default() };
    let standing = |seen: Option<Seen>| Standing { id: id(1), seen, groups: None, known_groups: None };
    let between = |before, now| {
        let of = |at, seen| snapshot(at, Vec::new(), vec![standing(seen)]);
        Changes::between(&of(BEFORE, before), &of(NOW, now)).namespaces
    };
    let [lost] = between(Some(seen.clone()), None).try_into().unwrap();
    assert_eq!((lost.whole, lost.hubs_went.len()), (Some(Whole::BecameUnreadable), 0));
    let [found] = between(None, Some(seen.clone())).try_into().unwrap();
    assert_eq!((found.whole, found.hubs_came.len()), (Some(Whole::BecameReadable), 0));
    assert!(between(None, None).is_empty());
    let [gone] = between(Some(seen.clone()), Some(Seen::default())).try_into().unwrap();
    assert_eq!((gone.whole, gone.hubs_went), (None, vec!["h1".to_owned()]));
    assert_eq!(gone.trust.unwrap().now, Coverage { pairs: 0, trusting: 0 });
}

#[test]
fn a_finding_that_there_was_no_room_for_may_have_been_there() {
    let finding = |number: usize, severity| {
        let subject = Subject::component(&format!("part {number}"));
        Finding::new(CheckId::CaLeftover, Reason::CaLeftover, subject, "").with_severity(severity)
    };
    let full: Vec<Finding> = (0..=FINDINGS_KEPT).map(|number| finding(number, Severity::Warning)).collect();
    let before = Snapshot::of(BEFORE, &full, Vec::new());
    assert!(before.is_cut);
    let now = Snapshot::of(
        NOW,
        &[finding(9000, Severity::Critical), finding(9001, Severity::Warning), finding(0, Severity::Warning)],
        Vec::new(),
    );
    let changes = Changes::between(&before, &now);
    // A critical one would have been kept, so it is new; a warning may have been cut away.
    assert_eq!((changes.came.len(), changes.not_compared), (1, 1));
    assert_eq!(changes.went.len(), FINDINGS_KEPT - 1, "the later one knows all that it has");
}

#[test]
fn a_hub_that_lost_trust_a_new_group_and_a_renewed_ca_are_told() {
    let snapshot = |world: &World| crate::report::build_with_snapshot(&world.input()).1;
    let world = World::healthy();
    let before = snapshot(&world);
    let mut world = world;
    world.now = NOW;
    world.policy().issuing_ca.not_after = Some(crate::checks::testing::FAR + time::Duration::days(1));
    world.groups(vec![crate::checks::testing::group("line-1", None)]);
    let changes = Changes::between(&before, &snapshot(&world));
    let [namespace] = changes.namespaces.try_into().unwrap();
    let trust = namespace.trust.unwrap();
    assert_eq!((trust.before.trusting, trust.now.trusting, trust.now.pairs), (1, 0, 1));
    assert_eq!((namespace.renewed.len(), namespace.renewed[0].policy.as_str()), (1, "short"));
    assert_eq!(namespace.groups.unwrap().now.total, 1);
    assert!(namespace.are_groups_named);
    assert_eq!(namespace.groups_came, ["contoso-dps/line-1"]);
    assert!(changes.came.iter().any(|finding| finding.check == CheckId::HubUntrusting));
}

/// The sentence that would break it: the page says that two groups moved and not which.
#[test]
fn groups_that_moved_are_told_by_name_and_where_names_have_no_room_it_says_so() {
    use crate::checks::testing::group;

    let snapshot = |groups| {
        let mut world = World::healthy();
        world.groups(groups);
        crate::report::build_with_snapshot(&world.input()).1
    };
    let before = snapshot(vec![group("line-1", None), group("line-2", Some("short"))]);
    let now = snapshot(vec![group("line-1", Some("short")), group("line-2", Some("short"))]);
    let [namespace] = Changes::between(&before, &now).namespaces.try_into().unwrap();
    let [moved] = namespace.groups_moved.try_into().unwrap();
    assert_eq!((moved.group.as_str(), moved.before.policy), ("contoso-dps/line-1", None));
    assert_eq!(moved.now.policy.as_deref(), Some("short"));
    assert_eq!((namespace.groups_came.len(), namespace.groups_went.len()), (0, 0));

    let many = |named: Option<&str>| {
        (0..=super::super::known_groups::KEPT).map(|n| group(&format!("g-{n}"), named)).collect()
    };
    let [namespace] = Changes::between(&snapshot(many(None)), &snapshot(many(Some("short"))))
        .namespaces
        .try_into()
        .unwrap();
    assert!(namespace.groups.is_some() && !namespace.are_groups_named);
    assert_eq!(namespace.groups_moved, []);
}
