//! A small world: namespace `contoso`, one policy, hubs `h1` and `h2`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use time::Duration;

use crate::checks::testing::{FAR, World};
pub(crate) use crate::checks::testing::{NAMESPACE, NOW};
use crate::model::ReadFailure;
use crate::plan::{Observation, ObservedHub};
use crate::request::SyncRequest;
use crate::sync::{Failure, FailureKind};

/// How many hubs there are.
pub(super) const HUBS: usize = 2;

/// What is seen on a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Sight {
    /// The policy's current CA.
    Current,
    /// Only the CA before it.
    Stale,
    /// It did not answer.
    Unreadable,
}

/// What is seen of the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sights {
    pub hubs: [Sight; HUBS],
    /// How often the policy's CA was renewed.
    pub renewals: u8,
}

impl Sights {
    /// Whether a hub was seen to lack the current CA.
    pub fn show_a_need(&self) -> bool {
        self.hubs.contains(&Sight::Stale)
    }

    /// The same in the words of the domain.
    pub fn observation(&self) -> Rc<Observation> {
        thread_local! {
            static MADE: RefCell<HashMap<Sights, Rc<Observation>>> = RefCell::default();
        }
        MADE.with_borrow_mut(|made| Rc::clone(made.entry(*self).or_insert_with(|| Rc::new(self.make()))))
    }

    fn make(&self) -> Observation {
        let mut observation = World::healthy().observation.unwrap();
        let end = |renewals: u8| FAR + Duration::days(i64::from(renewals));
        observation.policies[0].issuing_ca.not_after = Some(end(self.renewals));
        let pattern: ObservedHub = observation.hubs.remove(0);
        for (number, sight) in (1..).zip(self.hubs) {
            let mut observed = pattern.clone();
            observed.hub.name = format!("h{number}");
            observed.hub.host_name = format!("h{number}.azure-devices.net");
            observed.hub.id =
                crate::ArmId::parse(&observed.hub.id.as_str().replace("/h1", &format!("/h{number}")))
                    .unwrap();
            match (sight, &mut observed.certificates) {
                (Sight::Current, Ok(certificates)) => certificates[0].expiry = Some(end(self.renewals)),
                (Sight::Stale, Ok(certificates)) => {
                    certificates[0].expiry = Some(end(self.renewals) - Duration::DAY);
                }
                (_, certificates) => *certificates = Err(ReadFailure::other("it did not answer")),
            }
            observation.hubs.push(observed);
        }
        observation
    }
}

/// A request for the namespace, with the rest of its members as JSON, e.g. `,"hubs":["h1"]`.
pub(super) fn request(id: &str, rest: &str) -> SyncRequest {
    SyncRequest::from_submission(&format!(r#"{{"namespaceId":"{NAMESPACE}"{rest}}}"#), id).unwrap()
}

/// A failure of a kind.
pub(super) fn failure(kind: FailureKind) -> Failure {
    Failure { kind, code: None, message: format!("{kind:?}"), retry_after: None }
}
