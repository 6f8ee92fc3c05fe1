//! A group gets a policy only when its hubs admit a new device of it, judged by TLS.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::Admission;

use super::trust_first::LOOKED;
use super::{Event, Oracle};

/// The groups to which the app gave a policy, and when hubs last lost trust.
#[derive(Default)]
pub(super) struct Handshake {
    /// By the names of service and group: when, and the namespace in lower case.
    assigned: BTreeMap<(String, String), (Duration, String)>,
    lost: BTreeMap<String, Duration>,
}

impl Oracle for Handshake {
    fn name(&self) -> &'static str {
        "handshake"
    }

    fn promise(&self) -> &'static str {
        "each hub of a group that the app gives a policy admits a new device of the group, then and in the end"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::TrustLost { namespace, .. } => {
                self.lost.insert(namespace.to_ascii_lowercase(), at);
            }
            Event::Assigned { call, namespace, admissions } => {
                let namespace = namespace.to_ascii_lowercase();
                let lost = self.lost.get(&namespace);
                let may_be_lost = lost.is_some_and(|lost| at < *lost + LOOKED);
                for admission in *admissions {
                    let group = (admission.service.clone(), admission.group.clone());
                    self.assigned.insert(group, (at, namespace.clone()));
                }
                let refused = admissions.iter().filter_map(refused).filter(|_| !may_be_lost);
                return refused.map(|refused| format!("call {}: {refused}", call.number)).collect();
            }
            Event::Ended { truth, admissions, .. } => {
                let is_lacking = |admission: &Admission| {
                    let mut policies = truth.iter().flat_map(|namespace| &namespace.policies);
                    policies.any(|policy| policy.lacking.contains(&admission.hub))
                };
                let is_ours = |admission: &&Admission| {
                    let group = (admission.service.clone(), admission.group.clone());
                    let Some((since, namespace)) = self.assigned.get(&group) else { return false };
                    // Where a CA was renewed since, the hubs lack it until a sync, which may have to wait for a person.
                    let is_renewed = self.lost.get(namespace).is_some_and(|lost| *lost + LOOKED >= *since);
                    !(is_renewed && is_lacking(admission))
                };
                return admissions.iter().filter(is_ours).filter_map(refused).collect();
            }
            _ => {}
        }
        Vec::new()
    }
}

fn refused(admission: &Admission) -> Option<String> {
    let Admission { service, group, hub, refusal } = admission;
    refusal.as_ref().map(|why| format!("{hub} refuses a new device of {service}/{group}: {why}"))
}
