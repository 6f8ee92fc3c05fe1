//! What is kept of looks, in whatever order they come; and that the record is a contract.

use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use super::*;
use crate::checks::testing::{self, DPS, NOW, World, group};
use crate::model::ReadFailureKind;
use crate::readiness::seen::{Kind, Linked};
use crate::report_input::EarlyDevices;

/// A look at one part: which, when, and whether it failed.
#[derive(Debug, Clone, Copy)]
struct Look {
    part: u8,
    minute: i64,
    fails: bool,
}

impl Look {
    /// The section that a look makes. What is seen says when, so that two looks at the same minute see the same.
    fn section(self, id: &ArmId) -> Section {
        let at = NOW + Duration::minutes(self.minute);
        let failure = || ReadFailure::other(format!("failed in minute {}", self.minute));
        let mut section = Section::new(id);
        match self.part {
            0 => {
                let observation =
                    World::healthy().observation.map(|seen| Observation { seen_at: at, ..seen });
                section.namespace = Part::of(if self.fails { Err(failure()) } else { observation }, at);
            }
            1 => {
                let services = if self.fails { Err(failure()) } else { Ok(Vec::new()) };
                section.services = Part::of(services, at);
            }
            2 => {
                let declared = if self.fails { Err(failure()) } else { Ok(declared(at)) };
                section.declared = Part::of(declared, at);
            }
            _ => section.counted = Part::of(Ok(Counted::default()), at),
        }
        section
    }
}

/// An empty namespace of which the file declares something.
fn declared(at: OffsetDateTime) -> declared::Seen {
    let namespace = World::healthy().seen().namespace.clone();
    let inventory =
        declared::Inventory { namespace, credential: None, authorities: Vec::new(), policies: Vec::new() };
    declared::Seen { at, inventory, memory: declared::Memory::default() }
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    // No two looks at one minute, since of those neither is the later one.
    let look = (0..4_u8, prop::bool::ANY);
    prop::collection::vec(look, 1..12).prop_map(|looks| {
        let looks = looks.into_iter().zip(0..);
        looks.map(|((part, fails), minute)| Look { part, minute, fails }).collect()
    })
}

proptest! {
    /// In whatever order two looks are written, the later one is kept, and a failure only when it is newer.
    #[test]
    fn of_each_part_the_last_look_counts_in_whatever_order_they_are_written(
        (looks, written) in looks().prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
    ) {
        let id = World::healthy().configuration.namespaces[0].id.clone();
        let together = |looks: &[Look]| {
            let mut section = Section::new(&id);
            looks.iter().for_each(|look| section.take(look.section(&id)));
            section
        };
        let section = together(&written);
        prop_assert_eq!(&section, &together(&looks));
        for part in 0..3 {
            let last = looks.iter().rev().find(|look| look.part == part);
            let seen = looks.iter().rev().find(|look| look.part == part && !look.fails);
            let at = |look: Option<&Look>| look.map(|look| NOW + Duration::minutes(look.minute));
            let (looked, kept) = match part {
                0 => (section.namespace.looked_at(), section.namespace.seen_at()),
                2 => (section.declared.looked_at(), section.declared.seen_at()),
                _ => (section.services.looked_at(), section.services.seen_at()),
            };
            prop_assert_eq!((looked, kept), (at(last), at(seen)), "a failure deletes nothing");
            let failed = match part {
                0 => section.namespace.failed.is_some(),
                2 => section.declared.failed.is_some(),
                _ => section.services.failed.is_some(),
            };
            prop_assert_eq!(failed, last.is_some_and(|look| look.fails));
        }
    }
}

#[test]
fn what_was_not_looked_at_is_said_to_be_so_part_by_part() {
    let world = World::healthy();
    let configuration = &world.configuration.namespaces[0];
    let kinds = |section: Section| {
        let input = section.into_input(configuration);
        (
            input.observation.err().map(|failure| failure.kind),
            input.provisioning_services.err().map(|failure| failure.kind),
        )
    };
    let never = Some(ReadFailureKind::NotVisited);
    assert_eq!(kinds(Section::new(&configuration.id)), (never, never));
    let mut seen = Section::new(&configuration.id);
    seen.namespace = Part::of(world.observation, NOW);
    assert_eq!(kinds(seen), (None, never));
}

fn full() -> Section {
    let mut world = World::healthy();
    world.groups(vec![group("line-1", Some("short"))]);
    let observation = world.observation.clone();
    let mut section = Section::new(&world.configuration.namespaces[0].id);
    section.namespace = Part::of(observation, NOW);
    section.namespace.take(Part::of(Err(ReadFailure::other("503")), NOW + Duration::HOUR));
    let service = |groups| ProvisioningServiceInput {
        endpoint: DPS.into(),
        hubs: vec!["h1.azure-devices.net".into()],
        enrollment_groups: groups,
    };
    let services = vec![service(world.groups), service(Err(ReadFailure::other("403")))];
    section.services = Part::of(Ok(services), NOW);
    let early = EarlyDevices {
        provisioning_service: DPS.into(),
        enrollment_group: "line-1".into(),
        assigned_at: Some(NOW),
        devices: Some(2),
        is_cut: false,
    };
    section.counted = Part::of(Ok(Counted { early_devices: vec![early], ..Counted::default() }), NOW);
    section
}

/// An instance of the next version writes beside this one while a deployment goes on, and the next version reads what this
/// one has left.
#[test]
fn the_record_is_a_contract() {
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    assert_eq!(
        serde_json::to_value(full()).unwrap(),
        golden,
        "write a section/v2 rather than change section/v1"
    );
    assert_eq!(serde_json::from_value::<Section>(golden.clone()).unwrap(), full());
    // Members that a later version adds are passed over, parts that it leaves out are ones without a look.
    let mut later = golden;
    later["colour"] = json!("red");
    later.as_object_mut().unwrap().remove("counted");
    let read: Section = serde_json::from_value(later).unwrap();
    assert_eq!(read, Section { counted: Part::default(), ..full() });
    // What the file declares is a member since a look at it.
    let section = Section { declared: Part::of(Ok(declared(NOW)), NOW), ..full() };
    let text = serde_json::to_string(&section).unwrap();
    assert_eq!(serde_json::from_str::<Section>(&text).unwrap(), section);
    assert!(read.is_understood() && !Section { schema: "section/v2".into(), ..read }.is_understood());
}

#[test]
fn links_are_looked_at_once_a_day_and_at_once_where_another_hub_is_linked() {
    let observation = World::healthy().observation.unwrap();
    let id = observation.namespace.id.clone();
    let at = |links: Option<OffsetDateTime>, hubs: &[&ArmId]| {
        let linked = hubs.iter().map(|id| Linked {
            id: (*id).clone(),
            kind: Kind::Hub,
            side: Err(ReadFailure::other("403")),
            certificates: None,
        });
        let sides = Sides { linked: linked.collect(), ..testing::no_links() };
        let mut section = Section::new(&id);
        section.namespace = Part::of(Ok(observation.clone()), NOW);
        if let Some(at) = links {
            section.links = Part::of(Ok(sides), at);
        }
        section
    };
    let hub = &observation.hubs[0].hub.id;
    assert!(at(None, &[]).are_links_due(NOW));
    assert!(!at(Some(NOW), &[hub]).are_links_due(NOW));
    assert!(at(Some(NOW), &[]).are_links_due(NOW), "a hub was linked since");
    assert!(!at(Some(NOW - LINKS_EVERY + Duration::SECOND), &[hub]).are_links_due(NOW));
    assert!(at(Some(NOW - LINKS_EVERY), &[hub]).are_links_due(NOW));
    let other = hub.child("certificates", "c");
    assert!(!at(Some(NOW), &[hub, &other]).are_links_due(NOW), "one that is gone is no reason");
    let text = serde_json::to_string(&at(Some(NOW), &[hub])).unwrap();
    assert_eq!(serde_json::from_str::<Section>(&text).unwrap(), at(Some(NOW), &[hub]));
}
