//! After the faults everything becomes as the configuration wants it.

use std::time::Duration;

use azure_simulator::NamespaceTruth;

use super::{Event, Oracle};
use crate::world::{Drawn, World};

/// Knows what the configuration wants.
pub(super) struct Converged {
    enforced: Vec<Drawn>,
}

impl Converged {
    pub(super) fn of(world: &World) -> Self {
        Self { enforced: world.namespaces.iter().filter(|drawn| world.writes_to(drawn)).cloned().collect() }
    }
}

impl Oracle for Converged {
    fn name(&self) -> &'static str {
        "converged"
    }

    fn promise(&self) -> &'static str {
        "some rounds after the last fault, or on the day after a sync that the service failed, every hub trusts every policy, and every group has \
         the policy of its rule"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Recovered { truth, .. } = event else { return Vec::new() };
        let each = self.enforced.iter().filter_map(|drawn| {
            let namespace = truth.iter().find(|namespace| namespace.id.eq_ignore_ascii_case(&drawn.id))?;
            Some(untrusting(drawn, namespace).into_iter().chain(unassigned(drawn, namespace)))
        });
        each.flatten().collect()
    }
}

/// Hubs that lack a policy, where syncs need no person.
fn untrusting(drawn: &Drawn, namespace: &NamespaceTruth) -> Vec<String> {
    let policies =
        namespace.policies.iter().filter(|policy| drawn.is_automatic && !policy.lacking.is_empty());
    policies.map(|policy| format!("{} is lacking on {}", policy.id, policy.lacking.join(", "))).collect()
}

/// Groups without the policy of their rule, where their hubs trust it. One that names another policy is left alone.
fn unassigned(drawn: &Drawn, namespace: &NamespaceTruth) -> Vec<String> {
    let waits = namespace.groups.iter().filter_map(|group| {
        let wanted = drawn.policy_of(&group.id)?;
        let policy = namespace.policies.iter().find(|policy| policy.name == wanted)?;
        let is_trusted = !group.hubs.iter().any(|hub| policy.lacking.contains(hub));
        (group.policy.is_none() && is_trusted)
            .then(|| format!("{}/{} has no policy", group.service, group.id))
    });
    waits.collect()
}
