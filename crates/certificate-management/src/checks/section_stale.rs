//! A namespace that no run has looked at for too long: what the report says of it was true then.
//!
//! A look that failed counts as a look, since it is told by itself.

use time::Duration;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let minutes = facts.thresholds.section_stale.minutes;
    let mut findings = Vec::new();
    for namespace in &facts.namespaces {
        let Some(looked_at) = namespace.looks.oldest() else { continue };
        let age = facts.now - looked_at;
        if age <= Duration::minutes(i64::from(minutes)) {
            continue;
        }
        let message = format!(
            "what is known of it is {} minutes old, and {minutes} are expected at the most",
            age.whole_minutes()
        );
        let finding = Finding::new(CheckId::SectionStale, Reason::SectionStale, namespace.subject(), message);
        findings.push(finding.with_time("lookedAt", looked_at));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;
    use crate::report_input::Looks;

    #[test]
    fn the_part_that_waits_longest_counts_and_a_namespace_without_a_look_is_told_elsewhere() {
        let (fresh, limit, late) = (NOW, NOW - Duration::minutes(150), NOW - Duration::minutes(151));
        for (namespace_at, services_at, found) in [
            (Some(fresh), Some(limit), 0),
            (Some(fresh), Some(late), 1),
            (Some(late), Some(fresh), 1),
            (None, Some(late), 0),
            (None, None, 0),
        ] {
            let mut world = World::healthy();
            world.looks = Some(Looks { namespace_at, services_at, read_at: None });
            assert_eq!(world.found(CheckId::SectionStale).len(), found, "{namespace_at:?} {services_at:?}");
        }
    }
}
