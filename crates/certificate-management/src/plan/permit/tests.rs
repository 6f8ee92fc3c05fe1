use std::collections::BTreeSet;

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::attribution::Attribution;
use crate::configuration::Configuration;

const FROM: OffsetDateTime = datetime!(2026-12-20 00:00 UTC);
const TO: OffsetDateTime = datetime!(2027-01-07 00:00 UTC);
const BEFORE: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

fn configuration(rest: &str) -> NamespaceConfiguration {
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    Configuration::parse(&format!("[[namespace]]\nid = \"{id}\"\n{rest}")).unwrap().namespaces.remove(0)
}

fn hold(reverts: Option<&str>) -> Hold {
    Hold {
        run: "h".to_owned(),
        woken_by: "assign by ann".to_owned(),
        reverts: reverts.map(str::to_owned),
        attribution: Attribution::default(),
        at: BEFORE,
        released: None,
    }
}

fn writers() -> Vec<Writer> {
    let flags = [false, true];
    let mut all = vec![Writer::Function];
    for even_in_audit in flags {
        for break_freeze in flags {
            for without_records in flags {
                all.push(Writer::Person(Insistence { even_in_audit, break_freeze, without_records }));
            }
        }
    }
    all
}

/// Every combination of every circumstance, against a table in words: each obstacle forbids by itself, and the first that is in the
/// way is the one that is told.
#[test]
fn every_write_is_judged_by_every_obstacle_in_one_order() {
    let tags = Map::new();
    let holds = [hold(None), hold(Some("r1")), hold(Some("r2"))];
    let held = [
        Held::No,
        Held::By(&holds[0]),
        Held::By(&holds[1]),
        Held::By(&holds[2]),
        Held::Unknown("503"),
        Held::NoRecords,
    ];
    let freeze = "freeze = [{ from = 2026-12-20T00:00:00Z, to = 2027-01-07T00:00:00Z, reason = \"peak\" }]\n";
    let mut judged = 0;
    let mut outcomes = BTreeSet::new();
    for mode in ["audit", "enforce"] {
        for manage in [false, true] {
            let configuration = configuration(&format!("mode = \"{mode}\"\nmanage = {manage}\n{freeze}"));
            for kill_switch in [false, true] {
                for now in [BEFORE, FROM, TO] {
                    for writer in writers() {
                        let guard = Guard { configuration: &configuration, kill_switch, writer, now };
                        let person = match writer {
                            Writer::Function => Insistence::default(),
                            Writer::Person(insistence) => insistence,
                        };
                        let is_audit = kill_switch || (mode == "audit" && !person.even_in_audit);
                        let is_frozen = now == FROM && !person.break_freeze;
                        let expected = |rest: Option<Hindrance>| match (is_audit, is_frozen) {
                            (true, _) => Some(Hindrance::Audit),
                            (_, true) => Some(Hindrance::Frozen),
                            _ => rest,
                        };
                        for held in held {
                            for reverts in [None, Some("r1")] {
                                let rest = match held {
                                    Held::No => None,
                                    Held::By(hold)
                                        if reverts.is_some() && hold.reverts.as_deref() == reverts =>
                                    {
                                        None
                                    }
                                    Held::By(_) => Some(Hindrance::Held),
                                    Held::NoRecords if person.without_records => None,
                                    Held::Unknown(_) | Held::NoRecords => Some(Hindrance::HoldUnknown),
                                };
                                let answer = guard.group(Group { tags: &tags, held, reverts });
                                let answer = answer.err().map(|forbidden| forbidden.hindrance);
                                assert_eq!(answer, expected(rest), "{guard:?} {held:?} {reverts:?}");
                                outcomes.insert(format!("{answer:?}"));
                                judged += 1;
                            }
                        }
                        let is_unmanaged = writer == Writer::Function && !manage;
                        let declared = guard.declared().err().map(|forbidden| forbidden.hindrance);
                        let own = if is_unmanaged { Some(Hindrance::Audit) } else { expected(None) };
                        assert_eq!(declared, own, "{guard:?}");
                        let activation = guard.activation().err().map(|forbidden| forbidden.hindrance);
                        assert_eq!(activation, expected(None), "{guard:?}");
                        for breaks in [false, true] {
                            let sync = guard.sync(breaks).err().map(|forbidden| forbidden.hindrance);
                            let frozen = (is_frozen && !breaks).then_some(Hindrance::Frozen);
                            assert_eq!(
                                sync,
                                if is_audit { Some(Hindrance::Audit) } else { frozen },
                                "{guard:?}"
                            );
                        }
                    }
                }
            }
        }
    }
    assert_eq!((judged, outcomes.len()), (2 * 2 * 2 * 3 * 9 * 6 * 2, 5), "{outcomes:?}");
}

#[test]
fn a_way_past_an_obstacle_is_named_to_those_who_have_it() {
    let tags = Map::new();
    let frozen = "freeze = [{ from = 2026-12-20T00:00:00Z, to = 2027-01-07T00:00:00Z, reason = \"peak\" }]\n";
    let why = |rest: &str, kill_switch, writer, held, now| {
        let configuration = configuration(rest);
        let guard = Guard { configuration: &configuration, kill_switch, writer, now };
        guard.group(Group { tags: &tags, held, reverts: None }).unwrap_err().why
    };
    let person = Writer::Person(Insistence::default());
    let enforce = "mode = \"enforce\"\n";
    assert!(why("", true, person, Held::No, BEFORE).contains("POLICYSYNC_MODE=audit"));
    assert!(why("", false, person, Held::No, BEFORE).contains("--even-in-audit"));
    assert!(!why("", false, Writer::Function, Held::No, BEFORE).contains("--even-in-audit"));
    let frozen = format!("{enforce}{frozen}");
    let told = why(&frozen, false, person, Held::No, FROM);
    assert!(
        told.contains("--break-freeze") && told.contains("peak") && told.contains("2027-01-07 00:00 UTC"),
        "{told}"
    );
    assert!(!why(&frozen, false, Writer::Function, Held::No, FROM).contains("--break-freeze"));
    let hold = hold(Some("r1"));
    let told = why(enforce, false, Writer::Function, Held::By(&hold), BEFORE);
    assert!(told.contains("holds release") && told.contains("r1"), "{told}");
    assert!(why(enforce, false, person, Held::NoRecords, BEFORE).contains("--without-records"));
    assert!(why(enforce, false, person, Held::Unknown("503"), BEFORE).contains("503"));
}

#[test]
fn a_freeze_of_tags_stops_their_groups_alone() {
    let configuration = configuration(
        "mode = \"enforce\"\nmanage = true\nfreeze = [{ from = 2026-12-20T00:00:00Z, to = 2027-01-07T00:00:00Z, reason = \"r\", tags = { site = \"north\" } }]\n",
    );
    let guard =
        Guard { configuration: &configuration, kill_switch: false, writer: Writer::Function, now: FROM };
    let group = |site: &str| {
        let tags = Map::from_iter([("site".to_owned(), Value::from(site))]);
        guard
            .group(Group { tags: &tags, held: Held::No, reverts: None })
            .map_err(|forbidden| forbidden.hindrance)
    };
    assert_eq!(group("north"), Err(Hindrance::Frozen));
    assert_eq!(group("south"), Ok(()));
    assert_eq!(guard.declared(), Ok(()));
    assert_eq!(guard.sync(false), Ok(()));
}

proptest! {
    /// Several windows, some open and some not, at their edges: the guard forbids exactly where one of them is open.
    #[test]
    fn a_write_is_forbidden_exactly_where_a_window_is_open(
        windows in proptest::collection::vec((0_i64..1_000, 1_i64..300), 0..4),
        pick in 0_usize..4,
        is_end in any::<bool>(),
        shift in prop_oneof![Just(-1_i64), Just(0), Just(1), -2_000_000_000_000_i64..2_000_000_000_000],
    ) {
        let at = |minutes: i64| FROM + Duration::minutes(minutes);
        let text: Vec<String> = windows
            .iter()
            .map(|(start, length)| {
                let spelt = |at: OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap();
                format!("{{ from = {}, to = {}, reason = \"r\" }}", spelt(at(*start)), spelt(at(start + length)))
            })
            .collect();
        let configuration = configuration(&format!("mode = \"enforce\"\nmanage = true\nfreeze = [{}]\n", text.join(", ")));
        let edge = windows.get(pick).map_or(FROM, |(start, length)| at(if is_end { start + length } else { *start }));
        let now = edge + Duration::nanoseconds(shift);
        let is_open = windows.iter().any(|(start, length)| at(*start) <= now && now < at(start + length));
        let guard = Guard { configuration: &configuration, kill_switch: false, writer: Writer::Function, now };
        let tags = Map::new();
        prop_assert_eq!(guard.group(Group { tags: &tags, held: Held::No, reverts: None }).is_err(), is_open);
        prop_assert_eq!(guard.sync(false).is_err(), is_open);
        prop_assert_eq!(guard.declared().is_err(), is_open);
    }
}

/// A function that handles an event, a revert, and a store that may fail, in every order of their calls: once the revert has
/// written, the function never writes.
mod race {
    use super::*;

    /// What both see: the version of the group and its policy, and the hold.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct World {
        version: u32,
        policy: &'static str,
        is_held: bool,
        store_fails: bool,
        function: Function,
        revert: Revert,
        reverted: bool,
    }

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    enum Function {
        Begins,
        HasRead(u32),
        HasAsked(u32),
        Ended,
    }

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    enum Revert {
        Begins,
        HasRead(u32),
        HasHeld(u32),
        Ended,
    }

    fn is_allowed(is_held: bool, store_fails: bool, reverts: Option<&str>) -> bool {
        let (configuration, hold, tags) =
            (configuration("mode = \"enforce\"\n"), hold(Some("r1")), Map::new());
        let held = match (store_fails, is_held) {
            (true, _) => Held::Unknown("503"),
            (false, true) => Held::By(&hold),
            (false, false) => Held::No,
        };
        let writer = if reverts.is_some() { Writer::Person(Insistence::default()) } else { Writer::Function };
        let guard = Guard { configuration: &configuration, kill_switch: false, writer, now: BEFORE };
        guard.group(Group { tags: &tags, held, reverts }).is_ok()
    }

    /// Every world that one call, or one failure, leads to.
    fn next(world: &World) -> Vec<World> {
        let mut worlds = vec![World { store_fails: !world.store_fails, ..world.clone() }];
        match world.function {
            Function::Begins => {
                worlds.push(World { function: Function::HasRead(world.version), ..world.clone() });
            }
            Function::HasRead(version) => {
                let allowed = is_allowed(world.is_held, world.store_fails, None);
                let function = if allowed { Function::HasAsked(version) } else { Function::Ended };
                worlds.push(World { function, ..world.clone() });
            }
            Function::HasAsked(version) if version == world.version => worlds.push(World {
                version: version + 1,
                policy: "of the rule",
                function: Function::Ended,
                ..world.clone()
            }),
            // `If-Match` does not hold: it reads again and decides again, and asks again.
            Function::HasAsked(_) => worlds.push(World { function: Function::Begins, ..world.clone() }),
            Function::Ended => worlds.push(World { function: Function::Begins, ..world.clone() }),
        }
        match world.revert {
            Revert::Begins => worlds.push(World { revert: Revert::HasRead(world.version), ..world.clone() }),
            Revert::HasRead(_) if world.store_fails => {
                worlds.push(World { revert: Revert::Ended, ..world.clone() });
            }
            Revert::HasRead(version) => {
                worlds.push(World { is_held: true, revert: Revert::HasHeld(version), ..world.clone() });
            }
            Revert::HasHeld(version) => {
                let may =
                    is_allowed(world.is_held, world.store_fails, Some("r1")) && version == world.version;
                let after = World { revert: Revert::Ended, ..world.clone() };
                worlds.push(match may {
                    true => World { version: version + 1, policy: "before", reverted: true, ..after },
                    false => after,
                });
            }
            Revert::Ended => {}
        }
        worlds.retain(|world| world.version < 6);
        worlds
    }

    #[test]
    fn a_revert_is_never_undone_by_an_event_that_was_under_way() {
        let first = World {
            version: 0,
            policy: "of the run",
            is_held: false,
            store_fails: false,
            function: Function::Begins,
            revert: Revert::Begins,
            reverted: false,
        };
        let (mut seen, mut left) = (BTreeSet::new(), vec![first]);
        let mut ends = BTreeSet::new();
        while let Some(world) = left.pop() {
            if !seen.insert(world.clone()) {
                continue;
            }
            assert!(!world.reverted || world.policy == "before", "the revert was undone: {world:?}");
            if world.revert == Revert::Ended {
                ends.insert((world.policy, world.reverted, world.is_held));
            }
            left.extend(next(&world));
        }
        assert!(ends.contains(&("before", true, true)), "it succeeds in some order: {ends:?}");
        assert!(ends.contains(&("of the rule", false, true)), "and comes too late in another: {ends:?}");
    }
}
