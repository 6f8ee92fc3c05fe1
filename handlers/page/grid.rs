//! Who trusts what: a row per hub, a column per policy, since a namespace has more hubs than policies and a screen
//! is longer than it is wide.

use std::collections::HashMap;

use certificate_management::report::namespace::{HubReport, OtherCertificate};
use certificate_management::report::{NamespaceReport, TrustReport};
use certificate_management::trust::Trust;

use super::words::{self, Moment};

/// The grid of one namespace.
pub struct Grid {
    /// The policies, in the report's order.
    pub policies: Vec<String>,
    pub rows: Vec<HubRow>,
    /// When the hubs were read: the first of them, and the last where that is another minute.
    pub seen: Option<(Moment, Option<Moment>)>,
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
    /// The state; a shape is put before it by its class.
    pub state: &'static str,
    pub class: &'static str,
    pub thumbprint: Option<String>,
    /// The last day of the certificate that was seen.
    pub until: Option<String>,
    /// What else the hub has of the policy.
    pub others: Vec<Other>,
}

/// Another CA of the policy on the hub.
pub struct Other {
    pub word: &'static str,
    pub thumbprint: Option<String>,
    pub until: Option<String>,
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
                .map(|policy| Cell::of(pairs.get(&(&*hub.name, *policy)).copied()))
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
        }
    }
}

impl Cell {
    fn of(pair: Option<&TrustReport>) -> Self {
        let Some(pair) = pair else {
            return Self {
                state: "not active",
                class: "unknown",
                thumbprint: None,
                until: None,
                others: Vec::new(),
            };
        };
        let (state, class) = shown(pair.trust);
        let evidence = pair.evidence.as_ref();
        Self {
            state,
            class,
            thumbprint: evidence.and_then(|evidence| evidence.thumbprint.as_deref()).map(words::thumbprint),
            until: evidence.and_then(|evidence| evidence.expiry).map(words::date),
            others: pair.other_certificates.iter().map(Other::of).collect(),
        }
    }
}

impl Other {
    fn of(other: &OtherCertificate) -> Self {
        Self {
            word: if other.is_next { "next" } else { "older" },
            thumbprint: other.thumbprint.as_deref().map(words::thumbprint),
            until: other.expiry.map(words::date),
        }
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
