//! A group gets a policy only when the hubs to which its devices go trust it.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_simulator::{GroupTruth, NamespaceTruth};

use super::{Event, Oracle};
use crate::answers::STALEST;

/// From the look at the hubs to the write: the two parts of a visit may take 40 seconds each, and the write has a deadline of 30.
/// What is lost within this time no caller can have seen.
const LOOKED: Duration = Duration::from_secs(40 + 40 + 30);

/// When hubs of a namespace last lost trust.
#[derive(Default)]
pub(super) struct TrustFirst {
    lost: BTreeMap<String, Duration>,
    /// When a service last answered what was true no more: no caller can know.
    answered_old: Option<Duration>,
}

impl TrustFirst {
    /// For how long a loss of trust cannot be seen by one who writes at `at`.
    fn visible(&self, at: Duration) -> Duration {
        let is_deceived = self.answered_old.is_some_and(|old| at < old + LOOKED);
        LOOKED + if is_deceived { STALEST } else { Duration::ZERO }
    }
}

impl Oracle for TrustFirst {
    fn name(&self) -> &'static str {
        "trust-first"
    }

    fn promise(&self) -> &'static str {
        "no group is given a policy that one of its hubs does not trust"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            Event::TrustLost { namespace, .. } => {
                self.lost.insert(namespace.to_ascii_lowercase(), at);
                Vec::new()
            }
            Event::AnsweredOld { .. } => {
                self.answered_old = Some(at);
                Vec::new()
            }
            Event::Served { call, before, after, .. } => {
                let given = after.iter().flat_map(|namespace| {
                    let old = before.iter().find(|old| old.id == namespace.id);
                    given(old, namespace).map(move |group| (namespace, group))
                });
                let untrusted = given.filter_map(|(namespace, group)| {
                    let lost = self.lost.get(&namespace.id.to_ascii_lowercase());
                    if lost.is_some_and(|lost| at < *lost + self.visible(at)) {
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
            _ => Vec::new(),
        }
    }
}

/// The groups that have a policy that they did not have before.
fn given<'a>(
    old: Option<&'a NamespaceTruth>,
    new: &'a NamespaceTruth,
) -> impl Iterator<Item = &'a GroupTruth> {
    let before = move |group: &GroupTruth| {
        let mut groups = old.into_iter().flat_map(|old| &old.groups);
        let same = groups.find(|known| known.service == group.service && known.id == group.id);
        same.and_then(|known| known.policy.clone())
    };
    new.groups.iter().filter(move |group| group.policy.is_some() && group.policy != before(group))
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
