//! A namespace without a linked hub: no hub would admit the devices of the groups that have its policies.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let without = facts.readable().filter(|(_, observation)| observation.hubs.is_empty());
    without
        .map(|(namespace, _)| {
            let scopes = namespace.configuration.subscriptions().join(", ");
            let message = format!("no linked hub was found in the subscriptions {scopes}");
            Finding::new(CheckId::NothingToSync, Reason::NoHubsLinked, namespace.subject(), message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_namespace_without_hubs_is_told_with_where_they_were_looked_for() {
        let mut world = World::healthy();
        assert_eq!(world.found(CheckId::NothingToSync), []);
        world.seen().hubs.clear();
        assert!(world.found(CheckId::NothingToSync)[0].message.contains("subscriptions S"));
    }
}
