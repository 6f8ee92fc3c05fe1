//! No member of an enrollment group but its policy is changed, and its keys live on.

use std::collections::BTreeSet;
use std::time::Duration;

use azure_simulator::{GroupTruth, NamespaceTruth};

use super::{Event, Oracle};

/// Compares each group before and after each write.
pub(super) struct GroupMembers;

impl Oracle for GroupMembers {
    fn name(&self) -> &'static str {
        "group-members"
    }

    fn promise(&self) -> &'static str {
        "no member of a group but its policy is changed, its keys included, and no group is made or deleted"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Served { call, before, after, .. } = event else { return Vec::new() };
        let (old, new) = (groups(before), groups(after));
        let count =
            (old.len() != new.len()).then(|| format!("call {}: groups were made or deleted", call.number));
        let changed = new.iter().flat_map(|group| {
            let known = old.iter().find(|known| known.service == group.service && known.id == group.id);
            let names = known.map(|known| differing(known, group)).unwrap_or_default();
            let told = names.into_iter();
            told.map(|name| format!("call {}: `{name}` of {}/{}", call.number, group.service, group.id))
        });
        count.into_iter().chain(changed).collect()
    }
}

fn groups(truth: &[NamespaceTruth]) -> Vec<&GroupTruth> {
    truth.iter().flat_map(|namespace| &namespace.groups).collect()
}

/// The names of the members that differ, and never their values.
fn differing(old: &GroupTruth, new: &GroupTruth) -> Vec<String> {
    let names: BTreeSet<&String> = old.rest.keys().chain(new.rest.keys()).collect();
    names.into_iter().filter(|name| old.rest.get(*name) != new.rest.get(*name)).cloned().collect()
}
