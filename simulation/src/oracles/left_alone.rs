//! A group that names a policy keeps it, since no rule of a play says `reassign`.

use std::time::Duration;

use super::{Event, Oracle};

/// Compares the policy of each group before and after each write.
pub(super) struct LeftAlone;

impl Oracle for LeftAlone {
    fn name(&self) -> &'static str {
        "left-alone"
    }

    fn promise(&self) -> &'static str {
        "a group that names another policy is left alone"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Served { call, before, after, .. } = event else { return Vec::new() };
        let new = after.iter().flat_map(|namespace| &namespace.groups);
        let changed = new.filter(|group| {
            let mut old = before.iter().flat_map(|namespace| &namespace.groups);
            let old = old.find(|old| old.service == group.service && old.id == group.id);
            old.is_some_and(|old| old.policy.is_some() && old.policy != group.policy)
        });
        changed.map(|group| format!("call {}: {}/{}", call.number, group.service, group.id)).collect()
    }
}
