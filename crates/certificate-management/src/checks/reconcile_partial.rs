//! A reconcile that does not come to every namespace within one run: what no event has told is seen later.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(run) = facts.fleet.and_then(|records| records.last_reconcile.as_ref()) else {
        return Vec::new();
    };
    if run.is_whole() {
        return Vec::new();
    }
    let subject = Subject::component("reconcile-assignments");
    let finding = Finding::new(
        CheckId::ReconcilePartial,
        Reason::ReconcilePartial,
        subject,
        format!("of the last run: {run}"),
    );
    vec![finding.with("runAt", run.at)]
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::report_input::{FleetRecords, Records};
    use crate::walk_run::tests::run;

    #[test]
    fn a_walk_that_takes_several_runs_is_told_with_its_length_and_one_that_takes_a_run_is_not() {
        for (last_reconcile, told) in [
            (None, None),
            (Some(run(1_000, 1_000, 500)), None),
            (Some(run(400, 1_000, 601)), Some("a whole walk takes about 3 runs, 45 minutes")),
            (Some(run(0, 1_000, 601)), Some("at this pace there is no whole walk")),
        ] {
            let mut world = World::healthy();
            let fleet = FleetRecords { last_reconcile, ..FleetRecords::default() };
            world.records = Some(Records { fleet, ..Records::default() });
            let found = world.found(CheckId::ReconcilePartial);
            assert_eq!(found.len(), usize::from(told.is_some()));
            assert!(told.is_none_or(|told| found[0].message.ends_with(told)), "{found:?}");
        }
    }
}
