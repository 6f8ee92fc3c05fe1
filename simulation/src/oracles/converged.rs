//! After the faults everything becomes as the configuration wants it.

use std::time::Duration;

use azure_simulator::NamespaceTruth;

use super::{Event, Oracle};
use crate::world::Drawn;

/// Knows what the configuration wants.
#[derive(Default)]
pub(super) struct Converged {
    enforced: Vec<Drawn>,
    /// Roles are missing, so that nothing is promised.
    lacks_roles: bool,
    /// Hubs that cannot be read.
    hidden: Vec<String>,
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
        if let Event::Configured { namespaces, kill_switch } = event {
            let enforced = namespaces.iter().filter(|drawn| drawn.is_enforced && !kill_switch);
            self.enforced = enforced.cloned().collect();
        }
        if let Event::Access { is_whole, hidden } = event {
            (self.lacks_roles, self.hidden) = (!is_whole, hidden.to_vec());
        }
        let Event::Recovered { truth, .. } = event else { return Vec::new() };
        let seen = self.enforced.iter().filter(|_| !self.lacks_roles);
        let each = seen.filter_map(|drawn| {
            let namespace = truth.iter().find(|namespace| namespace.id.eq_ignore_ascii_case(&drawn.id))?;
            let is_hidden = |hub: &String| self.hidden.contains(hub) || drawn.hidden.contains(hub);
            let untrusting = untrusting(drawn, namespace, is_hidden);
            Some(untrusting.into_iter().chain(unassigned(drawn, namespace, is_hidden)))
        });
        each.flatten().collect()
    }
}

/// Hubs that can be read and lack a policy, where syncs need no person. What is of the newer generation comes by the service's push alone.
fn untrusting(drawn: &Drawn, namespace: &NamespaceTruth, is_hidden: impl Fn(&String) -> bool) -> Vec<String> {
    let synced = namespace.policies.iter().filter(|policy| drawn.is_automatic && !policy.name.contains('/'));
    let told = synced.filter_map(|policy| {
        let seen: Vec<&str> =
            policy.lacking.iter().filter(|hub| !is_hidden(hub)).map(String::as_str).collect();
        (!seen.is_empty()).then(|| format!("{} is lacking on {}", policy.id, seen.join(", ")))
    });
    told.collect()
}

/// Groups without the policy of their rule, where their hubs are known and trust it. One that names another policy is left alone.
fn unassigned(drawn: &Drawn, namespace: &NamespaceTruth, is_hidden: impl Fn(&String) -> bool) -> Vec<String> {
    let waits = namespace.groups.iter().filter_map(|group| {
        let wanted = drawn.policy_of(&group.id)?;
        let policy = namespace.policies.iter().find(|policy| policy.name == wanted)?;
        let trusts =
            |hub: &String| namespace.hubs.contains(hub) && !is_hidden(hub) && !policy.lacking.contains(hub);
        (group.policy.is_none() && !group.hubs.is_empty() && group.hubs.iter().all(trusts))
            .then(|| format!("{}/{} has no policy", group.service, group.id))
    });
    waits.collect()
}
