//! Since when each hub of a namespace trusts each policy, as looks have seen it: the service has no history of it.
//!
//! Each look adds what it saw. Looks that come in the order of their times give exactly the spells that they saw. One that comes late
//! is put where it belongs, and what was seen around it stays; a look that several later ones have confirmed is not remembered by
//! itself. What could not be read is no spell, and ends none.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::plan::Observation;
use crate::trust::Trust;

/// How many spells of a pair are remembered, the last ones.
pub const OF_A_PAIR: usize = 8;
/// How many pairs of a namespace are remembered, those that were seen last: 50 hubs with 12 policies.
const OF_A_NAMESPACE: usize = 600;
/// How long a pair is remembered that no look sees any more.
const GONE_FOR: Duration = Duration::days(90);

/// What was seen of every pair of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrustOverTime(Vec<PairOverTime>);

/// What was seen of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PairOverTime {
    policy: String,
    hub: String,
    /// The oldest first; never empty.
    spells: Vec<Spell>,
}

/// A time during which every look saw the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spell {
    /// What was seen.
    pub trust: Trust,
    /// The first look that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// The last look that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

impl TrustOverTime {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what a look at the namespace saw. What it could not read is not known.
    pub fn note(&mut self, observation: &Observation) {
        let at = observation.seen_at;
        let pairs = observation.pairs().into_iter().filter(|pair| pair.assessment.trust != Trust::Unreadable);
        let seen = pairs.map(|pair| PairOverTime {
            policy: pair.policy.name.clone(),
            hub: pair.hub.name.clone(),
            spells: vec![Spell { trust: pair.assessment.trust, since: at, until: at }],
        });
        self.take(Self(seen.collect()));
    }

    /// Adds what other looks saw.
    pub fn take(&mut self, other: Self) {
        for one in other.0 {
            match self.0.iter_mut().find(|known| known.is_of(&one.policy, &one.hub)) {
                Some(known) => known.spells = joined(known.spells.iter().chain(&one.spells)),
                None => self.0.push(PairOverTime { spells: joined(one.spells.iter()), ..one }),
            }
        }
        let newest = self.0.iter().map(PairOverTime::seen_at).max();
        self.0.retain(|pair| newest.is_none_or(|newest| newest - pair.seen_at() < GONE_FOR));
        self.0.sort_by(|a, b| {
            b.seen_at().cmp(&a.seen_at()).then_with(|| (&a.policy, &a.hub).cmp(&(&b.policy, &b.hub)))
        });
        self.0.truncate(OF_A_NAMESPACE);
    }

    /// What was seen of a pair, the newest first.
    #[must_use]
    pub fn of(&self, policy: &str, hub: &str) -> Vec<Spell> {
        let pair = self.0.iter().find(|pair| pair.is_of(policy, hub));
        pair.map(|pair| pair.spells.iter().rev().copied().collect()).unwrap_or_default()
    }
}

impl PairOverTime {
    /// Names are compared in any case, as Azure does.
    fn is_of(&self, policy: &str, hub: &str) -> bool {
        self.policy.eq_ignore_ascii_case(policy) && self.hub.eq_ignore_ascii_case(hub)
    }

    fn seen_at(&self) -> OffsetDateTime {
        self.spells.last().map_or(OffsetDateTime::UNIX_EPOCH, |spell| spell.until)
    }
}

/// The spells that the ends of these make, in the order of time. Of two looks at one instant the worse one comes last, so that the
/// outcome depends on no order.
fn joined<'s>(spells: impl Iterator<Item = &'s Spell>) -> Vec<Spell> {
    let looks: BTreeSet<(OffsetDateTime, Trust)> =
        spells.flat_map(|spell| [(spell.since, spell.trust), (spell.until, spell.trust)]).collect();
    let mut joined: Vec<Spell> = Vec::new();
    for (at, trust) in looks {
        match joined.last_mut() {
            Some(last) if last.trust == trust => last.until = at,
            _ => joined.push(Spell { trust, since: at, until: at }),
        }
    }
    let older = joined.len().saturating_sub(OF_A_PAIR);
    joined.split_off(older)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
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
}
