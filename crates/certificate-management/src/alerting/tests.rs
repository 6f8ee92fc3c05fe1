//! Ladders, clearings and runs that die: by example, and for any history.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::checks::CheckId;
use crate::checks::testing::{NOW, World, group};
use crate::model::ReadFailure;

fn ids(events: &[FindingEvent]) -> Vec<String> {
    events.iter().map(|event| event.id.clone()).collect()
}

/// A run that delivers what it records.
fn run(ledger: &mut Ledger, world: &World) -> Vec<FindingEvent> {
    let events = ledger.advance(&world.report(), world.now);
    ledger.confirm(&ids(&events));
    events
}

fn without_trust() -> World {
    let mut world = World::healthy();
    world.hub().certificates = Ok(vec![]);
    world
}

#[test]
fn a_finding_is_told_once_and_once_when_it_clears_and_anew_when_it_is_back() {
    let mut ledger = Ledger::default();
    let raised = run(&mut ledger, &without_trust());
    assert_eq!(raised.len(), 1);
    assert_eq!((raised[0].data.state, raised[0].data.step.as_str()), (FindingState::Raised, "critical"));
    let unchanged = ledger.clone();
    assert_eq!(run(&mut ledger, &without_trust()), []);
    assert_eq!(ledger, unchanged);
    let cleared = run(&mut ledger, &World::healthy());
    assert_eq!((cleared.len(), cleared[0].data.state), (1, FindingState::Cleared));
    assert_eq!(run(&mut ledger, &World::healthy()), []);
    let again = run(&mut ledger, &without_trust());
    assert_ne!(again[0].id, raised[0].id);
    assert_eq!(again[0].data.finding.id, raised[0].data.finding.id);
}

#[test]
fn each_cause_is_told_before_what_follows_from_any_and_says_what_that_is() {
    let mut ledger = Ledger::default();
    let mut world = without_trust();
    let mut other = world.hub().clone();
    other.hub.id = crate::ArmId::parse(&other.hub.id.as_str().replace("h1", "h2")).unwrap();
    other.hub.name = "h2".into();
    other.hub.host_name = "h2.azure-devices.net".into();
    other.certificates = Err(ReadFailure::other("503"));
    world.seen().hubs.push(other);
    world.groups((0..EVENTS_AT_ONCE * 2).map(|n| group(&format!("line-{n}"), None)).collect());
    let events = ledger.advance(&world.report(), world.now);
    assert_eq!(events.len(), EVENTS_AT_ONCE);
    let (cause, other) = (&events[0].data, &events[1].data);
    assert_eq!(cause.finding.subject.hub.as_deref(), Some("h1"), "{:?}", cause.finding);
    assert_eq!((cause.followed_by.len(), cause.follows_from.as_ref()), (BRIEFS, None));
    assert_eq!(cause.followed_by_count, EVENTS_AT_ONCE * 2);
    assert_eq!(
        other.finding.subject.hub.as_deref(),
        Some("h2"),
        "before the two hundred groups of the first"
    );
    for event in &events[2..] {
        assert_eq!(event.data.follows_from.as_ref().map(|cause| &cause.id), Some(&cause.finding.id));
    }
    let text = serde_json::to_value(&events[1]).unwrap();
    assert!(text["data"].get("followsFrom").is_none() && text["data"].get("followedBy").is_none(), "{text}");
}

#[test]
fn an_event_that_was_not_delivered_is_sent_again_with_the_same_id_and_never_while_a_run_may_be_at_it() {
    let mut ledger = Ledger::default();
    let mut world = without_trust();
    let lost = ledger.advance(&world.report(), world.now);
    world.now += LEASE - Duration::SECOND;
    assert_eq!(ledger.advance(&world.report(), world.now), []);
    world.now += Duration::SECOND;
    let repeated = ledger.advance(&world.report(), world.now);
    assert_eq!(repeated, lost);
    ledger.confirm(&ids(&repeated));
    world.now += LEASE * 2;
    assert_eq!(ledger.advance(&world.report(), world.now), []);
}

#[test]
fn what_cannot_be_read_does_not_clear() {
    let mut ledger = Ledger::default();
    let mut broken = without_trust();
    broken.groups(vec![group("dock-1", None)]);
    assert_eq!(run(&mut ledger, &broken).len(), 2);
    // The namespace cannot be read: its own failure is announced, and neither alert clears.
    let mut unreadable = without_trust();
    unreadable.observation = Err(ReadFailure::other("503"));
    let told = run(&mut ledger, &unreadable);
    assert_eq!(told.iter().map(|event| event.data.state).collect::<Vec<_>>(), [FindingState::Raised]);
    // Only its hub and its DPS cannot be read: the failure of the namespace clears, and the two alerts are still held.
    let mut partly = World::healthy();
    partly.hub().certificates = Err(ReadFailure::other("503"));
    partly.groups = Err(ReadFailure::other("503"));
    let told = run(&mut ledger, &partly);
    let cleared = told.iter().filter(|event| event.data.state == FindingState::Cleared);
    let cleared: Vec<&str> = cleared.map(|event| event.subject.as_str()).collect();
    assert_eq!(cleared, ["unreadable/contoso"]);
    // The report reads all of it: the alerts of what is well clear.
    let told = run(&mut ledger, &World::healthy());
    assert!(told.iter().all(|event| event.data.state == FindingState::Cleared));
    assert!(ledger.open.is_empty());
}

/// A world whose hub lacks the CA, and whose file declares a root. No hub is linked, so that the root waits.
fn declaring(look: Result<(), ReadFailure>) -> World {
    let mut world = without_trust();
    world.configuration.namespaces[0].authorities.push(crate::configuration::DeclaredAuthority {
        name: "root".into(),
        kind: crate::authority::AuthorityType::Root,
        issuer: crate::authority::Issuer::Microsoft,
    });
    let namespace = world.seen().namespace.clone();
    let inventory = crate::declared::Inventory {
        namespace,
        credential: None,
        authorities: Vec::new(),
        policies: Vec::new(),
    };
    let memory = crate::declared::Memory::default();
    world.declared = Some(look.map(|()| crate::declared::Seen { at: NOW, inventory, memory }));
    world
}

#[test]
fn a_failed_look_at_what_the_file_declares_holds_the_alerts_about_that_alone() {
    let mut ledger = Ledger::default();
    let raised = run(&mut ledger, &declaring(Ok(())));
    assert!(raised.iter().any(|event| event.data.finding.check == CheckId::DeclaredResource), "{raised:?}");
    // The hub trusts the policy again, and what is declared cannot be read.
    let mut blind = World::healthy();
    blind.declared = Some(Err(ReadFailure::other("503")));
    let told = run(&mut ledger, &blind);
    let cleared = told.iter().filter(|event| event.data.state == FindingState::Cleared);
    let cleared: Vec<CheckId> = cleared.map(|event| event.data.finding.check).collect();
    assert_eq!(cleared, [CheckId::HubUntrusting]);
    run(&mut ledger, &World::healthy());
    assert!(ledger.open.is_empty(), "{:?}", ledger.open);
}

/// A read that can fail, or a list that can lack something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blind {
    Namespace,
    HubCertificates,
    NoHubs,
    HubNotListed,
    Services,
    Groups,
    Requests,
    Assignments,
    AssignmentsCut,
    Reports,
    Devices,
}

const BLIND: [Blind; 11] = [
    Blind::Namespace,
    Blind::HubCertificates,
    Blind::NoHubs,
    Blind::HubNotListed,
    Blind::Services,
    Blind::Groups,
    Blind::Requests,
    Blind::Assignments,
    Blind::AssignmentsCut,
    Blind::Reports,
    Blind::Devices,
];

/// A world in which much is wrong, with an alert about each thing that the report may fail to see.
fn much_is_wrong() -> World {
    let mut world = without_trust();
    let mut other = world.hub().clone();
    other.hub.name = "h2".into();
    other.hub.host_name = "h2.azure-devices.net".into();
    world.seen().hubs.push(other);
    world.groups(vec![
        group("dock-1", None),
        group("line-1", None),
        group("line-2", Some("gone")),
        group("line-3", None),
    ]);
    let last = crate::report::LastAssignment {
        provisioning_service: crate::checks::testing::DPS.into(),
        enrollment_group: "line-3".into(),
        policy: Some("short".into()),
        by: "reconcile-assignments".into(),
        run: "r".into(),
        at: NOW,
    };
    let failed = crate::checks::testing::request("r-0", crate::request::Outcome::Failed, NOW);
    world.records = Some(crate::report::Records {
        requests: vec![failed],
        last_assignments: vec![last],
        fleet: crate::report::FleetRecords {
            previous_report_at: Some(NOW - Duration::days(30)),
            ..Default::default()
        },
    });
    world.counted.early_devices = vec![early(Some(3))];
    world
}

fn early(devices: Option<usize>) -> crate::report::EarlyDevices {
    crate::report::EarlyDevices {
        provisioning_service: crate::checks::testing::DPS.into(),
        enrollment_group: "line-1".into(),
        assigned_at: None,
        devices,
        is_cut: false,
    }
}

fn blinded(mut world: World, blind: &[Blind]) -> World {
    let failure = || ReadFailure::other("503");
    for blind in blind {
        let records = world.records.as_mut().unwrap();
        match blind {
            Blind::Requests => {
                records.requests.clear();
                records.fleet.unread.push(("requests".into(), failure()));
            }
            Blind::Assignments => {
                records.last_assignments.clear();
                records.fleet.unread.push(("assignments".into(), failure()));
                world.counted.early_devices.clear();
            }
            Blind::AssignmentsCut => {
                records.last_assignments.clear();
                records.fleet.cut.push("assignments".into());
            }
            Blind::Reports => {
                records.fleet.previous_report_at = None;
                records.fleet.unread.push(("reports".into(), failure()));
            }
            Blind::Devices => world.counted.early_devices = vec![early(None)],
            Blind::Services => world.services = Err(failure()),
            Blind::Groups => world.groups = Err(failure()),
            Blind::Namespace => world.observation = Err(failure()),
            Blind::HubCertificates | Blind::NoHubs | Blind::HubNotListed => {
                let Ok(seen) = &mut world.observation else { continue };
                match blind {
                    Blind::NoHubs => seen.hubs.clear(),
                    Blind::HubNotListed => seen.hubs.retain(|hub| hub.hub.name != "h1"),
                    _ => seen.hubs.iter_mut().for_each(|hub| hub.certificates = Err(failure())),
                }
            }
        }
    }
    world
}

/// In every combination of reads that fail, no alert clears, and none is raised again when the report sees all of it
/// again.
#[test]
fn an_alert_clears_only_by_seeing() {
    let mut told = Ledger::default();
    run(&mut told, &much_is_wrong());
    let checks: BTreeSet<CheckId> = told.open.values().map(|alert| alert.finding.check).collect();
    for check in [
        CheckId::HubUntrusting,
        CheckId::GroupUnassigned,
        CheckId::GroupDangling,
        CheckId::GroupPolicyChanged,
        CheckId::DevicesBeforePolicy,
        CheckId::SyncUnverified,
        CheckId::ReportOverdue,
    ] {
        assert!(checks.contains(&check), "{check} is not tried: {checks:?}");
    }
    // A read that fails is a finding of its own.
    let is_about_sight = |event: &FindingEvent| {
        let check = event.data.finding.check;
        matches!(check, CheckId::Unreadable | CheckId::PermissionMissing | CheckId::NothingToSync)
    };
    for subset in 1..1_usize << BLIND.len() {
        let blind: Vec<Blind> =
            BLIND.iter().enumerate().filter(|(n, _)| subset >> n & 1 == 1).map(|(_, blind)| *blind).collect();
        let mut ledger = told.clone();
        let while_blind = run(&mut ledger, &blinded(much_is_wrong(), &blind));
        let afterwards = run(&mut ledger, &much_is_wrong());
        for event in while_blind.iter().chain(&afterwards) {
            assert!(is_about_sight(event), "{blind:?}: {} {}", event.data.state, event.subject);
        }
        assert_eq!(ledger.open.keys().collect::<Vec<_>>(), told.open.keys().collect::<Vec<_>>(), "{blind:?}");
    }
    // An alert whose cause is seen to be gone clears at once, whatever else the report cannot see.
    let mut ledger = told.clone();
    let mut partly = blinded(much_is_wrong(), &[Blind::Services]);
    partly.hub().certificates = World::healthy().hub().certificates.clone();
    let cleared = run(&mut ledger, &partly);
    let cleared = cleared.iter().filter(|event| event.data.state == FindingState::Cleared);
    let cleared: Vec<&str> = cleared.map(|event| event.subject.as_str()).collect();
    // The hub trusts the policy, so the failed sync does not matter any more.
    assert_eq!(cleared, ["hub-untrusting/contoso / short / h1", "sync-unverified/contoso / short / h1"]);
    // Once the report sees everything, the alert clears.
    let cleared = run(&mut told, &World::healthy());
    assert!(cleared.iter().all(|event| event.data.state == FindingState::Cleared));
    assert!(told.open.is_empty(), "{:?}", told.open.values().map(|alert| &alert.finding.subject.text));
}

#[test]
fn what_is_suppressed_is_neither_told_nor_cleared() {
    let mut ledger = Ledger::default();
    run(&mut ledger, &without_trust());
    let mut quiet = without_trust();
    quiet.configuration.suppressions = vec![crate::configuration::Suppression {
        check: CheckId::HubUntrusting,
        subject: "*".into(),
        reason: "known".into(),
        until: NOW.date(),
    }];
    assert_eq!(run(&mut ledger, &quiet), []);
    assert_eq!(run(&mut ledger, &without_trust()), []);
    assert_eq!(run(&mut Ledger::default(), &quiet), []);
}

#[test]
fn a_flood_is_told_over_several_runs_the_worst_first() {
    let mut ledger = Ledger::default();
    let mut world = without_trust();
    world.groups((0..EVENTS_AT_ONCE).map(|n| group(&format!("dock-{n}"), None)).collect());
    let first = run(&mut ledger, &world);
    assert_eq!((first.len(), first[0].data.step.as_str()), (EVENTS_AT_ONCE, "critical"));
    assert_eq!(run(&mut ledger, &world).len(), 1);
    assert_eq!(run(&mut ledger, &world), []);
}

#[test]
fn the_event_is_a_cloud_event() {
    let event = run(&mut Ledger::default(), &without_trust()).remove(0);
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["specversion"], "1.0");
    assert_eq!(json["type"], EVENT_TYPE);
    assert_eq!(json["source"], crate::checks::testing::NAMESPACE);
    assert_eq!(json["subject"], "hub-untrusting/contoso / short / h1");
    assert_eq!(json["data"]["finding"]["check"], "hub-untrusting");
    let again: FindingEvent = serde_json::from_value(json).unwrap();
    assert_eq!(again, event);
}

/// One run of one of the instances.
#[derive(Debug, Clone)]
struct Turn {
    minutes: i64,
    ca: Option<bool>,
    is_readable: bool,
    dies_before_delivery: bool,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (
        0..3_000i64,
        prop::option::weighted(0.8, prop::bool::weighted(0.2)),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.3),
    );
    let turn = turn.prop_map(|(minutes, ca, is_readable, dies_before_delivery)| Turn {
        minutes,
        ca,
        is_readable,
        dies_before_delivery,
    });
    prop::collection::vec(turn, 0..40)
}

proptest! {
    /// In any history, an event is delivered twice only when its first delivery was in doubt; a step is announced once
    /// for each time that the finding was raised, and each step is higher than the one before; a clearing follows a
    /// raising.
    #[test]
    fn any_history_is_told_once(turns in turns()) {
        let mut ledger = Ledger::default();
        let mut now = NOW;
        let (mut delivered, mut in_doubt) = (BTreeSet::new(), BTreeSet::new());
        let mut told: BTreeMap<(String, OffsetDateTime), Vec<(i64, FindingState)>> = BTreeMap::new();
        for turn in turns {
            now += Duration::minutes(turn.minutes);
            let mut world = World::healthy();
            world.now = now;
            // One of two CAs that end, or one that does not matter.
            let ends = turn.ca.map(|is_other| NOW + Duration::days(if is_other { 70 } else { 20 }));
            let ends = ends.unwrap_or(crate::checks::testing::FAR);
            world.policy().issuing_ca.not_after = Some(ends);
            world.certificate().expiry = Some(ends);
            if !turn.is_readable {
                world.observation = Err(ReadFailure::other("503"));
            }
            let before = ledger.clone();
            let events = ledger.advance(&world.report(), now);
            prop_assert_eq!(events.is_empty(), ledger == before, "a quiet run changes nothing");
            for event in &events {
                let is_repeat = before.pending.iter().any(|pending| pending.event == *event);
                if !is_repeat {
                    prop_assert!(!delivered.contains(&event.id) && !in_doubt.contains(&event.id));
                    let rank = ledger.open.get(&event.data.finding.id).map_or(i64::MAX, |alert| alert.step.rank);
                    let key = (event.data.finding.id.clone(), event.data.raised_at);
                    told.entry(key).or_default().push((rank, event.data.state));
                }
            }
            if turn.dies_before_delivery {
                in_doubt.extend(ids(&events));
            } else {
                for id in ids(&events) {
                    prop_assert!(delivered.insert(id), "delivered twice though the first was confirmed");
                }
                ledger.confirm(&ids(&events));
            }
        }
        for (_, story) in told {
            prop_assert_eq!(story[0].1, FindingState::Raised);
            prop_assert!(story.iter().skip(1).all(|(_, state)| *state != FindingState::Raised));
            prop_assert!(story.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", story);
            let cleared = story.iter().filter(|(_, state)| *state == FindingState::Cleared).count();
            prop_assert!(cleared <= 1 && (cleared == 0 || story[story.len() - 1].1 == FindingState::Cleared));
        }
        // The last run, which lives, delivers all that is left.
        now += LEASE;
        let last = ledger.advance(&World { now, ..World::healthy() }.report(), now);
        ledger.confirm(&ids(&last));
        prop_assert_eq!(ledger.pending.len(), 0);
    }
}
