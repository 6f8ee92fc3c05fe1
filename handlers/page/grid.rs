//! Who trusts what: a row per hub, a column per policy, since a namespace has more hubs than policies and a screen
//! is longer than it is wide. The table says it in words; the certificates, and what was seen over time, are folded away below it.

use std::collections::HashMap;

use certificate_management::report::namespace::{HubReport, OtherCertificate};
use certificate_management::report::{NamespaceReport, TrustReport};
use certificate_management::trust::Trust;
use certificate_management::trust_over_time::Spell;

use super::words::{self, Moment};

/// The grid of one namespace.
pub struct Grid {
    /// The policies, in the report's order.
    pub policies: Vec<String>,
    pub rows: Vec<HubRow>,
    /// When the hubs were read: the first of them, and the last where that is another minute.
    pub seen: Option<(Moment, Option<Moment>)>,
    /// The certificates that the hubs have of the policies.
    pub certificates: Vec<Certificate>,
    /// What was seen over time of each pair of which looks are remembered.
    pub over_time: Vec<PairOverTime>,
}

/// One hub.
pub struct HubRow {
    pub hub: String,
    /// How many CA certificates it has, where they could be read.
    pub certificates: Option<String>,
    pub cells: Vec<Cell>,
}

/// Trust of one hub in one policy.
pub struct Cell {
    pub policy: String,
    /// The state; a shape is put before it by its class.
    pub state: &'static str,
    pub class: &'static str,
    /// What that means, where it is not as it should be.
    pub meaning: Option<&'static str>,
    /// The last day of the certificate that was seen.
    pub until: Option<String>,
}

/// A certificate of a policy on a hub.
pub struct Certificate {
    pub hub: String,
    pub policy: String,
    /// What it is to the policy.
    pub word: &'static str,
    pub name: String,
    pub thumbprint: Option<String>,
    pub until: Option<String>,
}

/// A pair over time.
pub struct PairOverTime {
    pub hub: String,
    pub policy: String,
    /// The newest first.
    pub spells: Vec<ShownSpell>,
}

/// A time during which the same was seen.
pub struct ShownSpell {
    pub state: &'static str,
    pub class: &'static str,
    pub since: Moment,
    /// The last look that saw it, where it has ended.
    pub until: Option<Moment>,
}

impl Grid {
    pub fn of(namespace: &NamespaceReport) -> Self {
        let policies: Vec<&str> = namespace.policies.iter().map(|policy| policy.name.as_str()).collect();
        let pairs: HashMap<(&str, &str), &TrustReport> =
            namespace.trust.iter().map(|pair| ((pair.hub.as_str(), pair.policy.as_str()), pair)).collect();
        let row = |hub: &HubReport| HubRow {
            hub: words::name(&hub.name),
            certificates: hub.certificates.map(|certificates| words::count(certificates, "certificate")),
            cells: policies
                .iter()
                .map(|policy| Cell::of(policy, pairs.get(&(&*hub.name, *policy)).copied()))
                .collect(),
        };
        let seen =
            namespace.trust.iter().filter_map(|pair| pair.evidence.as_ref()).map(|evidence| evidence.seen_at);
        let seen = seen.clone().min().zip(seen.max()).map(|(first, last)| {
            let (first, last) = (words::moment(first), words::moment(last));
            let last = (last.human != first.human).then_some(last);
            (first, last)
        });
        Self {
            rows: namespace.hubs.iter().map(row).collect(),
            policies: policies.iter().copied().map(words::name).collect(),
            seen,
            certificates: namespace.trust.iter().flat_map(Certificate::all).collect(),
            over_time: namespace.trust.iter().filter_map(PairOverTime::of).collect(),
        }
    }
}

impl Cell {
    fn of(policy: &str, pair: Option<&TrustReport>) -> Self {
        let policy = words::name(policy);
        let Some(pair) = pair else {
            return Self { policy, state: "not active", class: "unknown", meaning: None, until: None };
        };
        let (state, class) = shown(pair.trust);
        Self {
            policy,
            state,
            class,
            meaning: meaning(pair.trust),
            until: pair.evidence.as_ref().and_then(|evidence| evidence.expiry).map(words::date),
        }
    }
}

impl Certificate {
    /// Those of a pair: the one by which trust was judged first.
    fn all(pair: &TrustReport) -> Vec<Self> {
        let judged = pair.evidence.as_ref().map(|evidence| Self {
            hub: words::name(&pair.hub),
            policy: words::name(&pair.policy),
            word: if pair.trust.admits_current() { "current" } else { "not the current one" },
            name: words::name(&evidence.certificate_name),
            thumbprint: evidence.thumbprint.as_deref().map(words::name),
            until: evidence.expiry.map(words::date),
        });
        let other = |other: &OtherCertificate| Self {
            hub: words::name(&pair.hub),
            policy: words::name(&pair.policy),
            word: if other.is_next { "next" } else { "older" },
            name: words::name(&other.certificate_name),
            thumbprint: other.thumbprint.as_deref().map(words::name),
            until: other.expiry.map(words::date),
        };
        judged.into_iter().chain(pair.other_certificates.iter().map(other)).collect()
    }
}

impl PairOverTime {
    fn of(pair: &TrustReport) -> Option<Self> {
        let spell = |(place, spell): (usize, &Spell)| {
            let (state, class) = shown(spell.trust);
            let until = (place > 0).then(|| words::moment(spell.until));
            ShownSpell { state, class, since: words::moment(spell.since), until }
        };
        let spells: Vec<ShownSpell> = pair.over_time.iter().enumerate().map(spell).collect();
        (!spells.is_empty()).then(|| Self {
            hub: words::name(&pair.hub),
            policy: words::name(&pair.policy),
            spells,
        })
    }
}

/// What a state means, where it is not as it should be.
fn meaning(trust: Trust) -> Option<&'static str> {
    match trust {
        Trust::Trusted => None,
        Trust::Leftover => Some("an older CA beside the current one"),
        Trust::Stale => Some("only an older CA: devices of the current one are refused"),
        Trust::Missing => Some("no CA of this policy: its devices are refused"),
        Trust::Unreadable => Some("it is not known"),
    }
}

fn shown(trust: Trust) -> (&'static str, &'static str) {
    match trust {
        Trust::Trusted => ("trusted", "good"),
        Trust::Leftover => ("leftover", "fair"),
        Trust::Stale => ("stale", "bad"),
        Trust::Missing => ("missing", "bad"),
        Trust::Unreadable => ("unreadable", "unknown"),
    }
}
