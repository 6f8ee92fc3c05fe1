//! Whether one rule leaves any group to another: proven from the rules alone, for every group that could exist.
//!
//! `true` is a proof. `false` may mean that this code cannot prove it: two rules together can hide a third, for
//! example.

use super::Rule;
use crate::glob::subsumes as glob_subsumes;

/// Whether `earlier` matches every group that `later` matches, so that `later` never decides.
#[must_use]
pub fn subsumes(earlier: &Rule, later: &Rule) -> bool {
    // A rule without selectors matches nothing, so it hides nothing and is not hidden.
    earlier.has_selector()
        && later.has_selector()
        && ids(earlier, later)
        && tags(earlier, later)
        && (earlier.attestation.is_empty()
            || (!later.attestation.is_empty()
                && later.attestation.iter().all(|kind| earlier.attestation.contains(kind))))
        && (earlier.hubs.is_empty() || (!later.hubs.is_empty() && covered(&earlier.hubs, &later.hubs)))
        && (earlier.enabled.is_none() || earlier.enabled == later.enabled)
}

/// Whether two rules select the same groups.
#[must_use]
pub fn selects_the_same(one: &Rule, other: &Rule) -> bool {
    subsumes(one, other) && subsumes(other, one)
}

fn ids(earlier: &Rule, later: &Rule) -> bool {
    if earlier.enrollment_groups.is_empty() {
        return true;
    }
    // A rule that does not select by id takes every id.
    let every = ["*".to_owned()];
    let narrow = if later.enrollment_groups.is_empty() { &every[..] } else { &later.enrollment_groups };
    covered(&earlier.enrollment_groups, narrow)
}

fn tags(earlier: &Rule, later: &Rule) -> bool {
    earlier
        .tags
        .iter()
        .all(|(path, wide)| later.tags.get(path).is_some_and(|narrow| glob_subsumes(wide, narrow)))
}

/// Whether each narrow glob lies within one of the wide ones.
fn covered(wide: &[String], narrow: &[String]) -> bool {
    narrow.iter().all(|narrow| wide.iter().any(|wide| glob_subsumes(wide, narrow)))
}
