//! A group gets a policy only when the hubs to which its devices go trust it.

use std::time::Duration;

use azure_simulator::{GroupTruth, NamespaceTruth};

use super::losses::Losses;
use super::{Event, Oracle, given};

/// Looks at each write that gives a group a policy.
#[derive(Default)]
pub(super) struct TrustFirst {
    losses: Losses,
}

impl Oracle for TrustFirst {
    fn name(&self) -> &'static str {
        "trust-first"
    }

    fn promise(&self) -> &'static str {
        "no group is given a policy that one of its hubs does not trust"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        self.losses.see(event, at);
        let Event::Served { call, before, after, .. } = event else { return Vec::new() };
        let untrusted = given(before, after).filter_map(|(namespace, group)| {
            if self.losses.may_be_unseen(&namespace.id, at) {
                return None;
            }
            let lacking = lacking(namespace, group)?;
            Some(format!(
                "call {}: {}/{}, and {lacking} does not trust",
                call.number, group.service, group.id
            ))
        });
        untrusted.collect()
    }
}

/// A hub of the group that does not trust the group's policy; the policy itself where it is not there.
fn lacking(namespace: &NamespaceTruth, group: &GroupTruth) -> Option<String> {
    let named = group.policy.as_deref().unwrap_or_default();
    let Some(policy) = namespace.policies.iter().find(|policy| policy.name.eq_ignore_ascii_case(named))
    else {
        return Some(format!("no hub: there is no active policy `{named}`, so any"));
    };
    group.hubs.iter().find(|hub| policy.lacking.contains(hub)).cloned()
}
