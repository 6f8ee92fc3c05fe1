//! A small world: namespace `contoso`, one policy or two, hubs `h1` and `h2`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use time::{Duration, OffsetDateTime};

use crate::ArmId;
use crate::checks::testing::{FAR, World};
pub(crate) use crate::checks::testing::{NAMESPACE, NOW};
use crate::generation::{Link, LinkState};
use crate::model::{HubCertificate, Policy, ReadFailure};
use crate::plan::{Observation, ObservedHub};
use crate::request::SyncRequest;
use crate::sync::{Failure, FailureKind};

/// How many hubs there are.
pub(super) const HUBS: usize = 2;
/// How many policies there are at the most.
pub(super) const POLICIES: usize = 2;
/// What they are called.
const POLICY_NAMES: [&str; POLICIES] = ["short", "long"];

/// How hubs get the current CA of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// By a sync.
    Synced,
    /// The service pushes it by itself, over the link of the hub.
    Pushed,
}

/// The policies of a namespace. `None`: the namespace does not have this one.
pub(super) type Ways = [Option<Way>; POLICIES];

/// What a look sees of a policy on a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Sight {
    /// The policy's current CA.
    Current,
    /// Only the CA before it.
    Stale,
    /// The hub did not answer.
    Unreadable,
}

/// What a look sees of the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sights {
    pub policies: Ways,
    /// How often the CA of each policy was renewed.
    pub renewals: [u8; POLICIES],
    /// Per hub and policy.
    pub hubs: [[Sight; POLICIES]; HUBS],
    /// Whether the link of each hub stands, which matters to policies that the service pushes.
    pub is_linked: [bool; HUBS],
}

impl Sights {
    /// Whether a hub was seen to lack the current CA of a policy that a sync brings.
    pub fn show_a_need(&self) -> bool {
        let is_need =
            |policy: usize, sight: Sight| self.policies[policy] == Some(Way::Synced) && sight == Sight::Stale;
        self.hubs.iter().any(|hub| (0..POLICIES).any(|policy| is_need(policy, hub[policy])))
    }

    /// What a look sees of a pair.
    pub fn of(&self, hub: &str, policy: &str) -> Sight {
        let hub = if hub == "h1" { 0 } else { 1 };
        let policy = POLICY_NAMES.iter().position(|name| *name == policy).unwrap();
        self.hubs[hub][policy]
    }

    /// The same in the words of the domain.
    pub fn observation(&self) -> Rc<Observation> {
        thread_local! {
            static MADE: RefCell<HashMap<Sights, Rc<Observation>>> = RefCell::default();
        }
        MADE.with_borrow_mut(|made| Rc::clone(made.entry(*self).or_insert_with(|| Rc::new(self.make()))))
    }

    fn end(&self, policy: usize) -> OffsetDateTime {
        FAR + Duration::days(i64::from(self.renewals[policy]))
    }

    fn make(&self) -> Observation {
        let mut observation = World::healthy().observation.unwrap();
        let policy = observation.policies.remove(0);
        let hub = observation.hubs.remove(0);
        let ways = self.policies.iter().enumerate().filter_map(|(place, way)| Some((place, (*way)?)));
        let policies: Vec<(usize, Policy)> =
            ways.map(|(place, way)| (place, self.policy(&policy, place, way))).collect();
        for place in 0..HUBS {
            let hub = self.hub(&hub, place, &policies);
            let state = if self.is_linked[place] { LinkState::Succeeded } else { LinkState::Failed };
            observation.namespace.links.push(Link {
                resource: hub.hub.id.clone(),
                state: Some(state),
                error: None,
                host_names: Vec::new(),
            });
            observation.hubs.push(hub);
        }
        observation.policies = policies.into_iter().map(|(_, policy)| policy).collect();
        observation
    }

    fn policy(&self, pattern: &Policy, place: usize, way: Way) -> Policy {
        let mut policy = pattern.clone();
        policy.name = POLICY_NAMES[place].to_owned();
        policy.id = renamed(&policy.id, "/short", &format!("/{}", policy.name));
        policy.issuing_ca.not_after = Some(self.end(place));
        let authority = format!("{NAMESPACE}/certificateAuthorities/{}", policy.name);
        policy.issuing_ca.id = (way == Way::Pushed).then(|| ArmId::parse(&authority).unwrap());
        policy
    }

    fn hub(&self, pattern: &ObservedHub, place: usize, policies: &[(usize, Policy)]) -> ObservedHub {
        let ObservedHub { mut hub, certificates } = pattern.clone();
        let certificate = certificates.unwrap().remove(0);
        hub.name = format!("h{}", place + 1);
        hub.host_name = format!("{}.azure-devices.net", hub.name);
        hub.id = renamed(&hub.id, "/h1", &format!("/{}", hub.name));
        let seen = |(of, policy): &(usize, Policy)| {
            let expiry = match self.hubs[place][*of] {
                Sight::Current => self.end(*of),
                Sight::Stale => self.end(*of) - Duration::DAY,
                Sight::Unreadable => return Err(ReadFailure::other("it did not answer")),
            };
            let issuer_id = Some(policy.issuer_id().clone());
            Ok(HubCertificate { issuer_id, expiry: Some(expiry), ..certificate.clone() })
        };
        ObservedHub { hub, certificates: policies.iter().map(seen).collect() }
    }
}

fn renamed(id: &ArmId, from: &str, to: &str) -> ArmId {
    ArmId::parse(&id.as_str().replace(from, to)).unwrap()
}

/// A request for the namespace, with the rest of its members as JSON, e.g. `,"hubs":["h1"]`.
pub(super) fn request(id: &str, rest: &str) -> SyncRequest {
    SyncRequest::from_submission(&format!(r#"{{"namespaceId":"{NAMESPACE}"{rest}}}"#), id).unwrap()
}

/// A failure of a kind.
pub(super) fn failure(kind: FailureKind) -> Failure {
    Failure { kind, code: None, message: format!("{kind:?}"), retry_after: None }
}
