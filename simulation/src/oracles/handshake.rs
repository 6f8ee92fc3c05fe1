//! A group gets a policy only when its hubs admit a new device of it, judged by TLS.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::{Admission, NamespaceTruth};

use super::losses::Losses;
use super::{Event, Oracle};

/// The groups to which the app gave a policy.
#[derive(Default)]
pub(super) struct Handshake {
    /// By the names of service and group.
    given: BTreeMap<(String, String), Given>,
    losses: Losses,
}

/// A policy that the app gave a group.
struct Given {
    at: Duration,
    namespace: String,
    policy: Option<String>,
}

impl Oracle for Handshake {
    fn name(&self) -> &'static str {
        "handshake"
    }

    fn promise(&self) -> &'static str {
        "each hub of a group that the app gives a policy admits a new device of the group, then and in the end"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        self.losses.see(event, at);
        match event {
            Event::Assigned { call, namespace, group, admissions } => {
                let (namespace, policy) = ((*namespace).to_owned(), group.policy.clone());
                let may_be_lost = self.losses.may_be_unseen(&namespace, at);
                let place = (group.service.clone(), group.id.clone());
                self.given.insert(place, Given { at, namespace, policy });
                let refused = admissions.iter().filter_map(refused).filter(|_| !may_be_lost);
                refused.map(|refused| format!("call {}: {refused}", call.number)).collect()
            }
            Event::Ended { truth, admissions, .. } => {
                let ours = admissions.iter().filter(|admission| self.is_promised(admission, truth));
                ours.filter_map(refused).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Handshake {
    /// Whether the app has to answer for what a hub says in the end.
    fn is_promised(&self, admission: &Admission, truth: &[NamespaceTruth]) -> bool {
        let place = (admission.service.clone(), admission.group.clone());
        let Some(given) = self.given.get(&place) else { return false };
        let mut groups = truth.iter().flat_map(|namespace| &namespace.groups);
        let group = groups.find(|group| group.service == admission.service && group.id == admission.group);
        // A person has given it another policy since.
        if group.is_none_or(|group| group.policy != given.policy) {
            return false;
        }
        // Where trust was lost since, a hub lacks it until a sync, which may have to wait for a person, and a hub that is linked no more
        // gets none.
        let mut policies = truth.iter().flat_map(|namespace| &namespace.policies);
        let is_lacking = policies.any(|policy| policy.lacking.contains(&admission.hub));
        let is_linked = truth.iter().any(|namespace| namespace.hubs.contains(&admission.hub));
        !(self.losses.come_after(&given.namespace, given.at) && (is_lacking || !is_linked))
    }
}

fn refused(admission: &Admission) -> Option<String> {
    let Admission { service, group, hub, refusal } = admission;
    refusal.as_ref().map(|why| format!("{hub} refuses a new device of {service}/{group}: {why}"))
}
