//! What is remembered of looks is what they saw, and no more.

use proptest::prelude::*;

use super::*;
use crate::checks::testing::{NOW, World};
use crate::model::ReadFailure;

const SEEN: [Trust; 4] = [Trust::Trusted, Trust::Leftover, Trust::Stale, Trust::Missing];

fn look(minute: i64, trust: Trust) -> TrustOverTime {
    let at = NOW + Duration::minutes(minute);
    let spells = vec![Spell { trust, since: at, until: at }];
    TrustOverTime(vec![PairOverTime { policy: "short".into(), hub: "h1".into(), spells }])
}

/// What a person would write down who sees every look in its order.
fn written_down(looks: &[Trust]) -> Vec<(Trust, i64, i64)> {
    let mut told: Vec<(Trust, i64, i64)> = Vec::new();
    for (minute, trust) in (0..).zip(looks) {
        match told.last_mut() {
            Some(last) if last.0 == *trust => last.2 = minute,
            _ => told.push((*trust, minute, minute)),
        }
    }
    told.reverse();
    told.truncate(OF_A_PAIR);
    told
}

fn told(seen: &TrustOverTime) -> Vec<(Trust, i64, i64)> {
    let minutes = |at: OffsetDateTime| (at - NOW).whole_minutes();
    let spells = seen.of("SHORT", "H1").into_iter();
    spells.map(|spell| (spell.trust, minutes(spell.since), minutes(spell.until))).collect()
}

proptest! {
    #[test]
    fn the_spells_are_those_that_the_looks_saw(looks in prop::collection::vec(prop::sample::select(&SEEN), 0..40)) {
        let mut seen = TrustOverTime::default();
        for (minute, trust) in (0..).zip(&looks) {
            seen.take(look(minute, *trust));
            // A look that is written twice is one look.
            seen.take(look(minute, *trust));
        }
        prop_assert_eq!(told(&seen), written_down(&looks));
    }

    /// Nothing is told that no look saw, in whatever order looks are written: each spell begins and ends with a look that saw it.
    #[test]
    fn however_late_a_look_comes_nothing_is_told_that_was_not_seen(
        (looks, written) in prop::collection::vec(prop::sample::select(&SEEN), 1..12)
            .prop_map(|looks| (0_i64..).zip(looks).collect::<Vec<_>>())
            .prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
    ) {
        let mut seen = TrustOverTime::default();
        written.iter().for_each(|(minute, trust)| seen.take(look(*minute, *trust)));
        let told = told(&seen);
        for (trust, since, until) in &told {
            prop_assert!(looks.contains(&(*since, *trust)) && looks.contains(&(*until, *trust)));
        }
        let last = looks.last().unwrap();
        prop_assert_eq!((told[0].0, told[0].2), (last.1, last.0), "the newest look is the one that counts");
        prop_assert!(told.windows(2).all(|pair| pair[0].1 > pair[1].2 && pair[0].0 != pair[1].0));
    }
}

#[test]
fn what_could_not_be_read_neither_ends_nor_begins_a_spell() {
    let mut world = World::healthy();
    let mut seen = TrustOverTime::default();
    let mut note = |world: &mut World, minute| {
        let mut observation = world.observation.clone().unwrap();
        observation.seen_at = NOW + Duration::minutes(minute);
        seen.note(&observation);
        told(&seen)
    };
    note(&mut world, 0);
    world.hub().certificates = Err(ReadFailure::other("503"));
    note(&mut world, 1);
    world.hub().certificates = World::healthy().hub().certificates.clone();
    assert_eq!(note(&mut world, 2), [(Trust::Trusted, 0, 2)]);
    world.hub().certificates = Ok(Vec::new());
    assert_eq!(note(&mut world, 3), [(Trust::Missing, 3, 3), (Trust::Trusted, 0, 2)]);
}

#[test]
fn a_pair_that_is_gone_is_forgotten_and_no_namespace_grows_for_ever() {
    let mut seen = look(0, Trust::Trusted);
    let spells = |day| {
        let at = NOW + Duration::days(day);
        vec![Spell { trust: Trust::Trusted, since: at, until: at }]
    };
    let other = |hub: String, day| PairOverTime { policy: "short".into(), hub, spells: spells(day) };
    seen.take(TrustOverTime(vec![other("h2".into(), 89)]));
    assert_eq!(seen.0.len(), 2);
    seen.take(TrustOverTime(vec![other("h2".into(), 91)]));
    assert_eq!(told(&seen), []);
    seen.take(TrustOverTime((0..2000).map(|n| other(format!("h-{n}"), 92)).collect()));
    assert_eq!(seen.0.len(), OF_A_NAMESPACE);
}
